//! Which values get a name and a line of their own: those that a reader knows by name, those used more than once, and those
//! that would make a line too long. A program comes in, the values go out in an order of evaluation.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::code::{Code, Op, Value};

/// An expression of more parts gets lines of its own.
const LONGEST: usize = 14;

/// The values with a line of their own, operands first. `uses` tells how often a target's form of a value has an operand.
pub(super) fn lines(code: &Code, roots: &[Value], uses: &dyn Fn(&Code, Value, Value) -> usize) -> Vec<Value> {
    let needed = code.needed(roots);
    let mut counts: HashMap<Value, usize> = HashMap::default();
    roots.iter().for_each(|&root| *counts.entry(root).or_default() += 1);
    let mut named: HashSet<Value> = HashSet::default();
    for &value in needed.iter().rev() {
        let count = counts.get(&value).copied().unwrap_or(0);
        let own_line = !is_plain(code, value) && (code.label(value).is_some() || count > 1);
        if own_line {
            named.insert(value);
        }
        let times = if own_line { 1 } else { count };
        code.operands(value, |a| *counts.entry(a).or_default() += times * uses(code, value, a));
    }
    let mut sizes: HashMap<Value, usize> = HashMap::default();
    for &value in &needed {
        let mut size = 1;
        if !is_atom(code, value) {
            code.operands(value, |a| size += if named.contains(&a) { 1 } else { sizes[&a] });
        }
        if size > LONGEST && !is_plain(code, value) {
            named.insert(value);
        }
        sizes.insert(value, size);
    }
    needed.into_iter().filter(|value| named.contains(value)).collect()
}

/// What never gets a line: it is as short as a name.
pub(super) fn is_plain(code: &Code, value: Value) -> bool {
    match code.op(value) {
        Op::Transpose(_) => code.label(value).is_none(),
        _ => is_atom(code, value) || code.is_size(value),
    }
}

fn is_atom(code: &Code, value: Value) -> bool {
    matches!(code.op(value), Op::Input(_) | Op::Number(_) | Op::Pi | Op::Euler | Op::Dimension(_))
}
