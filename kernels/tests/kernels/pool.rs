//! The pool: every task runs once on each thread; panics and sleeping threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use matgrad_kernels::Pool;

#[test]
fn every_thread_runs_a_task_once_and_sees_the_others_at_the_barrier() {
    for threads in [1, 2, 5] {
        let mut pool = Pool::new(threads);
        for round in 0..20 {
            let (first, second) = (AtomicUsize::new(0), AtomicUsize::new(0));
            pool.run(&|crew| {
                first.fetch_add(crew.thread() + 1, Ordering::Relaxed);
                crew.wait();
                assert_eq!(first.load(Ordering::Relaxed), threads * (threads + 1) / 2, "round {round}");
                crew.wait();
                second.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(second.load(Ordering::Relaxed), threads);
        }
    }
}

#[test]
fn a_sleeping_crew_wakes_up() {
    let mut pool = Pool::new(3);
    let count = AtomicUsize::new(0);
    for _ in 0..3 {
        pool.run(&|_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        // Longer than a worker looks for work before it sleeps.
        (0..if cfg!(miri) { 3000 } else { 50_000 }).for_each(|_| std::thread::yield_now());
    }
    assert_eq!(count.load(Ordering::Relaxed), 9);
}

#[test]
fn parts_cover_everything_once() {
    let mut pool = Pool::new(3);
    for (length, unit) in [(0, 4), (1, 4), (13, 4), (100, 1), (7, 16)] {
        let seen: Vec<AtomicUsize> = (0..length).map(|_| AtomicUsize::new(0)).collect();
        pool.run(&|crew| {
            let part = crew.part(length, unit);
            assert_eq!(part.start % unit * usize::from(part.start < length), 0);
            seen[part].iter().for_each(|x| {
                x.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert!(seen.iter().all(|x| x.load(Ordering::Relaxed) == 1));
    }
}

#[test]
fn a_panic_of_any_thread_is_the_callers_and_the_pool_lives_on() {
    let mut pool = Pool::new(3);
    for guilty in 0..3 {
        let result = catch_unwind(AssertUnwindSafe(|| {
            pool.run(&|crew| {
                assert!(crew.thread() != guilty, "thread {guilty} fails");
                crew.wait();
            });
        }));
        let panic = result.expect_err("the panic comes through");
        let message = panic.downcast_ref::<String>().expect("the message of the first panic");
        assert!(message.contains(&format!("thread {guilty} fails")), "{message}");
        let count = AtomicUsize::new(0);
        pool.run(&|crew| {
            crew.wait();
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(count.load(Ordering::Relaxed), 3);
    }
}
