//! In which steps the values of a region are computed, and in which order: values come in; products with what follows them in
//! the same sweep, softmax, and passes over entries go out. A pass does all element-wise operations of one width that can be
//! done at its place, and the sums over what it computes.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::graph::{Direction, Elementary, Graph, Operation, Reduction, SoftmaxPart, Use, ValueId};
use super::region::{Uses, is_given, is_sum_over_rows, operands};
use super::step::{Pass, ProductStep, Scale, SoftmaxStep, Step, Then};
use crate::functions::Function;
use crate::syntax::ast::Comparison;

/// A pass computes no more values than this.
const MOST_MAPS: usize = 20;
/// A pass takes no more sums than this.
const MOST_REDUCTIONS: usize = 8;
/// A pass reads no more arrays than this.
const MOST_READS: usize = 20;

/// The steps that compute the values of a region, given in rising order.
pub(super) fn steps(graph: &Graph, uses: &Uses, values: &[ValueId], inside: &HashSet<ValueId>) -> Vec<Step> {
    let mut builder = Builder {
        graph,
        uses,
        inside,
        absorbed: HashSet::default(),
        products: HashMap::default(),
        summed: HashMap::default(),
        softmaxes: Vec::new(),
        taken: HashSet::default(),
    };
    builder.softmaxes(values);
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
    /// What a product writes, by the sums that it takes.
    summed: HashMap<ValueId, ValueId>,
    /// The softmaxes.
    softmaxes: Vec<SoftmaxStep>,
    /// What some step does on its way: no other may do it too.
    taken: HashSet<ValueId>,
}

impl Builder<'_> {
    /// The only user of a value, where it is inside and the value is needed by nobody else.
    fn only_user(&self, id: ValueId) -> Option<ValueId> {
        match self.uses.of(id) {
            &[user] if !self.uses.output[id.0 as usize] && self.inside.contains(&user) => Some(user),
            _ => None,
        }
    }

    /// Finds the softmaxes with all that is done at once with them.
    fn softmaxes(&mut self, values: &[ValueId]) {
        for &id in values {
            let Operation::Softmax(part, of) = self.graph.value(id).operation else { continue };
            let known = self.softmaxes.iter().position(|softmax| softmax.of == of);
            let place = known.unwrap_or_else(|| {
                self.softmaxes.push(SoftmaxStep::new(of));
                self.softmaxes.len() - 1
            });
            let softmax = &mut self.softmaxes[place];
            match part {
                SoftmaxPart::Softmax => softmax.softmax = Some(id),
                SoftmaxPart::LogSoftmax => softmax.log = Some(id),
                SoftmaxPart::LogSumExp => softmax.log_sum = Some(id),
            }
        }
        for place in 0..self.softmaxes.len() {
            self.likelihood(place);
            self.difference(place);
        }
    }

    /// The other operand of an operation on two arrays of one shape, neither transposed.
    fn other(&self, id: ValueId, wanted: Elementary, own: ValueId) -> Option<(ValueId, bool)> {
        let Operation::Map(elementary, list) = &self.graph.value(id).operation else { return None };
        let &[a, b] = list.as_ref() else { return None };
        let alike = self.graph.use_shape(a) == self.graph.use_shape(b) && !a.transposed && !b.transposed;
        if *elementary != wanted || !alike || a == b {
            return None;
        }
        if a.value == own { Some((b.value, true)) } else { (b.value == own).then_some((a.value, false)) }
    }

    /// Σ Y .* log(P) is taken with the softmax where nobody else reads log(P).
    fn likelihood(&mut self, place: usize) {
        let Some(log) = self.softmaxes[place].log else { return };
        let Some(products) = self.only_user(log) else { return };
        let Some((target, _)) = self.other(products, Elementary::Multiply, log) else { return };
        let Some(sum) = self.only_user(products) else { return };
        if matches!(self.graph.value(sum).operation, Operation::Reduce(Reduction::Sum, Direction::All, _))
            && self.is_target(target)
        {
            let softmax = &mut self.softmaxes[place];
            (softmax.log, softmax.target, softmax.likelihood) = (None, Some(target), Some(sum));
            self.absorbed.extend([log, products]);
            self.taken.extend([products, sum]);
        }
    }

    /// s·(P − Y) is taken with the softmax.
    fn difference(&mut self, place: usize) {
        let Some(softmax) = self.softmaxes[place].softmax else { return };
        for &user in self.uses.of(softmax) {
            let Some((target, true)) = self.other(user, Elementary::Subtract, softmax) else { continue };
            let same = self.softmaxes[place].target.is_none_or(|known| known == target);
            if !same || !self.inside.contains(&user) || self.taken.contains(&user) || !self.is_target(target) {
                continue;
            }
            let (mut scale, mut out) = (Scale::ONE, user);
            if let Some(scaled) = self.only_user(user)
                && let Operation::Map(Elementary::Multiply, list) = &self.graph.value(scaled).operation
                && self.graph.use_shape(list[0]) == (1, 1)
                && list[1] == (Use { value: user, transposed: false })
            {
                (scale, out) = (Scale::of(self.graph, list[0]), scaled);
                self.absorbed.insert(user);
            }
            self.taken.extend([user, out]);
            if self.only_user(softmax) == Some(user) {
                self.absorbed.insert(softmax);
                self.softmaxes[place].softmax = None;
            }
            let softmax = &mut self.softmaxes[place];
            (softmax.target, softmax.difference) = (Some(target), Some((scale, out)));
            return;
        }
    }

    /// Whether a value lies there before the softmax is taken: it does not stand on it.
    fn is_target(&self, target: ValueId) -> bool {
        let given = is_given(&self.graph.value(target).operation);
        let labels = matches!(self.graph.value(target).operation, Operation::Labels(_));
        given || labels || !self.inside.contains(&target)
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
            squares: None,
        };
        while product.then == Then::Nothing {
            let Some(user) = self.only_user(product.out) else { break };
            if self.taken.contains(&user) || !self.take(&mut product, user) {
                break;
            }
            self.taken.insert(user);
            self.absorbed.insert(product.out);
            product.out = user;
        }
        let sums = self.uses.of(product.out).iter().copied().filter(|user| {
            let operation = &self.graph.value(*user).operation;
            matches!(operation, Operation::Reduce(Reduction::Sum, Direction::Columns, _)) && self.inside.contains(user)
        });
        if let Some(sums) = { sums }.next() {
            product.sums = Some(sums);
            self.summed.insert(sums, product.out);
            self.absorbed.insert(sums);
        }
        self.squares(&mut product);
        self.products.insert(product.out, product);
    }

    /// The sum of the squares of what is added is taken while it is read, as of the weights whose gradient has their penalty.
    fn squares(&mut self, product: &mut ProductStep) {
        let Some((_, added)) = product.added else { return };
        if added.transposed || self.graph.use_shape(added) != self.graph.shape(product.out) {
            return;
        }
        for &square in self.uses.of(added.value) {
            let is_square = matches!(&self.graph.value(square).operation,
                Operation::Map(Elementary::Multiply, list) if *list.as_ref() == [added, added]);
            if !is_square || !self.inside.contains(&square) || self.taken.contains(&square) {
                continue;
            }
            let Some(sum) = self.only_user(square) else { continue };
            if matches!(self.graph.value(sum).operation, Operation::Reduce(Reduction::Sum, Direction::All, _)) {
                product.squares = Some(sum);
                self.summed.insert(sum, product.out);
                self.taken.extend([square, sum]);
                self.absorbed.extend([square, sum]);
                return;
            }
        }
    }

    /// Whether the product can do `user` before it writes; then it will.
    fn take(&mut self, product: &mut ProductStep, user: ValueId) -> bool {
        let graph = self.graph;
        let Operation::Map(elementary, list) = &graph.value(user).operation else { return false };
        if graph.shape(user) != graph.shape(product.out) {
            return false;
        }
        let own = |operand: Use| operand.value == product.out;
        let other = match *list.as_ref() {
            [_] => None,
            [a, b] if own(a) && !own(b) => Some((b, true)),
            [a, b] if own(b) && !own(a) => Some((a, false)),
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
                    && self.inside.contains(&b.value)
                    && !self.taken.contains(&b.value)
                    && self.only_user(b.value).is_some()
                {
                    self.taken.insert(b.value);
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
        let Operation::Map(Elementary::Compare(Comparison::Greater), list) = &self.graph.value(of.value).operation
        else {
            return None;
        };
        let is_zero = self.graph.constant_of(list[1]) == Some(0.0);
        let full = self.graph.use_shape(list[0]) == self.graph.use_shape(of);
        (is_zero && full && !of.transposed && self.inside.contains(&of.value)).then_some(list[0])
    }

    /// Whether a value is computed by a step of its own kind, not by a pass.
    fn is_primary(&self, id: ValueId) -> bool {
        self.products.contains_key(&id)
            || self.softmax_of(id).is_some()
            || !matches!(self.graph.value(id).operation, Operation::Map(..) | Operation::Reduce(..))
    }

    /// The softmax that gives a value.
    fn softmax_of(&self, id: ValueId) -> Option<&SoftmaxStep> {
        self.softmaxes.iter().find(|softmax| softmax.gives().any(|given| given == id))
    }

    /// What must be there before a value's step, from within the region.
    fn needs(&self, id: ValueId) -> Vec<ValueId> {
        let step = match (self.products.get(&id), self.softmax_of(id)) {
            (Some(product), _) => Some(Step::Product(Box::new(product.clone()))),
            (None, Some(softmax)) => Some(Step::Softmax(softmax.clone())),
            (None, None) => None,
        };
        let mut out: Vec<ValueId> = match step {
            Some(step) => step.reads(self.graph).into_iter().map(|o| o.value).collect(),
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
                || is_sum_over_rows(operation);
            if (used_outside || wanted.contains(&id)) && !self.absorbed.contains(&id) {
                wanted.insert(id);
                wanted.extend(self.needs(id));
            } else if let Some(&out) = self.summed.get(&id) {
                wanted.insert(out);
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

    fn in_order(&self, values: &[ValueId], levels: &HashMap<ValueId, usize>) -> Vec<Step> {
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
            passes.into_iter().for_each(|pass| self.cut(pass, &mut out));
        }
        self.store(&mut out);
        out
    }

    fn primary(&self, id: ValueId, out: &mut Vec<Step>) {
        if let Some(product) = self.products.get(&id) {
            out.push(Step::Product(Box::new(product.clone())));
            return;
        }
        if let Some(softmax) = self.softmax_of(id) {
            let step = Step::Softmax(softmax.clone());
            if !out.contains(&step) {
                out.push(step);
            }
            return;
        }
        match self.graph.value(id).operation {
            Operation::Accumulate(left, right) => out.push(Step::Accumulate { left, right, out: id }),
            Operation::Identity => out.push(Step::Identity(id)),
            Operation::Labels(_) => out.push(Step::Labels(id)),
            Operation::Transpose(_) => out.push(Step::Transpose(id)),
            _ => out.push(Step::Reference(id)),
        }
    }

    /// Cuts a pass into passes that the processor's kernels can hold.
    fn cut(&self, pass: Pass, out: &mut Vec<Step>) {
        let empty = || Pass { columns: pass.columns, maps: Vec::new(), stored: Vec::new(), reductions: Vec::new() };
        let mut list: Vec<(ValueId, bool)> = pass.maps.iter().map(|&id| (id, false)).collect();
        list.extend(pass.reductions.iter().map(|&id| (id, true)));
        // A reduction has a larger number than what it reads.
        list.sort_unstable();
        let mut part = empty();
        for (id, reduction) in list {
            let mut larger = part.clone();
            if reduction {
                larger.reductions.push(id)
            } else {
                larger.maps.push(id)
            }
            let fits = larger.maps.len() <= MOST_MAPS
                && larger.reductions.len() <= MOST_REDUCTIONS
                && larger.reads(self.graph).len() <= MOST_READS;
            if fits {
                part = larger;
            } else {
                out.push(Step::Pass(std::mem::replace(&mut part, empty())));
                if reduction { part.reductions.push(id) } else { part.maps.push(id) }
            }
        }
        if !(part.maps.is_empty() && part.reductions.is_empty()) {
            out.push(Step::Pass(part));
        }
    }

    /// Finds what of each pass is read elsewhere.
    fn store(&self, steps: &mut [Step]) {
        let mut readers: HashMap<ValueId, Vec<usize>> = HashMap::default();
        for (place, step) in steps.iter().enumerate() {
            for operand in step.reads(self.graph) {
                readers.entry(operand.value).or_default().push(place);
            }
        }
        for (place, step) in steps.iter_mut().enumerate() {
            let Step::Pass(pass) = step else { continue };
            let elsewhere = |id: &&ValueId| {
                self.uses.output[id.0 as usize]
                    || self.uses.of(**id).iter().any(|user| !self.inside.contains(user))
                    || readers.get(*id).is_some_and(|places| places.iter().any(|&other| other != place))
            };
            pass.stored = pass.maps.iter().filter(elsewhere).copied().collect();
        }
    }
}
