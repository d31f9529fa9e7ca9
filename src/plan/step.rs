//! What is done to a block of rows, in order: the values of a region come in; products with what follows them in the same
//! sweep, softmax, and passes over entries go out. A pass does all element-wise operations of one width that can be done at
//! its place, and the sums over what it computes.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::graph::{Direction, Elementary, Graph, Operation, Reduction, SoftmaxPart, Use, ValueId};
use super::region::{Uses, operands};
use crate::functions::Function;
use crate::syntax::ast::Comparison;

/// A number times a scalar value, or a number alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The number.
    pub number: f64,
    /// The scalar value.
    pub value: Option<ValueId>,
}

impl Scale {
    /// 1.
    pub const ONE: Scale = Scale { number: 1.0, value: None };

    fn of(graph: &Graph, operand: Use) -> Scale {
        match graph.constant_of(operand) {
            Some(number) => Scale { number, value: None },
            None => Scale { number: 1.0, value: Some(operand.value) },
        }
    }
}

/// What a product does to each entry before it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// The larger of it and 0.
    Relu,
    /// It stays where this is above 0, and is 0 elsewhere.
    WhereAbove(Use),
    /// It is multiplied by this.
    Times(Use),
}

/// scale·left·right, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductStep {
    /// The left factor.
    pub left: Use,
    /// The right factor.
    pub right: Use,
    /// What scales the product.
    pub scale: Scale,
    /// What is added, scaled; repeated where it is smaller.
    pub added: Option<(Scale, Use)>,
    /// What is done then.
    pub then: Then,
    /// What is written.
    pub out: ValueId,
    /// The sums of its columns.
    pub sums: Option<ValueId>,
}

/// The softmax of rows in its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxStep {
    /// Of what.
    pub of: ValueId,
    /// The softmax.
    pub softmax: Option<ValueId>,
    /// Its logarithm.
    pub log: Option<ValueId>,
    /// The logarithms of the sums of exponentials.
    pub log_sum: Option<ValueId>,
}

/// Operations on entries that are done in one pass over a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// The width of the block.
    pub columns: usize,
    /// What is computed, operands first.
    pub maps: Vec<ValueId>,
    /// What of it is written to memory.
    pub stored: Vec<ValueId>,
    /// Sums and the like over what is computed or read.
    pub reductions: Vec<ValueId>,
}

/// One thing that is done to a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A matrix product.
    Product(Box<ProductStep>),
    /// A softmax.
    Softmax(SoftmaxStep),
    /// A pass over entries.
    Pass(Pass),
    /// Rows of the identity.
    Identity(ValueId),
    /// Rows of a one-hot matrix.
    Labels(ValueId),
    /// A transpose, as a whole.
    Transpose(ValueId),
    /// An operation of the reference, as a whole.
    Reference(ValueId),
}

impl Step {
    /// What it writes to memory, sums over rows included.
    pub fn writes(&self) -> Vec<ValueId> {
        match self {
            Step::Product(product) => [Some(product.out), product.sums].into_iter().flatten().collect(),
            Step::Softmax(softmax) => [softmax.softmax, softmax.log, softmax.log_sum].into_iter().flatten().collect(),
            Step::Pass(pass) => pass.stored.iter().chain(&pass.reductions).copied().collect(),
            Step::Identity(id) | Step::Labels(id) | Step::Transpose(id) | Step::Reference(id) => vec![*id],
        }
    }

    /// What it reads from memory.
    pub fn reads(&self, graph: &Graph) -> Vec<Use> {
        let plain = |value: ValueId| Use { value, transposed: false };
        match self {
            Step::Product(product) => {
                let mut out = vec![product.left, product.right];
                out.extend(product.scale.value.map(plain));
                if let Some((scale, added)) = product.added {
                    out.push(added);
                    out.extend(scale.value.map(plain));
                }
                match product.then {
                    Then::WhereAbove(of) | Then::Times(of) => out.push(of),
                    Then::Nothing | Then::Relu => {}
                }
                out
            }
            Step::Softmax(softmax) => vec![plain(softmax.of)],
            Step::Pass(pass) => pass.reads(graph),
            Step::Identity(_) | Step::Labels(_) => Vec::new(),
            Step::Transpose(id) | Step::Reference(id) => operands(graph, *id).into_iter().map(|(o, _)| o).collect(),
        }
    }
}

impl Pass {
    /// What it reads from memory, each once.
    pub fn reads(&self, graph: &Graph) -> Vec<Use> {
        let inside: HashSet<ValueId> = self.maps.iter().copied().collect();
        let mut out: Vec<Use> = Vec::new();
        for &id in self.maps.iter().chain(&self.reductions) {
            graph.value(id).operation.operands(|operand| {
                if !inside.contains(&operand.value) && graph.constant_of(operand).is_none() && !out.contains(&operand) {
                    out.push(operand);
                }
            });
        }
        out
    }
}

/// The steps that compute the values of a region, given in rising order.
pub(super) fn steps(graph: &Graph, uses: &Uses, values: &[ValueId], inside: &HashSet<ValueId>) -> Vec<Step> {
    let mut builder = Builder { graph, uses, inside, absorbed: HashSet::default(), products: HashMap::default() };
    for &id in values {
        if let Operation::Product(left, right) = graph.value(id).operation {
            builder.follow(id, left, right);
        }
    }
    let levels = builder.levels(values);
    builder.in_order(values, &levels)
}

struct Builder<'a> {
    graph: &'a Graph,
    uses: &'a Uses,
    inside: &'a HashSet<ValueId>,
    /// Values that a product computes on its way to what it writes, and the sums that it takes.
    absorbed: HashSet<ValueId>,
    /// Products by what they write.
    products: HashMap<ValueId, ProductStep>,
}

impl Builder<'_> {
    /// The only user of a value, where it is inside and the value is needed by nobody else.
    fn only_user(&self, id: ValueId) -> Option<ValueId> {
        match self.uses.of(id) {
            &[user] if !self.uses.output[id.0 as usize] && self.inside.contains(&user) => Some(user),
            _ => None,
        }
    }

    /// Takes into a product what follows it: a scale, what is added, a mask, the sums of its columns.
    fn follow(&mut self, id: ValueId, left: Use, right: Use) {
        let mut product = ProductStep {
            left,
            right,
            scale: Scale::ONE,
            added: None,
            then: Then::Nothing,
            out: id,
            sums: None,
        };
        while product.then == Then::Nothing {
            let Some(user) = self.only_user(product.out) else { break };
            if !self.take(&mut product, user) {
                break;
            }
            self.absorbed.insert(product.out);
            product.out = user;
        }
        let sums = self.uses.of(product.out).iter().copied().filter(|user| {
            let operation = &self.graph.value(*user).operation;
            matches!(operation, Operation::Reduce(Reduction::Sum, Direction::Columns, _)) && self.inside.contains(user)
        });
        if let Some(sums) = { sums }.next() {
            product.sums = Some(sums);
            self.absorbed.insert(sums);
        }
        self.products.insert(product.out, product);
    }

    /// Whether the product can do `user` before it writes; then it will.
    fn take(&self, product: &mut ProductStep, user: ValueId) -> bool {
        let graph = self.graph;
        let Operation::Map(elementary, list) = &graph.value(user).operation else { return false };
        if graph.shape(user) != graph.shape(product.out) {
            return false;
        }
        let own = |operand: Use| operand.value == product.out;
        let other = match list.as_ref() {
            &[_] => None,
            &[a, b] if own(a) && !own(b) => Some((b, true)),
            &[a, b] if own(b) && !own(a) => Some((a, false)),
            _ => return false,
        };
        match (elementary, other) {
            (Elementary::Function(Function::Relu), None) => product.then = Then::Relu,
            (Elementary::Multiply, Some((b, _))) if graph.use_shape(b) == (1, 1) && product.added.is_none() => {
                if product.scale != Scale::ONE {
                    return false;
                }
                product.scale = Scale::of(graph, b);
            }
            (Elementary::Multiply, Some((b, _))) if graph.use_shape(b) == graph.shape(user) => {
                product.then = match self.mask(b) {
                    Some(of) => Then::WhereAbove(of),
                    None => Then::Times(b),
                };
            }
            (Elementary::Add | Elementary::Subtract, Some((b, first))) if product.added.is_none() => {
                let (mut scale, mut added) = (Scale::ONE, b);
                if let Operation::Map(Elementary::Multiply, inner) = &graph.value(b.value).operation
                    && graph.use_shape(inner[0]) == (1, 1)
                    && self.only_user(b.value).is_some()
                {
                    scale = Scale::of(graph, inner[0]);
                    added = Use { transposed: inner[1].transposed != b.transposed, ..inner[1] };
                }
                if *elementary == Elementary::Subtract {
                    if first {
                        scale.number = -scale.number;
                    } else {
                        product.scale.number = -product.scale.number;
                    }
                }
                product.added = Some((scale, added));
            }
            _ => return false,
        }
        true
    }

    /// The M of a mask M > 0 that only this product reads.
    fn mask(&self, of: Use) -> Option<Use> {
        let Operation::Map(Elementary::Compare(Comparison::Greater), list) = &self.graph.value(of.value).operation else {
            return None;
        };
        let is_zero = self.graph.constant_of(list[1]) == Some(0.0);
        let full = self.graph.use_shape(list[0]) == self.graph.use_shape(of);
        (is_zero && full && !of.transposed && self.only_user(of.value).is_some()).then_some(list[0])
    }

    /// Whether a value is computed by a step of its own kind, not by a pass.
    fn is_primary(&self, id: ValueId) -> bool {
        self.products.contains_key(&id)
            || !matches!(self.graph.value(id).operation, Operation::Map(..) | Operation::Reduce(..))
    }

    /// What must be there before a value's step, from within the region.
    fn needs(&self, id: ValueId) -> Vec<ValueId> {
        let mut out: Vec<ValueId> = match self.products.get(&id) {
            Some(product) => {
                let step = Step::Product(Box::new(product.clone()));
                step.reads(self.graph).into_iter().map(|o| o.value).collect()
            }
            None => operands(self.graph, id).into_iter().map(|(o, _)| o.value).collect(),
        };
        out.retain(|operand| self.inside.contains(operand));
        out
    }

    /// At which level each value is computed: within a level first what has steps of its own, then the passes.
    fn levels(&mut self, values: &[ValueId]) -> HashMap<ValueId, usize> {
        let graph = self.graph;
        // What a product took in place of another value's work is not computed for it.
        let mut wanted: HashSet<ValueId> = HashSet::default();
        for &id in values.iter().rev() {
            let operation = &graph.value(id).operation;
            let used_outside = self.uses.output[id.0 as usize]
                || self.uses.of(id).iter().any(|user| !self.inside.contains(user))
                || super::region::is_sum_over_rows(operation);
            if (used_outside || wanted.contains(&id)) && !self.absorbed.contains(&id) {
                wanted.insert(id);
                wanted.extend(self.needs(id));
            } else if !self.absorbed.contains(&id) {
                // Nobody inside reads it any more.
                self.absorbed.insert(id);
            }
        }
        let mut levels: HashMap<ValueId, usize> = HashMap::default();
        for &id in values {
            if self.absorbed.contains(&id) {
                continue;
            }
            let primary = self.is_primary(id);
            let mut level = 0;
            for operand in self.needs(id) {
                let of = levels.get(&operand).copied().unwrap_or(0);
                let by_pass = !self.is_primary(operand);
                let reduced = matches!(graph.value(operand).operation, Operation::Reduce(..));
                level = level.max(if by_pass && (primary || reduced) { of + 1 } else { of });
            }
            levels.insert(id, level);
        }
        self.delay(values, &mut levels);
        levels
    }

    /// Cheap operations on what is kept anyway are done where their result is read, so that it is not kept too.
    fn delay(&self, values: &[ValueId], levels: &mut HashMap<ValueId, usize>) {
        for &id in values.iter().rev() {
            let Operation::Map(elementary, _) = &self.graph.value(id).operation else { continue };
            let costly = matches!(elementary, Elementary::Function(f) if *f != Function::Relu && *f != Function::Step)
                || matches!(elementary, Elementary::Power | Elementary::Divide);
            if costly || self.is_primary(id) || self.absorbed.contains(&id) || self.uses.output[id.0 as usize] {
                continue;
            }
            let users = self.uses.of(id);
            let own = levels[&id];
            let mut latest: Option<usize> = None;
            for user in users {
                let Some(&level) = levels.get(user).filter(|_| !self.is_primary(*user)) else {
                    latest = None;
                    break;
                };
                latest = Some(latest.map_or(level, |l: usize| l.min(level)));
            }
            let Some(latest) = latest.filter(|&l| l > own) else { continue };
            let needs = self.needs(id);
            let kept_anyway = |operand: &ValueId| {
                let used_later = |user: &ValueId| levels.get(user).is_none_or(|&level| level >= latest) && *user != id;
                self.uses.output[operand.0 as usize] || self.uses.of(*operand).iter().any(used_later)
            };
            if needs.iter().all(kept_anyway) {
                levels.insert(id, latest);
            }
        }
    }

    fn in_order(&mut self, values: &[ValueId], levels: &HashMap<ValueId, usize>) -> Vec<Step> {
        let graph = self.graph;
        let last = levels.values().copied().max().unwrap_or(0);
        let mut out: Vec<Step> = Vec::new();
        for level in 0..=last {
            let here: Vec<ValueId> = values.iter().copied().filter(|id| levels.get(id) == Some(&level)).collect();
            for &id in here.iter().filter(|id| self.is_primary(**id)) {
                self.primary(id, &mut out);
            }
            let mut passes: Vec<Pass> = Vec::new();
            for &id in here.iter().filter(|id| !self.is_primary(**id)) {
                let (columns, reduction) = match graph.value(id).operation {
                    Operation::Reduce(_, _, operand) => (graph.shape(operand).1, true),
                    _ => (graph.shape(id).1, false),
                };
                let place = passes.iter().position(|pass| pass.columns == columns).unwrap_or_else(|| {
                    passes.push(Pass { columns, maps: Vec::new(), stored: Vec::new(), reductions: Vec::new() });
                    passes.len() - 1
                });
                let list = if reduction { &mut passes[place].reductions } else { &mut passes[place].maps };
                list.push(id);
            }
            // One number for each row may be read by wider passes of the same level.
            passes.sort_by_key(|pass| pass.columns);
            out.extend(passes.into_iter().map(Step::Pass));
        }
        self.store(&mut out);
        out
    }

    fn primary(&mut self, id: ValueId, out: &mut Vec<Step>) {
        if let Some(product) = self.products.get(&id) {
            out.push(Step::Product(Box::new(product.clone())));
            return;
        }
        match self.graph.value(id).operation {
            Operation::Softmax(part, of) => {
                let known = out.iter_mut().find_map(|step| match step {
                    Step::Softmax(softmax) if softmax.of == of => Some(softmax),
                    _ => None,
                });
                let set = |softmax: &mut SoftmaxStep| match part {
                    SoftmaxPart::Softmax => softmax.softmax = Some(id),
                    SoftmaxPart::LogSoftmax => softmax.log = Some(id),
                    SoftmaxPart::LogSumExp => softmax.log_sum = Some(id),
                };
                match known {
                    Some(softmax) => set(softmax),
                    None => {
                        let mut softmax = SoftmaxStep { of, softmax: None, log: None, log_sum: None };
                        set(&mut softmax);
                        out.push(Step::Softmax(softmax));
                    }
                }
            }
            Operation::Identity => out.push(Step::Identity(id)),
            Operation::Labels(_) => out.push(Step::Labels(id)),
            Operation::Transpose(_) => out.push(Step::Transpose(id)),
            _ => out.push(Step::Reference(id)),
        }
    }

    /// Finds what of each pass is read elsewhere.
    fn store(&self, steps: &mut [Step]) {
        let mut read: Vec<HashSet<ValueId>> = Vec::with_capacity(steps.len());
        for step in steps.iter() {
            read.push(step.reads(self.graph).into_iter().map(|o| o.value).collect());
        }
        for (place, step) in steps.iter_mut().enumerate() {
            let Step::Pass(pass) = step else { continue };
            let elsewhere = |id: &&ValueId| {
                self.uses.output[id.0 as usize]
                    || self.uses.of(**id).iter().any(|user| !self.inside.contains(user))
                    || read.iter().enumerate().any(|(other, list)| other != place && list.contains(*id))
            };
            pass.stored = pass.maps.iter().filter(elsewhere).copied().collect();
        }
    }
}
