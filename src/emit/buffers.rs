//! Languages without arrays: a program's values come in, statements over buffers of numbers go out, row by row, in the words
//! of C or Rust. Operations by entries are fused into the loop that stores or sums them; matrix products and operations on
//! whole matrices are calls. Every buffer lies in one piece of memory that the caller gives: nothing is allocated.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::EmitError;
use super::code::{Code, MatrixOp, Op, Value};
use super::loops::Writer;
use super::names::Names;
use super::sizes::{Sizes, sizes};
use super::statements::lines;

/// What C and Rust say differently.
pub(super) trait Words {
    /// Names that may not be taken.
    fn reserved(&self) -> &'static [&'static str];
    /// The name of a function, of entries or of buffers: `exp` is `f64::exp`.
    fn function(&self, key: &str) -> Option<&'static str>;
    /// The function of two numbers that is a power.
    fn power(&self) -> &'static str;
    /// A size as a number.
    fn real(&self, size: &str) -> String;
    /// One of two numbers.
    fn choose(&self, condition: &str, yes: &str, no: &str) -> String;
    /// A loop's first line.
    fn open(&self, index: &str, count: &str) -> String;
    /// A number that stays.
    fn constant(&self, name: &str, right: &str) -> String;
    /// A number that changes.
    fn variable(&self, name: &str, right: &str) -> String;
    /// A buffer of that many numbers.
    fn buffer(&self, name: &str, count: &str) -> String;
    /// What an output of one number is stored in.
    fn store(&self, output: &str, right: &str) -> String;
    /// left = alpha · op(a) · op(b), `sizes` are m, k, n; `turned` tells which side is transposed.
    fn product(&self, out: &str, sizes: [&str; 3], sides: [&str; 2], turned: [bool; 2]) -> String;
    /// A call of a helper that may fail.
    fn attempt(&self, call: &str) -> String;
    /// The dot product of two buffers; the norm of one.
    fn dot(&self, count: &str, a: &str, b: &str) -> String;
    /// The 2-norm of a buffer.
    fn norm(&self, count: &str, a: &str) -> String;
    /// The end of a statement.
    fn end(&self) -> &'static str {
        ";"
    }
    /// A comment.
    fn comment(&self, text: &str) -> String {
        format!("// {text}")
    }
}

/// A program over buffers.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) sizes: Sizes,
    pub(super) dimensions: HashMap<String, String>,
    /// The body, indented by four.
    pub(super) body: String,
    /// The numbers of entries of all buffers.
    pub(super) work: Vec<String>,
}

/// The program in those words.
pub(super) fn write(code: &mut Code, words: &dyn Words) -> Result<Written, EmitError> {
    let sizes = sizes(code);
    let code = &*code;
    let mut names = Names::new(words.reserved());
    let name = names.take(&code.name);
    let dimensions: HashMap<String, String> =
        sizes.names.iter().map(|(name, _)| (name.clone(), names.take(name))).collect();
    let inputs: Vec<String> = code.inputs.iter().map(|input| names.take(&input.name)).collect();
    let outputs: Vec<String> = code.outputs.iter().map(|output| names.take(&format!("{}_out", output.name))).collect();
    let stored = stored(code);
    let hosts = hosts(code, &stored);
    let mut writer = Writer {
        code,
        words,
        inputs: &inputs,
        dimensions: &dimensions,
        stored: &stored,
        hosts: &hosts,
        known: HashMap::default(),
        names: &mut names,
        body: String::new(),
        depth: 1,
        work: Vec::new(),
        unnamed: 0,
    };
    let roots = code.roots();
    let hosted: HashSet<Value> = hosts.values().copied().collect();
    let wanted = |v: &Value| stored.contains(v) && !hosted.contains(v);
    let mut order: Vec<Value> = code.needed(&roots).into_iter().filter(wanted).collect();
    order.sort_unstable();
    for value in order {
        writer.statement(value, &outputs)?;
    }
    for (place, output) in code.outputs.iter().enumerate() {
        writer.output(&outputs[place], output.value)?;
    }
    let (body, work) = (writer.body, writer.work);
    Ok(Written { name, inputs, outputs, sizes, dimensions, body, work })
}

/// Whether entries of a value can be computed one by one from entries of its operands.
pub(super) fn by_entries(code: &Code, value: Value) -> bool {
    match code.op(value) {
        Op::Product(..) | Op::Dot(..) | Op::Total(..) | Op::Softmax(..) | Op::Tensor(_) => false,
        Op::Matrix(op, _) => {
            matches!(op, MatrixOp::Lower | MatrixOp::Upper | MatrixOp::Diagonal | MatrixOp::DiagonalMatrix)
        }
        _ => true,
    }
}

fn is_atom(code: &Code, value: Value) -> bool {
    matches!(code.op(value), Op::Input(_) | Op::Number(_) | Op::Pi | Op::Euler | Op::Dimension(_))
}

/// The values that lie in a buffer or a variable of their own.
fn stored(code: &Code) -> HashSet<Value> {
    let roots = code.roots();
    let mut out: HashSet<Value> = lines(code, &roots, &|_, _, _| 1).into_iter().collect();
    out.retain(|&v| !matches!(code.op(v), Op::Identity | Op::Unit(_) | Op::Repeat(_)) || roots.contains(&v));
    for value in code.needed(&roots) {
        let whole = !by_entries(code, value);
        if whole {
            out.insert(value);
        }
        let mut operands = Vec::new();
        code.operands(value, |a| operands.push(a));
        for a in operands {
            let base = match *code.op(a) {
                Op::Transpose(inner) if matches!(code.op(value), Op::Product(..)) => inner,
                _ => a,
            };
            if is_atom(code, base) {
                continue;
            }
            // What sums by entries reads them once, all else reads a whole buffer.
            let reads_buffer = whole && !matches!(code.op(value), Op::Dot(..) | Op::Total(..));
            let smaller = code.shape(base) != code.shape(value)
                && !matches!(code.op(value), Op::Transpose(_) | Op::Dot(..) | Op::Total(..));
            let cheap = matches!(code.op(base), Op::Identity | Op::Unit(_) | Op::Transpose(_)) || code.is_size(base);
            if reads_buffer && !code.is_size(base) || smaller && !cheap {
                out.insert(base);
            }
        }
    }
    out
}

/// Whether an entry is made of the entries at the same place of what has the same shape.
fn is_pointwise(code: &Code, value: Value) -> bool {
    by_entries(code, value) && !matches!(code.op(value), Op::Transpose(_) | Op::Matrix(..))
}

/// By the value of a loop the product that it alone reads, at the place that it writes: it is made in the loop's buffer.
fn hosts(code: &Code, stored: &HashSet<Value>) -> HashMap<Value, Value> {
    let roots = code.roots();
    let needed = code.needed(&roots);
    let mut uses: HashMap<Value, usize> = HashMap::default();
    roots.iter().for_each(|&root| *uses.entry(root).or_default() += 1);
    needed.iter().for_each(|&value| code.operands(value, |a| *uses.entry(a).or_default() += 1));
    let mut out = HashMap::default();
    for &reader in needed.iter().filter(|v| stored.contains(v) && !code.shape(**v).is_scalar()) {
        let mut waiting = vec![reader];
        while let Some(value) = waiting.pop() {
            if !is_pointwise(code, value) {
                continue;
            }
            let mut product = None;
            code.operands(value, |a| {
                let alone = uses[&a] == 1 && code.shape(a) == code.shape(reader);
                if alone && !stored.contains(&a) {
                    waiting.push(a);
                } else if alone && matches!(code.op(a), Op::Product(..)) && code.label(a).is_none() {
                    product = Some(a);
                }
            });
            if let Some(product) = product {
                out.insert(reader, product);
                break;
            }
        }
    }
    out
}
