//! Threads for steps of microseconds. A task comes in, every thread of the crew runs it once, and the call returns when all have
//! ended. Nothing is allocated and no lock is taken in a call; a thread without work spins for a bounded time, then yields, then
//! sleeps.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};

/// Looks at a value this often with a pause between, before the thread yields: some tens of microseconds.
const SPINS: u32 = 1000;
/// Yields this often before the thread sleeps.
const YIELDS: u32 = 200;

/// A fixed number of threads, the caller's included. They end with the value.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    handles: Vec<Thread>,
}

/// What a thread of a running task knows of the others.
#[derive(Clone, Copy)]
pub struct Crew<'a> {
    thread: usize,
    shared: &'a Shared,
}

type Task<'a> = &'a (dyn Fn(Crew<'_>) + Sync);

/// One atomic on a cache line of its own, so that threads that wait for one do not disturb those that write another.
#[repr(align(128))]
#[derive(Default)]
struct Line<T>(T);

struct Shared {
    threads: usize,
    /// Counts the tasks; a worker waits for it to move.
    epoch: Line<AtomicU32>,
    /// How many workers have not ended the task.
    running: Line<AtomicUsize>,
    /// How many threads stand at the barrier.
    arrived: Line<AtomicUsize>,
    /// Counts how often the barrier opened.
    opened: Line<AtomicU32>,
    /// A thread panicked in this task: nobody may wait for it.
    failed: AtomicBool,
    stop: AtomicBool,
    /// For each worker, whether it sleeps or is about to.
    asleep: Vec<Line<AtomicBool>>,
    task: UnsafeCell<Option<Task<'static>>>,
    /// The first panic of a worker.
    panic: UnsafeCell<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `task` is written by the caller before `epoch` moves and read by workers after they saw it move; `panic` is written by
// the one worker that sets `failed` first and read by the caller after `running` is 0.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

/// What a worker leaves when the barrier is broken, so that only the first panic is told.
struct Broken;

impl Pool {
    /// A pool of that many threads, at least one: the calling thread and `threads - 1` workers.
    ///
    /// # Panics
    /// Where the system gives no thread.
    pub fn new(threads: usize) -> Pool {
        let threads = threads.max(1);
        let shared = Arc::new(Shared {
            threads,
            epoch: Line::default(),
            running: Line::default(),
            arrived: Line::default(),
            opened: Line::default(),
            failed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            asleep: (0..threads).map(|_| Line::default()).collect(),
            task: UnsafeCell::new(None),
            panic: UnsafeCell::new(None),
        });
        let workers: Vec<JoinHandle<()>> = (1..threads)
            .map(|thread| {
                let shared = Arc::clone(&shared);
                thread::Builder::new().name(format!("matgrad-{thread}")).spawn(move || work(&shared, thread))
            })
            .map(|worker| worker.expect("a thread"))
            .collect();
        let handles = workers.iter().map(|worker| worker.thread().clone()).collect();
        Pool { shared, workers, handles }
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.shared.threads
    }

    /// Runs the task once on every thread and returns when all have ended. Thread 0 is the caller's.
    ///
    /// # Panics
    /// With a thread's panic, after all have ended.
    pub fn run(&mut self, task: &(dyn Fn(Crew<'_>) + Sync)) {
        let shared = &*self.shared;
        if shared.threads == 1 {
            return task(Crew { thread: 0, shared });
        }
        // SAFETY: only the time is longer. The reference is dropped below, when all workers have ended the task.
        let task_of_workers = unsafe { std::mem::transmute::<Task<'_>, Task<'static>>(task) };
        // SAFETY: no worker reads it before the epoch moves, and `&mut self` keeps other callers out.
        unsafe { *shared.task.get() = Some(task_of_workers) };
        shared.failed.store(false, Ordering::Relaxed);
        shared.arrived.0.store(0, Ordering::Relaxed);
        shared.running.0.store(shared.threads - 1, Ordering::Relaxed);
        // Sequentially consistent, against `asleep`: either the worker sees the new epoch or we see that it sleeps.
        shared.epoch.0.fetch_add(1, Ordering::SeqCst);
        for (asleep, handle) in shared.asleep[1..].iter().zip(&self.handles) {
            if asleep.0.load(Ordering::SeqCst) {
                handle.unpark();
            }
        }
        let own = catch_unwind(AssertUnwindSafe(|| task(Crew { thread: 0, shared })));
        if own.is_err() {
            shared.failed.store(true, Ordering::Release);
        }
        wait_until(|| shared.running.0.load(Ordering::Acquire) == 0);
        // SAFETY: all workers have ended the task.
        let theirs = unsafe {
            *shared.task.get() = None;
            (*shared.panic.get()).take()
        };
        match (own, theirs) {
            (_, Some(panic)) => resume_unwind(panic),
            (Err(panic), None) => resume_unwind(panic),
            (Ok(()), None) => {}
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.epoch.0.fetch_add(1, Ordering::SeqCst);
        self.handles.iter().for_each(Thread::unpark);
        for worker in self.workers.drain(..) {
            // A worker catches its tasks' panics.
            let _ = worker.join();
        }
    }
}

impl Crew<'_> {
    /// Which thread this is, from 0.
    pub fn thread(self) -> usize {
        self.thread
    }

    /// How many threads run the task.
    pub fn threads(self) -> usize {
        self.shared.threads
    }

    /// This thread's part of `length` items: contiguous, in order of the threads, in multiples of `unit` but for the last.
    pub fn part(self, length: usize, unit: usize) -> std::ops::Range<usize> {
        let units = length.div_ceil(unit.max(1));
        let bound = |thread: usize| (units * thread / self.shared.threads * unit.max(1)).min(length);
        bound(self.thread)..bound(self.thread + 1)
    }

    /// Waits until all threads of the crew are here. What they wrote before is seen after.
    ///
    /// # Panics
    /// Where another thread panicked and will never come.
    pub fn wait(self) {
        let shared = self.shared;
        if shared.threads == 1 {
            return;
        }
        let opened = shared.opened.0.load(Ordering::Acquire);
        if shared.arrived.0.fetch_add(1, Ordering::AcqRel) + 1 == shared.threads {
            shared.arrived.0.store(0, Ordering::Relaxed);
            shared.opened.0.fetch_add(1, Ordering::Release);
            return;
        }
        wait_until(|| shared.opened.0.load(Ordering::Acquire) != opened || shared.failed.load(Ordering::Acquire));
        if shared.opened.0.load(Ordering::Acquire) == opened {
            resume_unwind(Box::new(Broken));
        }
    }
}

/// Spins, then yields, until it is so.
fn wait_until(so: impl Fn() -> bool) {
    let mut spins = 0;
    while !so() {
        if spins < SPINS {
            spins += 1;
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

/// A worker's life.
fn work(shared: &Shared, thread: usize) {
    let mut seen = 0;
    loop {
        await_epoch(shared, thread, seen);
        seen = seen.wrapping_add(1);
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        // SAFETY: written before the epoch moved, and kept until `running` is 0.
        let task = unsafe { (*shared.task.get()).expect("a task comes with its epoch") };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| task(Crew { thread, shared })))
            && !shared.failed.swap(true, Ordering::AcqRel)
        {
            // SAFETY: only the first to fail comes here.
            unsafe { *shared.panic.get() = Some(panic) };
        }
        shared.running.0.fetch_sub(1, Ordering::Release);
    }
}

fn await_epoch(shared: &Shared, thread: usize, seen: u32) {
    for turn in 0..SPINS + YIELDS {
        if shared.epoch.0.load(Ordering::Acquire) != seen {
            return;
        }
        if turn < SPINS { std::hint::spin_loop() } else { thread::yield_now() }
    }
    shared.asleep[thread].0.store(true, Ordering::SeqCst);
    while shared.epoch.0.load(Ordering::SeqCst) == seen {
        thread::park();
    }
    shared.asleep[thread].0.store(false, Ordering::Relaxed);
}
