//! A run of a compiled plan allocates nothing: every allocation of this process is counted while a network takes its steps.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::expr::ExprId;
use matgrad::plan::{Plan, Precision, Request, Tuning};
use matgrad::run::cpu::{InstructionSet, Pool};
use matgrad::run::{Executable, Given};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// A plan's runs with the arrays they read and write.
type Batch = (Executable<f32>, Vec<Vec<f32>>, Vec<Vec<f32>>);

#[test]
fn a_run_allocates_nothing() {
    let answer = answer(include_str!("../examples/two_layer_mlp.mg"), Detail::None).expect("the example is right");
    let loss = answer.outcomes[0].of_node;
    let roots: Vec<ExprId> = std::iter::once(loss).chain(answer.outcomes.iter().map(|o| o.result)).collect();
    let shared = Tuning { shared_from: 0.0, ..Tuning::default() };
    for threads in [1, 2] {
        let mut pool = Pool::new(threads);
        // The last batch is smaller: two shapes of one program side by side.
        let mut batches: Vec<Batch> = [31, 8]
            .map(|n| {
                let sizes: HashMap<String, i64> =
                    [("N", n), ("D", 20), ("H", 33), ("C", 7)].map(|(name, size)| (name.to_owned(), size)).into();
                let request = Request {
                    sizes: &sizes,
                    independent: &[],
                    labels: &[],
                    precision: Precision::Single,
                    threads,
                    tuning: shared,
                };
                let plan = Plan::new(&answer.arena, &roots, &request).expect("a plan");
                let inputs = plan.inputs.iter().map(|input| vec![0.25; input.rows * input.columns]).collect();
                let outputs = plan.outputs.iter().map(|output| vec![0.0; output.rows * output.columns]).collect();
                (Executable::new(plan, InstructionSet::detect()).expect("a plan in f32"), inputs, outputs)
            })
            .into();
        for (executable, inputs, outputs) in &mut batches {
            let given: Vec<Given<'_, f32>> = inputs.iter().map(|entries| Given::Entries(entries)).collect();
            let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
            // The system's threads and locks may allocate at their first use.
            executable.run(&mut pool, &given, &mut outputs).expect("a run");
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            for _ in 0..20 {
                executable.run(&mut pool, &given, &mut outputs).expect("a run");
            }
            assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), before, "{threads} threads");
        }
    }
}
