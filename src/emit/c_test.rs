//! The self-test of a header of C: a `main` behind a macro. Numbers and comparisons come in, C goes out: arrays that a
//! comparison moves, and for each path a function of the step that stores what it gives.

use super::buffers::Written;
use super::selftest::{CURVATURE_STEP, SLOPE_STEP, SelfTest, TOLERANCE};

/// The test's text; `sizes` are the numbers of the parameters, `counts` those of the outputs' entries, `scalars` tells which
/// inputs are passed as numbers.
pub(super) fn written(
    written: &Written,
    test: &SelfTest,
    reserved: &'static [&'static str],
    sizes: &[String],
    counts: &[usize],
    scalars: &[bool],
) -> String {
    let names = test.names(reserved, &written.name, &written.inputs);
    let name = &written.name;
    let macro_name = format!("{}_TEST", name.to_uppercase());
    let list = |entries: &[f64]| entries.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(", ");
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let mut out = format!(
        "\n/* A program that compares each derivative, along a direction, with differences of the value:\n   cc -D{macro_name} -x c FILE -lopenblas -lm */\n#ifdef {macro_name}\n\n#include <stdio.h>\n#include <stdlib.h>\n\n"
    );
    for (input, array) in written.inputs.iter().zip(&test.inputs) {
        let (n, entries) = (array.entries.len(), list(&array.entries));
        out.push_str(&format!("static const double mg_at_{input}[{n}] = {{{entries}}};\n"));
        out.push_str(&format!("static double mg_in_{input}[{n}];\n"));
    }
    for (along, direction) in names.directions.iter().zip(&test.directions) {
        let (n, entries) = (direction.array.entries.len(), list(&direction.array.entries));
        out.push_str(&format!("static const double mg_{along}[{n}] = {{{entries}}};\n"));
    }
    for (output, count) in written.outputs.iter().zip(counts) {
        out.push_str(&format!("static double mg_{output}[{}];\n", (*count).max(1)));
    }
    out.push_str(&format!(
        "static int mg_failed = 0;\n\nstatic void mg_run(void)\n{{\n    double *work = malloc(sizeof(double) * ({name}_work({}) + 1));\n    if (work == NULL || {name}({}, work) != 0) {{\n        fprintf(stderr, \"{name} gives no values\\n\");\n        exit(1);\n    }}\n    free(work);\n}}\n\n",
        sizes.join(", "),
        sizes
            .iter()
            .cloned()
            .chain(written.inputs.iter().zip(scalars).map(|(input, scalar)| match scalar {
                true => format!("mg_in_{input}[0]"),
                false => format!("mg_in_{input}"),
            }))
            .chain(written.outputs.iter().map(|output| format!("mg_{output}")))
            .collect::<Vec<_>>()
            .join(", ")
    ));
    out.push_str("static void mg_move(size_t n, double *x, double step, const double *along)\n{\n    for (size_t i = 0; i < n; ++i) x[i] += step * along[i];\n}\n\n");
    out.push_str("static void mg_start(void)\n{\n");
    for input in &written.inputs {
        out.push_str(&format!("    memcpy(mg_in_{input}, mg_at_{input}, sizeof mg_in_{input});\n"));
    }
    out.push_str("}\n\n");
    let mut main = String::new();
    let mut path_count = 0;
    for comparison in &test.comparisons {
        let (of, output) = (&written.outputs[comparison.of], &written.outputs[comparison.output]);
        let count = counts[comparison.of];
        let mut rest = counts[comparison.output];
        let compared = if comparison.against.is_some() { 1 } else { count };
        let difference = if comparison.second { "mg_curvature" } else { "mg_slope" };
        main.push_str("    mg_start();\n    mg_run();\n");
        main.push_str(&format!("    memcpy(derivative, mg_{output}, sizeof mg_{output});\n"));
        for &d in &comparison.applied {
            let n = test.directions[d].array.entries.len();
            rest /= n;
            main.push_str(&format!("    mg_apply({rest}, {n}, derivative, mg_{});\n", names.directions[d]));
        }
        for (place, path) in comparison.paths.iter().enumerate() {
            let function = format!("mg_path_{path_count}");
            path_count += 1;
            out.push_str(&format!("static void {function}(double step, double *value)\n{{\n    mg_start();\n"));
            for shift in path {
                let (input, n) = (&written.inputs[shift.input], test.inputs[shift.input].entries.len());
                let sign = if shift.back { "-" } else { "" };
                out.push_str(&format!(
                    "    mg_move({n}, mg_in_{input}, {sign}step, mg_{});\n",
                    names.directions[shift.along]
                ));
            }
            out.push_str(&format!("    mg_run();\n    memcpy(value, mg_{of}, sizeof mg_{of});\n"));
            if let Some(against) = comparison.against {
                out.push_str(&format!("    mg_apply(1, {count}, value, mg_{});\n", names.directions[against]));
            }
            out.push_str("}\n\n");
            let place_of = if place == 0 { "difference" } else { "other" };
            main.push_str(&format!("    {difference}({compared}, {function}, {place_of});\n"));
        }
        if comparison.paths.len() == 2 {
            main.push_str(&format!(
                "    for (size_t i = 0; i < {compared}; ++i) difference[i] = 0.25 * (difference[i] - other[i]);\n"
            ));
        }
        let shown = output.trim_end_matches("_out");
        main.push_str(&format!("    mg_agree(\"{shown}\", {compared}, derivative, difference);\n"));
    }
    for (output, why) in &test.left_out {
        let shown = written.outputs[*output].trim_end_matches("_out");
        main.push_str(&format!("    printf(\"{shown} is not tested: {why}\\n\");\n"));
    }
    let first = format!(
        "/* The derivative of f at 0 by differences of fourth order. */
static void mg_slope(size_t n, void (*f)(double, double *), double *out)
{{
    static double a[{most}], b[{most}], c[{most}], d[{most}];
    const double h = {SLOPE_STEP:?};
    f(-2 * h, a); f(-h, b); f(h, c); f(2 * h, d);
    for (size_t i = 0; i < n; ++i) out[i] = (8 * (c[i] - b[i]) - (d[i] - a[i])) / (12 * h);
}}

"
    );
    let second = format!(
        "/* The second derivative of f at 0 by differences of fourth order. */
static void mg_curvature(size_t n, void (*f)(double, double *), double *out)
{{
    static double a[{most}], b[{most}], c[{most}], d[{most}], e[{most}];
    const double h = {CURVATURE_STEP:?};
    f(-2 * h, a); f(-h, b); f(0, c); f(h, d); f(2 * h, e);
    for (size_t i = 0; i < n; ++i) out[i] = (16 * (b[i] + d[i]) - (a[i] + e[i]) - 30 * c[i]) / (12 * h * h);
}}

"
    );
    let apply = "/* Applies a derivative to a direction of its last axes, in place. */
static void mg_apply(size_t rows, size_t n, double *derivative, const double *along)
{
    for (size_t i = 0; i < rows; ++i) {
        double sum = 0;
        for (size_t j = 0; j < n; ++j) sum += derivative[i * n + j] * along[j];
        derivative[i] = sum;
    }
}

";
    let at = out.find("static void mg_path_0").unwrap_or(out.len());
    let mut middle = String::new();
    for (called, text) in [("mg_slope(", first.as_str()), ("mg_curvature(", &second), ("mg_apply(", apply)] {
        if main.contains(called) || out.contains(called) {
            middle.push_str(text);
        }
    }
    out.insert_str(at, &middle);
    out.push_str(&format!(
        "static void mg_agree(const char *name, size_t n, const double *derivative, const double *difference)
{{
    double error = 0, size = 0;
    for (size_t i = 0; i < n; ++i) {{
        const double off = fabs(derivative[i] - difference[i]);
        if (!(off <= error)) error = off;
        if (fabs(difference[i]) > size) size = fabs(difference[i]);
    }}
    if (!(error <= {TOLERANCE} * (1 + size))) {{
        printf(\"%s is off by %.1e from differences\\n\", name, error);
        mg_failed = 1;
    }}
}}

int main(void)
{{
    static double derivative[{most}], difference[{most}], other[{most}];
    (void)other;
{main}    if (mg_failed == 0) printf(\"{name}: {} with differences\\n\");
    return mg_failed;
}}

#endif
",
        test.count()
    ));
    out
}
