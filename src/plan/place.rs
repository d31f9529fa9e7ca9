//! Where values lie: lowered values and stages come in, the finished plan goes out. A result lies in the caller's memory; what
//! only its own region reads, in a thread's own block; all else in the memory of the run, from the stage that writes it to
//! the last that reads it, and then the place is given again.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::graph::{Graph, Operation, ValueId};
use super::lower::Lowered;
use super::region::{is_given, is_sum_over_rows};
use super::{Output, Place, Plan, Precision, Region, Request, Stage};

/// Every array starts on a line of the cache.
const LINE: usize = 64;

/// The plan of stages whose values have places.
pub(super) fn placed(lowered: Lowered, outputs: Vec<Output>, mut stages: Vec<Stage>, request: &Request<'_>) -> Plan {
    let Lowered { graph, inputs, names, .. } = lowered;
    let mut places = vec![Place::Nowhere; graph.values().len()];
    for (place, value) in places.iter_mut().zip(graph.values()) {
        if let Operation::Input(input) = value.operation {
            *place = Place::Input(input as usize);
        }
    }
    for (i, output) in outputs.iter().enumerate() {
        let place = &mut places[output.value.0 as usize];
        if *place == Place::Nowhere && !is_given(&graph.value(output.value).operation) {
            *place = Place::Output(i);
        }
    }
    let lives = lives(&graph, &stages);
    gathers(&graph, &mut stages);
    let mut memory = Memory::default();
    let mut block_memory = 0;
    let mut bytes = 0.0;
    for (at, stage) in stages.iter().enumerate() {
        memory.free_before(at);
        for region in &stage.regions {
            for step in &region.steps {
                for id in step.writes() {
                    if places[id.0 as usize] != Place::Nowhere {
                        continue;
                    }
                    let value = graph.value(id);
                    let life = &lives[&id];
                    if life.outside || is_sum_over_rows(&value.operation) {
                        let size = round(value.rows * value.columns, request.precision);
                        places[id.0 as usize] = Place::Memory(memory.take(size, life.last));
                    }
                }
            }
        }
        for region in &stage.regions {
            block_memory = block_memory.max(blocks(&graph, region, &mut places, request.precision));
            bytes += bytes_of(&graph, region, &places, request.precision);
        }
    }
    let mut memory = memory.size;
    let mut partial = HashMap::default();
    for region in stages.iter().flat_map(|stage| &stage.regions).filter(|region| region.shared) {
        for &id in &region.sums {
            let value = graph.value(id);
            partial.insert(id, memory);
            memory += (request.threads - 1) * round(value.rows * value.columns, request.precision);
        }
    }
    let operations = stages.iter().flat_map(|stage| &stage.regions).map(|region| region.operations).sum();
    let mut partials: Vec<(ValueId, usize)> = partial.into_iter().collect();
    partials.sort_unstable();
    Plan {
        precision: request.precision,
        threads: request.threads,
        inputs,
        outputs,
        values: graph.into_values(),
        places,
        names,
        stages,
        partials,
        memory,
        block_memory,
        operations,
        bytes,
    }
}

/// Numbers of an array that starts and ends on lines of the cache.
pub(super) fn round(count: usize, precision: Precision) -> usize {
    count.next_multiple_of(LINE / precision.bytes())
}

/// From where to where a value is of use.
struct Life {
    /// Whether another region reads it.
    outside: bool,
    /// The last stage that reads it.
    last: usize,
}

fn lives(graph: &Graph, stages: &[Stage]) -> HashMap<ValueId, Life> {
    let mut home: HashMap<ValueId, (usize, usize)> = HashMap::default();
    let mut lives: HashMap<ValueId, Life> = HashMap::default();
    for (at, stage) in stages.iter().enumerate() {
        for (number, region) in stage.regions.iter().enumerate() {
            for step in &region.steps {
                for id in step.writes() {
                    home.insert(id, (at, number));
                    lives.insert(id, Life { outside: false, last: at });
                }
            }
        }
    }
    for (at, stage) in stages.iter().enumerate() {
        for (number, region) in stage.regions.iter().enumerate() {
            for operand in region.steps.iter().flat_map(|step| step.reads(graph)) {
                if let Some(life) = lives.get_mut(&operand.value) {
                    life.outside |= home[&operand.value] != (at, number);
                    life.last = life.last.max(at);
                }
            }
        }
    }
    lives
}

/// Before which stage each sum over rows is added up over the threads: the first that reads it. Those that none reads are
/// added up at the end.
fn gathers(graph: &Graph, stages: &mut [Stage]) {
    let mut open: Vec<ValueId> = Vec::new();
    for stage in stages {
        let reads: HashSet<ValueId> = stage
            .regions
            .iter()
            .flat_map(|region| region.steps.iter().flat_map(|step| step.reads(graph)))
            .map(|operand| operand.value)
            .collect();
        let (now, later): (Vec<ValueId>, Vec<ValueId>) = open.iter().partition(|id| reads.contains(id));
        stage.gathers = now;
        open = later;
        for region in stage.regions.iter().filter(|region| region.shared) {
            open.extend(&region.sums);
        }
    }
}

/// Places for what only the region's own steps read; gives how many numbers they take.
fn blocks(graph: &Graph, region: &Region, places: &mut [Place], precision: Precision) -> usize {
    let mut last: HashMap<ValueId, usize> = HashMap::default();
    for (at, step) in region.steps.iter().enumerate() {
        for id in step.writes().into_iter().chain(step.reads(graph).into_iter().map(|operand| operand.value)) {
            last.insert(id, at);
        }
    }
    let mut memory = Memory::default();
    for (at, step) in region.steps.iter().enumerate() {
        memory.free_before(at);
        for id in step.writes() {
            if places[id.0 as usize] == Place::Nowhere {
                let size = round(region.block * graph.value(id).columns, precision);
                places[id.0 as usize] = Place::Block(memory.take(size, last[&id]));
            }
        }
    }
    memory.size
}

/// Bytes that a region reads and writes outside of its blocks, each array once.
fn bytes_of(graph: &Graph, region: &Region, places: &[Place], precision: Precision) -> f64 {
    let mut seen: HashSet<ValueId> = HashSet::default();
    for step in &region.steps {
        for id in step.writes().into_iter().chain(step.reads(graph).into_iter().map(|operand| operand.value)) {
            if !matches!(places[id.0 as usize], Place::Block(_) | Place::Nowhere) {
                seen.insert(id);
            }
        }
    }
    let entries = |id: &ValueId| {
        let (rows, columns) = graph.shape(*id);
        rows as f64 * columns as f64
    };
    seen.iter().map(entries).sum::<f64>() * precision.bytes() as f64
}

/// Memory that is taken and given back.
#[derive(Default)]
struct Memory {
    size: usize,
    /// Offset, size and the last step that needs it, by offset.
    taken: Vec<(usize, usize, usize)>,
}

impl Memory {
    /// Gives back what nothing from `step` on needs.
    fn free_before(&mut self, step: usize) {
        self.taken.retain(|&(_, _, last)| last >= step);
    }

    /// The first gap that is large enough.
    fn take(&mut self, size: usize, last: usize) -> usize {
        let mut offset = 0;
        let mut place = self.taken.len();
        for (i, &(from, length, _)) in self.taken.iter().enumerate() {
            if from >= offset + size {
                place = i;
                break;
            }
            offset = from + length;
        }
        self.taken.insert(place, (offset, size, last));
        self.size = self.size.max(offset + size);
        offset
    }
}
