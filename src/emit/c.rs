//! C99 with CBLAS: one header with one function over buffers that the caller gives, row by row. Nothing is allocated; the
//! function tells how much memory it works in. What the library of C lacks is written as a small helper.

use super::arrays::helpers;
use super::buffers::{Words, Written, write as write_buffers};
use super::code::{Code, Op, rank};
use super::helpers_in_c::HELPERS;
use super::sizes::Source;
use super::{About, EmitError, Emitted};
use crate::functions;

struct C;

const RESERVED: &[&str] = &[
    "auto break case char const continue default do double else enum extern float for goto if inline int long register",
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while _Bool _Complex",
    "_Imaginary size_t bool true false NULL work w i j i0 i1 i2 i3 s0 s1 s2 s3 s4 s5 s6 s7 sum main asm typeof",
    "exp log log1p expm1 sqrt fabs sin cos tan asin acos atan sinh cosh tanh erf erfc pow fmax fmin NAN INFINITY abs",
    "y0 y1 yn j0 j1 jn gamma signbit div exit free malloc time index memcpy memset log2 exp2 ceil floor round remainder",
    "ldexp frexp fma hypot cbrt lgamma tgamma nan rint trunc logb scalbn class new this template delete namespace using",
    "private public protected operator try catch throw typename virtual friend mutable explicit and or not xor signal",
    "mg_swap_rows mg_eliminate mg_solve mg_inverse mg_solve_positive mg_cholesky mg_determinant mg_log_determinant",
    "mg_adjugate mg_exponential mg_power mg_root mg_inverse_root mg_eigen mg_pseudo_inverse mg_vech mg_unvech",
    "mg_multiply mg_block mg_exponential_along mg_power_along mg_softmax mg_logsoftmax mg_logsumexp mg_largest",
    "mg_sigmoid mg_softplus mg_sign mg_relu mg_elu mg_gelu mg_silu mg_step mg_leaky_relu mg_square mg_max mg_min",
    "I J E LLONG_MAX EOF linux unix",
];

impl Words for C {
    fn reserved(&self) -> &'static [&'static str] {
        RESERVED
    }
    fn function(&self, key: &str) -> Option<&'static str> {
        functions::form(key, |form| form.c)
    }
    fn power(&self) -> &'static str {
        "pow"
    }
    fn real(&self, size: &str) -> String {
        if size.contains(' ') { format!("(double)({size})") } else { format!("(double){size}") }
    }
    fn choose(&self, condition: &str, yes: &str, no: &str) -> String {
        format!("({condition} ? {yes} : {no})")
    }
    fn open(&self, index: &str, count: &str) -> String {
        format!("for (size_t {index} = 0; {index} < {count}; ++{index}) {{")
    }
    fn constant(&self, name: &str, right: &str) -> String {
        format!("const double {name} = {right};")
    }
    fn variable(&self, name: &str, right: &str) -> String {
        format!("double {name} = {right};")
    }
    fn buffer(&self, name: &str, count: &str) -> String {
        format!("double *const {name} = w; w += {count};")
    }
    fn store(&self, output: &str, right: &str) -> String {
        format!("*{output} = {right};")
    }
    fn product(&self, out: &str, [m, k, n]: [&str; 3], [a, b]: [&str; 2], turned: [bool; 2]) -> String {
        let whole = |text: &str| if text.contains(' ') { format!("(int)({text})") } else { format!("(int){text}") };
        let turn = |turned: bool| if turned { "CblasTrans" } else { "CblasNoTrans" };
        let gemv = |matrix: &str, rows: &str, columns: &str, turned: bool, vector: &str| {
            format!(
                "cblas_dgemv(CblasRowMajor, {}, {}, {}, 1.0, {matrix}, {}, {vector}, 1, 0.0, {out}, 1);",
                turn(turned),
                whole(rows),
                whole(columns),
                whole(columns)
            )
        };
        match (m, n) {
            // The stored matrix is k × m where its transpose is meant.
            (_, "1") if turned[0] => gemv(a, k, m, true, b),
            (_, "1") => gemv(a, m, k, false, b),
            ("1", _) if turned[1] => gemv(b, n, k, false, a),
            ("1", _) => gemv(b, k, n, true, a),
            _ => {
                let (lda, ldb) = (if turned[0] { m } else { k }, if turned[1] { k } else { n });
                format!(
                    "cblas_dgemm(CblasRowMajor, {}, {}, {}, {}, {}, 1.0, {a}, {}, {b}, {}, 0.0, {out}, {});",
                    turn(turned[0]),
                    turn(turned[1]),
                    whole(m),
                    whole(n),
                    whole(k),
                    whole(lda),
                    whole(ldb),
                    whole(n)
                )
            }
        }
    }
    fn attempt(&self, call: &str) -> String {
        format!("if ((status = {call}) != 0) return status;")
    }
    fn dot(&self, count: &str, a: &str, b: &str) -> String {
        format!("cblas_ddot((int)({count}), {a}, 1, {b}, 1)")
    }
    fn norm(&self, count: &str, a: &str) -> String {
        format!("cblas_dnrm2((int)({count}), {a}, 1)")
    }
}

/// The file.
pub(super) fn write(code: &mut Code, about: &About<'_>) -> Result<Emitted, EmitError> {
    let written = write_buffers(code, &C)?;
    let code = &*code;
    let parameters: Vec<&(String, Source)> =
        written.sizes.names.iter().filter(|(_, source)| !matches!(source, Source::Fixed(_))).collect();
    let size_parameters: Vec<String> =
        parameters.iter().map(|(name, _)| format!("size_t {}", written.dimensions[name])).collect();
    let arrays = code.inputs.iter().zip(&written.inputs).map(|(input, name)| match rank(input.shape) {
        0 => format!("double {name}"),
        _ => format!("const double *{name}"),
    });
    let outputs = written.outputs.iter().map(|name| format!("double *{name}"));
    let all: Vec<String> =
        size_parameters.iter().cloned().chain(arrays).chain(outputs).chain(["double *work".to_owned()]).collect();
    let mut fixed = String::new();
    for (name, source) in &written.sizes.names {
        if let Source::Fixed(n) = source {
            fixed.push_str(&format!("    const size_t {0} = {n};\n    (void){0};\n", written.dimensions[name]));
        }
    }
    let unused: String =
        parameters.iter().map(|(name, _)| format!("    (void){};\n", written.dimensions[name])).collect();
    let needed = code.needed(&code.roots());
    let is_read = |input: usize| {
        needed.iter().any(|&value| matches!(*code.op(value), Op::Input(place) if place as usize == input))
    };
    let unread = written.inputs.iter().enumerate().filter(|(input, _)| !is_read(*input));
    let unread: String = unread.map(|(_, name)| format!("    (void){name};\n")).collect();
    let guard = format!("MATGRAD_{}_H", written.name.to_uppercase());
    let work = if written.work.is_empty() { "0".to_owned() } else { written.work.join(" + ") };
    let sizes = if size_parameters.is_empty() { "void".to_owned() } else { size_parameters.join(", ") };
    let helpers: String =
        helpers(|form| form.c, HELPERS, &[&written.body]).into_iter().map(|(_, text)| format!("{text}\n")).collect();
    let test = about.test.as_ref().map_or(String::new(), |test| {
        let sizes: Vec<String> = parameters.iter().map(|(name, _)| test.size(name).to_string()).collect();
        let scalars: Vec<bool> = code.inputs.iter().map(|input| rank(input.shape) == 0).collect();
        super::c_test::written(&written, test, RESERVED, &sizes, &test.counts(code), &scalars)
    });
    let status = if written.body.contains("status = ") { "    int status = 0;\n" } else { "" };
    let text = format!(
        "{}#ifndef {guard}\n#define {guard}\n\n#include <cblas.h>\n#include <math.h>\n#include <stddef.h>\n#include <string.h>\n\n\
         {helpers}/* How many numbers `work` must have room for. */\nstatic size_t {name}_work({sizes})\n{{\n{fixed}{unused}    return {work};\n}}\n\n\
         {}static int {name}({})\n{{\n{fixed}{unused}{unread}    double *w = work;\n    (void)w;\n{status}{}    return 0;\n}}\n{}\n#endif\n",
        comment(code, &written, about),
        described(code, &written),
        all.join(", "),
        written.body,
        test,
        name = written.name,
    );
    let sizes = parameters.iter().map(|(name, _)| (name.clone(), written.dimensions[name].clone())).collect();
    Ok(Emitted::new(code, text, &written.name, [&written.inputs, &written.outputs], sizes))
}

/// Text that may stand in a comment.
fn quoted(text: &str) -> String {
    text.replace("*/", "* /").replace("/*", "/ *")
}

fn comment(code: &Code, written: &Written, about: &About<'_>) -> String {
    let mut out = format!(
        "/* {}: values and derivatives, derived by matgrad. C99 with CBLAS; matrices lie row by row.\n\n   The program:\n\n",
        written.name
    );
    about.program().for_each(|line| out.push_str(&format!("       {}\n", quoted(line))));
    if !about.derivation.is_empty() {
        out.push_str("\n   The derivation:\n\n");
        about.derivation.iter().for_each(|line| {
            out.push_str(format!("       {}", quoted(line)).trim_end());
            out.push('\n');
        });
    }
    let _ = code;
    out.push_str("*/\n");
    out
}

/// What the function takes and gives.
fn described(code: &Code, written: &Written) -> String {
    let size = |d| super::arrays::dimension(&code.dimensions, d, &written.dimensions, " / ").0;
    let mut out = "/* The values and derivatives at these numbers.\n\n".to_owned();
    for (input, name) in code.inputs.iter().zip(&written.inputs) {
        out.push_str(&format!(
            "   {name}: {}, {} x {}\n",
            input.kind,
            size(input.shape.rows),
            size(input.shape.columns)
        ));
    }
    for (output, name) in code.outputs.iter().zip(&written.outputs) {
        let axes: Vec<String> = output.axes.iter().map(|&d| size(d)).collect();
        let axes = if axes.is_empty() { "1".to_owned() } else { axes.join(" x ") };
        out.push_str(&format!("   {name}: {}, {axes}\n", output.title));
    }
    out.push_str(&format!(
        "   work: room for {}_work(...) numbers\n\n   The return value is 0, or 1 where a matrix is singular, or 2 where one is not positive definite. */\n",
        written.name
    ));
    out
}
