//! Work that takes a processor: a closure comes in and is run on a thread of its own, no more of them at a time than there are
//! processors, each waited for no longer than a person would. What came out, or why nothing did, goes out. The threads that
//! answer connections never do such work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// So long a request waits until it is its turn.
const TURN: Duration = Duration::from_secs(10);
/// So long its work may take.
const WORK: Duration = Duration::from_secs(10);
/// So many wait at most.
const WAITING: usize = 256;

/// Why nothing came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Others came first.
    Busy,
    /// It takes too long.
    TooLong,
    /// There is a mistake in matgrad.
    Broken,
}

/// Whose turn it is.
#[derive(Clone, Debug)]
pub struct Work {
    turns: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    time: Duration,
}

/// One that waits; it counts as long as it is there.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Work {
    /// For this many at a time.
    pub fn new(at_a_time: usize) -> Work {
        Work { turns: Arc::new(Semaphore::new(at_a_time)), waiting: Arc::new(AtomicUsize::new(0)), time: WORK }
    }

    /// Runs the closure when it is its turn. Work that takes too long goes on behind the refusal and keeps its place until it
    /// ends: a thread cannot be stopped from outside, so what a request may contain is bounded before.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        if before >= WAITING {
            return Err(Refusal::Busy);
        }
        let turn = timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Refusal::Busy) };
        drop(waiting);
        let working = spawn_blocking(move || {
            let _turn = turn;
            job()
        });
        match timeout(self.time, working).await {
            Err(_) => Err(Refusal::TooLong),
            Ok(Err(_)) => Err(Refusal::Broken),
            Ok(Ok(done)) => Ok(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::{Refusal, WAITING, Work};

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn no_more_run_than_have_a_turn() {
        let work = Work::new(2);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        runtime().block_on(async {
            let mut jobs = Vec::new();
            for i in 0..12 {
                let (work, running, most) = (work.clone(), Arc::clone(&running), Arc::clone(&most));
                jobs.push(tokio::spawn(async move {
                    let done = work.run(move || {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(3));
                        running.fetch_sub(1, Ordering::SeqCst);
                        i
                    });
                    assert_eq!(done.await, Ok(i));
                }));
            }
            for job in jobs {
                job.await.unwrap();
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert_eq!(work.waiting.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_takes_too_long_keeps_its_place_and_what_breaks_gives_it_back() {
        let work = Work { time: Duration::from_millis(20), ..Work::new(1) };
        runtime().block_on(async {
            let slow = work.run(|| std::thread::sleep(Duration::from_millis(120))).await;
            assert_eq!(slow, Err(Refusal::TooLong));
            assert_eq!(work.turns.available_permits(), 0);
            assert_eq!(
                work.run(|| -> u8 { std::panic::resume_unwind(Box::new("broken")) }).await,
                Err(Refusal::Broken)
            );
            assert_eq!(work.run(|| 3).await, Ok(3));
            work.waiting.store(WAITING, Ordering::SeqCst);
            assert_eq!(work.run(|| 3).await, Err(Refusal::Busy));
        });
    }
}
