//! Which operations are done together: values of the graph come in; stages of regions go out. A region is a set of operations
//! that can be done rows by rows, row i of each needing row i of what came before in the region, and any row of what was
//! done in earlier stages. Sums over rows end in a region and are whole in the next stage.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::graph::{Direction, Graph, Operation, Use, ValueId};
use super::step::Step;
use super::{Output, Region, Request, Stage, follow};

/// Blocks of products are a multiple of this many rows.
const ROWS_OF_A_TILE: usize = 24;
/// Right factors of products with fewer bytes stay in a core's second cache beside a block.
const KEPT_RIGHT_FACTORS: usize = 256 << 10;
/// Blocks have at least so many rows where the right factors do not stay there.
const LEAST_ROWS: usize = 1032;

/// A region on the way.
struct Draft {
    rows: usize,
    stage: usize,
    /// In rising order.
    values: Vec<ValueId>,
    /// Whether it may take others in: what is only done as a whole may not.
    open: bool,
}

/// How often and where each value is used.
pub(super) struct Uses {
    /// Which values are needed at all.
    pub(super) live: Vec<bool>,
    /// By whom, one entry for each operand.
    pub(super) by: Vec<Vec<ValueId>>,
    /// Whether it is a result.
    pub(super) output: Vec<bool>,
}

impl Uses {
    fn new(graph: &Graph, outputs: &[Output]) -> Uses {
        let count = graph.values().len();
        let mut uses = Uses { live: vec![false; count], by: vec![Vec::new(); count], output: vec![false; count] };
        for output in outputs {
            uses.live[output.value.0 as usize] = true;
            uses.output[output.value.0 as usize] = true;
        }
        for i in (0..count).rev() {
            if uses.live[i] {
                graph.values()[i].operation.operands(|operand| {
                    let o = operand.value.0 as usize;
                    uses.live[o] = true;
                    uses.by[o].push(ValueId(i as u32));
                });
            }
        }
        uses
    }

    pub(super) fn of(&self, id: ValueId) -> &[ValueId] {
        &self.by[id.0 as usize]
    }
}

/// What lies there before a run: inputs and numbers.
pub(super) fn is_given(operation: &Operation) -> bool {
    matches!(operation, Operation::Input(_) | Operation::Constant(_))
}

/// A sum over rows: whole only when all rows are done.
pub(super) fn is_sum_over_rows(operation: &Operation) -> bool {
    matches!(operation, Operation::Reduce(_, Direction::Columns | Direction::All, _) | Operation::Accumulate(..))
}

/// How many rows the work of a value has; `None` where it is not done row by row.
fn rows_of_work(graph: &Graph, id: ValueId) -> Option<usize> {
    let value = graph.value(id);
    match value.operation {
        Operation::Reduce(_, _, operand) | Operation::Accumulate(operand, _) => Some(graph.shape(operand).0),
        Operation::Transpose(_) | Operation::Reference(..) => None,
        _ => Some(value.rows),
    }
}

/// Whether row i of the value needs only row i of the operand.
pub(super) fn is_aligned(graph: &Graph, id: ValueId, operand: Use, first: bool) -> bool {
    let value = graph.value(id);
    match value.operation {
        Operation::Product(..) => first && !operand.transposed,
        Operation::Transpose(_) | Operation::Reference(..) => false,
        Operation::Map(..) => {
            let (rows, _) = graph.shape(operand.value);
            rows == value.rows && (!operand.transposed || rows == 1)
        }
        _ => true,
    }
}

/// The operands of a value, each with whether it is aligned.
pub(super) fn operands(graph: &Graph, id: ValueId) -> Vec<(Use, bool)> {
    let mut out = Vec::new();
    graph.value(id).operation.operands(|operand| {
        let aligned = is_aligned(graph, id, operand, out.is_empty());
        out.push((operand, aligned));
    });
    out
}

/// Operations on numbers that a value takes, each counted as one.
pub(super) fn operations(graph: &Graph, id: ValueId) -> f64 {
    let value = graph.value(id);
    let entries = value.rows as f64 * value.columns as f64;
    match &value.operation {
        Operation::Input(_) | Operation::Constant(_) => 0.0,
        Operation::Product(left, _) => 2.0 * entries * graph.use_shape(*left).1 as f64,
        Operation::Accumulate(left, _) => 2.0 * entries * graph.shape(*left).0 as f64,
        Operation::Reduce(_, _, operand) => {
            let (rows, columns) = graph.shape(*operand);
            rows as f64 * columns as f64
        }
        Operation::Softmax(_, operand) => {
            let (rows, columns) = graph.shape(*operand);
            4.0 * rows as f64 * columns as f64
        }
        Operation::Reference(_, list) => {
            // Factorisations and the like grow with the cube; nothing depends on the exact number.
            let largest = list.iter().map(|&o| graph.use_shape(o)).map(|(m, n)| m.max(n) as f64).fold(1.0, f64::max);
            entries.max(largest * largest * largest)
        }
        _ => entries,
    }
}

/// The stages that compute the outputs.
pub(super) fn stages(graph: &Graph, outputs: &[Output], request: &Request<'_>) -> Vec<Stage> {
    let uses = Uses::new(graph, outputs);
    let mut drafting =
        Drafting { graph, uses: &uses, drafts: Vec::new(), home: HashMap::default(), deferred: HashSet::default() };
    for i in 0..graph.values().len() {
        let id = ValueId(i as u32);
        if !uses.live[i] || is_given(&graph.value(id).operation) {
            continue;
        }
        if drafting.may_be_deferred(id) {
            drafting.deferred.insert(id);
        } else {
            drafting.place(id);
        }
    }
    let Drafting { mut drafts, mut home, .. } = drafting;
    move_to_readers(graph, &uses, &mut drafts, &mut home);
    wait(graph, &uses, &mut drafts, &home, request);
    join_over_shared_inputs(graph, &uses, &mut drafts, &mut home, request);
    let last = drafts.iter().map(|draft| draft.stage + 1).max().unwrap_or(0);
    let mut stages: Vec<Stage> = (0..last).map(|_| Stage { regions: Vec::new(), gathers: Vec::new() }).collect();
    for draft in drafts.iter().filter(|draft| !draft.values.is_empty()) {
        let inside: HashSet<ValueId> = draft.values.iter().copied().collect();
        stages[draft.stage].regions.push(region(graph, &uses, draft, &inside, request));
    }
    stages.retain(|stage| !stage.regions.is_empty());
    stages
}

/// Values on their way into drafts.
struct Drafting<'a> {
    graph: &'a Graph,
    uses: &'a Uses,
    drafts: Vec<Draft>,
    /// The draft of each value.
    home: HashMap<ValueId, usize>,
    /// Operations that go where their only reader goes.
    deferred: HashSet<ValueId>,
}

impl Drafting<'_> {
    /// Whether an operation on the entries of at most one array is best done where its only reader is: its result is then
    /// not kept.
    fn may_be_deferred(&self, id: ValueId) -> bool {
        let (graph, value) = (self.graph, self.graph.value(id));
        let by_rows = |user: &ValueId| {
            rows_of_work(graph, *user) == Some(value.rows)
                && operands(graph, *user).into_iter().all(|(operand, aligned)| operand.value != id || aligned)
        };
        if matches!(value.operation, Operation::Labels(_) | Operation::Identity) {
            return !self.uses.output[id.0 as usize] && self.uses.of(id).iter().all(by_rows);
        }
        let (Operation::Map(..), &[user]) = (&value.operation, self.uses.of(id)) else { return false };
        if self.uses.output[id.0 as usize] || value.rows == 1 || !by_rows(&user) {
            return false;
        }
        let arrays: HashSet<ValueId> = operands(graph, id)
            .into_iter()
            .filter(|(operand, aligned)| *aligned && !self.deferred.contains(&operand.value))
            .map(|(operand, _)| operand.value)
            .collect();
        arrays.len() <= 1
    }

    /// The operands of a value, with those of deferred operations in their place, and these operations.
    fn operands(&self, id: ValueId) -> (Vec<(Use, bool)>, Vec<ValueId>) {
        let (mut out, mut with) = (Vec::new(), Vec::new());
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            for (operand, aligned) in operands(self.graph, id) {
                if self.deferred.contains(&operand.value) && !self.home.contains_key(&operand.value) {
                    with.push(operand.value);
                    open.push(operand.value);
                } else {
                    out.push((operand, aligned));
                }
            }
        }
        with.sort_unstable();
        with.dedup();
        (out, with)
    }

    /// Puts a value, and the deferred operations that it reads, into a draft that has its rows already, or into a new one.
    fn place(&mut self, id: ValueId) {
        let (operands, with) = self.operands(id);
        let place = self.draft_for(id, &operands);
        for id in with.into_iter().chain([id]) {
            self.drafts[place].values.push(id);
            self.home.insert(id, place);
        }
        self.drafts[place].values.sort_unstable();
    }

    /// Joins a draft to one of the same rows, where nobody stands between them.
    fn merge(&mut self, earlier: usize, later: usize) {
        let values = &self.drafts[earlier].values;
        if earlier == later || values.is_empty() {
            return;
        }
        if may_wait(self.graph, self.uses, &self.drafts, &self.home, earlier, later) {
            move_all(&mut self.drafts, &mut self.home, earlier, later);
        }
    }

    fn draft_for(&mut self, id: ValueId, operands: &[(Use, bool)]) -> usize {
        let graph = self.graph;
        let whole = |operand: Use| is_sum_over_rows(&graph.value(operand.value).operation);
        let rows = rows_of_work(graph, id);
        let mut earliest = 0;
        let mut candidates: Vec<usize> = Vec::new();
        for &(operand, aligned) in operands {
            let Some(&place) = self.home.get(&operand.value) else { continue };
            let draft = &self.drafts[place];
            earliest = earliest.max(draft.stage + 1);
            if aligned && !whole(operand) && draft.open && rows == Some(draft.rows) {
                candidates.push(place);
            }
        }
        let best = candidates.iter().copied().max_by_key(|&place| self.drafts[place].stage);
        if let Some(best) = best {
            for other in candidates {
                self.merge(other, best);
            }
        }
        if let Some(best) = best {
            let stage = self.drafts[best].stage;
            let fits = operands.iter().all(|&(operand, aligned)| match self.home.get(&operand.value) {
                None => true,
                Some(&place) if place == best => aligned && !whole(operand),
                Some(&place) => self.drafts[place].stage < stage,
            });
            if fits {
                return best;
            }
        }
        // Scalars of one stage are done together.
        if rows == Some(1)
            && let Some(place) = self.drafts.iter().rposition(|d| d.open && d.rows == 1 && d.stage == earliest)
        {
            return place;
        }
        self.drafts.push(Draft { rows: rows.unwrap_or(1), stage: earliest, values: Vec::new(), open: rows.is_some() });
        self.drafts.len() - 1
    }
}

/// Joins regions of the same rows that read the same large input: it is read once. The earlier one waits for the later where
/// nobody else waits for it.
fn join_over_shared_inputs(
    graph: &Graph,
    uses: &Uses,
    drafts: &mut [Draft],
    home: &mut HashMap<ValueId, usize>,
    request: &Request<'_>,
) {
    let mut readers: HashMap<ValueId, Vec<usize>> = HashMap::default();
    for (place, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.open && draft.rows > 1) {
        for &id in &draft.values {
            for (operand, aligned) in operands(graph, id) {
                let (rows, columns) = graph.shape(operand.value);
                let outside = home.get(&operand.value) != Some(&place);
                if aligned && outside && rows * columns >= request.tuning.joined_from {
                    let list = readers.entry(operand.value).or_default();
                    if list.last() != Some(&place) {
                        list.push(place);
                    }
                }
            }
        }
    }
    let mut shared: Vec<(ValueId, Vec<usize>)> = readers.into_iter().filter(|(_, list)| list.len() > 1).collect();
    shared.sort_unstable();
    for (_, mut list) in shared {
        list.retain(|&place| !drafts[place].values.is_empty());
        list.sort_by_key(|&place| drafts[place].stage);
        let Some(mut later) = list.pop() else { continue };
        for &earlier in list.iter().rev() {
            if earlier == later || drafts[earlier].rows != drafts[later].rows {
                continue;
            }
            if may_wait(graph, uses, drafts, home, earlier, later) {
                move_all(drafts, home, earlier, later);
            } else if may_hurry(graph, drafts, home, earlier, later) {
                move_all(drafts, home, later, earlier);
                later = earlier;
            } else {
                later = earlier;
            }
        }
    }
}

fn move_all(drafts: &mut [Draft], home: &mut HashMap<ValueId, usize>, from: usize, to: usize) {
    let moved = std::mem::take(&mut drafts[from].values);
    moved.iter().for_each(|&id| {
        home.insert(id, to);
    });
    drafts[to].values.extend(moved);
    drafts[to].values.sort_unstable();
}

/// Whether all that the later region reads is there when the earlier one is done, or is made by it row by row.
fn may_hurry(graph: &Graph, drafts: &[Draft], home: &HashMap<ValueId, usize>, earlier: usize, later: usize) -> bool {
    drafts[later].values.iter().all(|&id| {
        operands(graph, id).iter().all(|&(operand, aligned)| match home.get(&operand.value) {
            None => true,
            Some(&place) if place == later => true,
            Some(&place) if place == earlier => aligned && !is_sum_over_rows(&graph.value(operand.value).operation),
            Some(&place) => drafts[place].stage < drafts[earlier].stage,
        })
    })
}

/// Whether nobody needs what one region does before another is done, and that one only row by row.
fn may_wait(
    graph: &Graph,
    uses: &Uses,
    drafts: &[Draft],
    home: &HashMap<ValueId, usize>,
    earlier: usize,
    later: usize,
) -> bool {
    drafts[earlier].values.iter().all(|&id| {
        uses.of(id).iter().all(|user| {
            // Who is not placed yet will come later.
            let Some(&place) = home.get(user).filter(|&&place| place != earlier) else { return true };
            if place == later {
                let whole = is_sum_over_rows(&graph.value(id).operation);
                return !whole && operands(graph, *user).iter().all(|&(o, aligned)| o.value != id || aligned);
            }
            drafts[place].stage > drafts[later].stage
        })
    })
}

/// Moves an operation on the entries of one array to the only region that reads its result, row by row: it is then done on
/// the way, and its result is not kept.
fn move_to_readers(graph: &Graph, uses: &Uses, drafts: &mut [Draft], home: &mut HashMap<ValueId, usize>) {
    for i in (0..graph.values().len()).rev() {
        let id = ValueId(i as u32);
        let Some(&own) = home.get(&id) else { continue };
        if !matches!(graph.value(id).operation, Operation::Map(..)) || uses.output[i] || graph.value(id).rows == 1 {
            continue;
        }
        let aligned =
            operands(graph, id).iter().filter(|(_, aligned)| *aligned).map(|(o, _)| o.value).collect::<HashSet<_>>();
        let Some(&first) = uses.of(id).first() else { continue };
        let reader = home[&first];
        let by_rows = |user: &ValueId| {
            home[user] == reader && operands(graph, *user).iter().all(|&(o, aligned)| o.value != id || aligned)
        };
        if reader != own
            && aligned.len() <= 1
            && drafts[reader].rows == drafts[own].rows
            && uses.of(id).iter().all(by_rows)
        {
            drafts[own].values.retain(|&value| value != id);
            drafts[reader].values.push(id);
            drafts[reader].values.sort_unstable();
            home.insert(id, reader);
        }
    }
}

/// Small regions are done as late as they may: threads need not meet for them, and others may be joined that they read.
fn wait(graph: &Graph, uses: &Uses, drafts: &mut [Draft], home: &HashMap<ValueId, usize>, request: &Request<'_>) {
    let is_small = |draft: &Draft| {
        let operations: f64 = draft.values.iter().map(|&id| operations(graph, id)).sum();
        draft.open && (draft.rows == 1 || operations < request.tuning.shared_from)
    };
    let large = drafts.iter().filter(|draft| !draft.values.is_empty() && !is_small(draft));
    let last = large.map(|draft| draft.stage + 1).max().unwrap_or(0);
    let last = last.max(drafts.iter().map(|draft| draft.stage).max().unwrap_or(0));
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    order.sort_by_key(|&place| std::cmp::Reverse(drafts[place].stage));
    for place in order {
        let draft = &drafts[place];
        if !is_small(draft) {
            continue;
        }
        let readers = draft.values.iter().flat_map(|&id| uses.of(id)).map(|user| home[user]);
        let latest = readers.filter(|&reader| reader != place).map(|reader| drafts[reader].stage).min();
        let latest = latest.map_or(last, |stage| stage.saturating_sub(1));
        drafts[place].stage = latest.max(drafts[place].stage);
    }
}

/// Threads take rows in multiples of this where there are many.
const ROWS_OF_A_PART: usize = 4;

/// The rows of each thread: contiguous, in order of the threads.
pub fn part(rows: usize, thread: usize, threads: usize) -> std::ops::Range<usize> {
    let unit = unit(rows, threads);
    let units = rows.div_ceil(unit);
    let bound = |thread: usize| (units * thread / threads * unit).min(rows);
    bound(thread)..bound(thread + 1)
}

fn unit(rows: usize, threads: usize) -> usize {
    if rows >= 4 * ROWS_OF_A_PART * threads { ROWS_OF_A_PART } else { 1 }
}

/// The most rows that a thread has.
fn largest_part(rows: usize, threads: usize) -> usize {
    let unit = unit(rows, threads);
    rows.div_ceil(unit).div_ceil(threads) * unit
}

fn is_shared(rows: usize, operations: f64, request: &Request<'_>) -> bool {
    request.threads > 1 && rows >= 2 * request.threads && operations >= request.tuning.shared_from
}

fn region(graph: &Graph, uses: &Uses, draft: &Draft, inside: &HashSet<ValueId>, request: &Request<'_>) -> Region {
    let operations: f64 = draft.values.iter().map(|&id| operations(graph, id)).sum();
    let shared = draft.open && is_shared(draft.rows, operations, request);
    let steps = follow::steps(graph, uses, &draft.values, inside);
    let sums = draft.values.iter().copied().filter(|&id| is_sum_over_rows(&graph.value(id).operation)).collect();
    let share = if shared { largest_part(draft.rows, request.threads) } else { draft.rows };
    let block = if draft.open { block(graph, &steps, draft, share, request) } else { draft.rows };
    Region { rows: draft.rows, block, shared, steps, sums, operations }
}

/// How many rows are done at a time: as many as stay in a cache with all that is read and written of them.
fn block(graph: &Graph, steps: &[Step], draft: &Draft, share: usize, request: &Request<'_>) -> usize {
    if steps.len() <= 1 {
        return share;
    }
    let mut row: HashSet<(ValueId, usize)> = HashSet::default();
    let (mut products, mut right) = (false, 0);
    for step in steps {
        if let Step::Product(product) = step {
            let (k, n) = graph.use_shape(product.right);
            right += k * n * request.precision.bytes();
        }
        products |= matches!(step, Step::Product(_) | Step::Accumulate { .. });
        let reads = step.reads(graph).into_iter().filter(|operand| !operand.transposed).map(|operand| operand.value);
        for id in step.writes().into_iter().chain(reads) {
            let (rows, columns) = graph.shape(id);
            if rows == draft.rows && !is_sum_over_rows(&graph.value(id).operation) {
                row.insert((id, columns));
            }
        }
    }
    let bytes: usize = row.iter().map(|(_, columns)| columns * request.precision.bytes()).sum();
    let target = if products { request.tuning.block_of_products } else { request.tuning.block_of_passes };
    let tile = if products { ROWS_OF_A_TILE } else { 1 };
    // A right factor that does not stay in the cache is read again for each block.
    let least = match products {
        true if right <= KEPT_RIGHT_FACTORS => 2 * tile,
        true => LEAST_ROWS,
        false => 1,
    };
    let block = (target / bytes.max(1)).clamp(least, share.max(least));
    // Blocks of about the same size; where each reads the right factors again, rather fewer.
    let rereads = products && right > KEPT_RIGHT_FACTORS;
    let blocks = if rereads { (share / block).max(1) } else { share.div_ceil(block).max(1) };
    if blocks == 1 { share } else { share.div_ceil(blocks).next_multiple_of(tile) }
}
