//! Which operations are done together: values of the graph come in; stages of regions go out. A region is a set of operations
//! that can be done rows by rows, row i of each needing row i of what came before in the region, and any row of what was
//! done in earlier stages. Sums over rows end in a region and are whole in the next stage.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::graph::{Direction, Graph, Operation, Use, ValueId};
use super::step;
use super::{Output, Region, Request, Stage};

/// A region with fewer operations is done by one thread: waking another would take longer.
const SHARED_FROM: f64 = 150_000.0;
/// The memory that a block with products may touch, in bytes: part of a core's second cache.
const BLOCK_OF_PRODUCTS: usize = 384 << 10;
/// The memory that a block of several passes may touch, in bytes: part of a core's first cache.
const BLOCK_OF_PASSES: usize = 24 << 10;
/// Blocks of products are a multiple of this many rows.
const ROWS_OF_A_TILE: usize = 16;
/// An input that two regions share is worth joining them from this many numbers on.
const WORTH_JOINING: usize = 4096;

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
    matches!(operation, Operation::Reduce(_, Direction::Columns | Direction::All, _))
}

/// How many rows the work of a value has; `None` where it is not done row by row.
fn rows_of_work(graph: &Graph, id: ValueId) -> Option<usize> {
    let value = graph.value(id);
    match value.operation {
        Operation::Reduce(_, _, operand) => Some(graph.shape(operand).0),
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
    let mut drafts: Vec<Draft> = Vec::new();
    let mut home: HashMap<ValueId, usize> = HashMap::default();
    for i in 0..graph.values().len() {
        let id = ValueId(i as u32);
        if uses.live[i] && !is_given(&graph.value(id).operation) {
            let place = joined_to(graph, id, &mut drafts, &home);
            home.insert(id, place);
        }
    }
    join_over_shared_inputs(graph, &uses, &mut drafts, &mut home);
    let last = drafts.iter().map(|draft| draft.stage + 1).max().unwrap_or(0);
    let mut stages: Vec<Stage> = (0..last).map(|_| Stage { regions: Vec::new() }).collect();
    for draft in drafts.iter().filter(|draft| !draft.values.is_empty()) {
        let inside: HashSet<ValueId> = draft.values.iter().copied().collect();
        stages[draft.stage].regions.push(region(graph, &uses, draft, &inside, request));
    }
    stages.retain(|stage| !stage.regions.is_empty());
    stages
}

/// The draft that takes a value in: one that has its rows already, or a new one.
fn joined_to(graph: &Graph, id: ValueId, drafts: &mut Vec<Draft>, home: &HashMap<ValueId, usize>) -> usize {
    let operands = operands(graph, id);
    let mut earliest = 0;
    let mut best: Option<usize> = None;
    let rows = rows_of_work(graph, id);
    for &(operand, aligned) in &operands {
        let Some(&place) = home.get(&operand.value) else { continue };
        let draft = &drafts[place];
        earliest = earliest.max(draft.stage + 1);
        let whole = is_sum_over_rows(&graph.value(operand.value).operation);
        if aligned && !whole && draft.open && rows == Some(draft.rows) && best.is_none_or(|b| drafts[b].stage < draft.stage)
        {
            best = Some(place);
        }
    }
    if let Some(best) = best {
        let stage = drafts[best].stage;
        let fits = operands.iter().all(|&(operand, aligned)| match home.get(&operand.value) {
            None => true,
            Some(&place) if place == best => aligned && !is_sum_over_rows(&graph.value(operand.value).operation),
            Some(&place) => drafts[place].stage < stage,
        });
        if fits {
            drafts[best].values.push(id);
            return best;
        }
    }
    // Scalars of one stage are done together.
    if rows == Some(1)
        && let Some(place) = drafts.iter().rposition(|d| d.open && d.rows == 1 && d.stage == earliest)
    {
        drafts[place].values.push(id);
        return place;
    }
    drafts.push(Draft { rows: rows.unwrap_or(1), stage: earliest, values: vec![id], open: rows.is_some() });
    drafts.len() - 1
}

/// Joins regions of the same rows that read the same large input: it is read once. The earlier one waits for the later where
/// nobody else waits for it.
fn join_over_shared_inputs(graph: &Graph, uses: &Uses, drafts: &mut [Draft], home: &mut HashMap<ValueId, usize>) {
    let mut readers: HashMap<ValueId, Vec<usize>> = HashMap::default();
    for (place, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.open && draft.rows > 1) {
        for &id in &draft.values {
            for (operand, aligned) in operands(graph, id) {
                let (rows, columns) = graph.shape(operand.value);
                let outside = home.get(&operand.value) != Some(&place);
                if aligned && outside && rows * columns >= WORTH_JOINING {
                    let list = readers.entry(operand.value).or_default();
                    if list.last() != Some(&place) {
                        list.push(place);
                    }
                }
            }
        }
    }
    let mut shared: Vec<(ValueId, Vec<usize>)> = readers.into_iter().filter(|(_, list)| list.len() > 1).collect();
    shared.sort();
    for (_, mut list) in shared {
        list.sort_by_key(|&place| drafts[place].stage);
        for pair in (1..list.len()).rev() {
            let (earlier, later) = (list[pair - 1], list[pair]);
            let stage = drafts[later].stage;
            if earlier == later
                || drafts[earlier].values.is_empty()
                || drafts[later].values.is_empty()
                || drafts[earlier].rows != drafts[later].rows
            {
                continue;
            }
            // Nobody may need the earlier one before the later one is done; the later one itself only row by row.
            let may_wait = drafts[earlier].values.iter().all(|&id| {
                uses.of(id).iter().all(|user| {
                    let place = home[user];
                    if place == earlier {
                        return true;
                    }
                    let whole = is_sum_over_rows(&graph.value(id).operation);
                    if place == later {
                        return !whole && operands(graph, *user).iter().all(|&(o, aligned)| o.value != id || aligned);
                    }
                    drafts[place].stage > stage
                })
            });
            if may_wait {
                let moved = std::mem::take(&mut drafts[earlier].values);
                moved.iter().for_each(|&id| {
                    home.insert(id, later);
                });
                drafts[later].values.extend(moved);
                drafts[later].values.sort_unstable();
            }
        }
    }
}

fn region(graph: &Graph, uses: &Uses, draft: &Draft, inside: &HashSet<ValueId>, request: &Request<'_>) -> Region {
    let operations: f64 = draft.values.iter().map(|&id| operations(graph, id)).sum();
    let shared = draft.open && request.threads > 1 && draft.rows >= 2 * request.threads && operations >= SHARED_FROM;
    let steps = step::steps(graph, uses, &draft.values, inside);
    let sums = draft.values.iter().copied().filter(|&id| is_sum_over_rows(&graph.value(id).operation)).collect();
    let share = if shared { draft.rows.div_ceil(request.threads) } else { draft.rows };
    let block = if draft.open { block(graph, &steps, draft, share, request) } else { draft.rows };
    Region { rows: draft.rows, block, shared, steps, sums, operations }
}

/// How many rows are done at a time: as many as stay in a cache with all that is read and written of them.
fn block(graph: &Graph, steps: &[step::Step], draft: &Draft, share: usize, request: &Request<'_>) -> usize {
    if steps.len() <= 1 {
        return share;
    }
    let mut row: HashSet<(ValueId, usize)> = HashSet::default();
    let mut products = false;
    for &id in &draft.values {
        let value = graph.value(id);
        products |= matches!(value.operation, Operation::Product(..));
        if !is_sum_over_rows(&value.operation) {
            row.insert((id, value.columns));
        }
        for (operand, aligned) in operands(graph, id) {
            let (rows, columns) = graph.shape(operand.value);
            if aligned && rows == draft.rows {
                row.insert((operand.value, columns));
            }
        }
    }
    let bytes: usize = row.iter().map(|(_, columns)| columns * request.precision.bytes()).sum();
    let target = if products { BLOCK_OF_PRODUCTS } else { BLOCK_OF_PASSES };
    let tile = if products { ROWS_OF_A_TILE } else { 1 };
    let least = if products { 4 * tile } else { 1 };
    let block = (target / bytes.max(1)).clamp(least, share.max(least));
    // Blocks of about the same size.
    let blocks = share.div_ceil(block).max(1);
    share.div_ceil(blocks).next_multiple_of(tile)
}
