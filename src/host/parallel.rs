//! The same work for many things: on every processor, or waited for side by side.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::thread;

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is being done, such as `reading`.
    pub doing: &'static str,
    /// How many are done.
    pub done: usize,
    /// How many there are.
    pub of: usize,
}

/// Somebody who watches. Called from several threads.
pub type Watcher<'a> = &'a (dyn Fn(Step) + Sync);

/// So few are done one after the other.
const FEW: usize = 16;
/// How many wait for a disk at once, which takes what they wait for together.
const WAITING: usize = 8;

/// Does `work` for every item, each on some thread; the results are in the order of the items.
pub(crate) fn for_each<T: Sync, R: Send>(
    items: &[T],
    (doing, watcher): (&'static str, Watcher<'_>),
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let done = AtomicUsize::new(0);
    spread(items, threads, |item| {
        let result = work(item);
        watcher(Step {
            doing,
            done: done.fetch_add(1, Ordering::Relaxed) + 1,
            of: items.len(),
        });
        result
    })
}

/// Does `work`, which waits for a disk, for every item: a few one after the other, many side by side. The results are in the
/// order of the items.
pub(crate) fn abreast<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if items.len() <= FEW {
        return items.iter().map(work).collect();
    }
    spread(items, WAITING, work)
}

fn spread<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(items.iter().map(|_| None).collect());
    let run = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let result = work(item);
            // A panic of `work` happens outside of this lock.
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results[index] = Some(result);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            scope.spawn(run);
        }
        run();
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Every index was taken by exactly one thread, and a thread that panicked has ended the scope above.
    results.into_iter().flatten().collect()
}

/// Does both at once, the first on a thread of its own.
pub(crate) fn both<A: Send, B>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B,
) -> (A, B) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        let first = first.join().unwrap_or_else(|panic| resume_unwind(panic));
        (first, second)
    })
}

/// Does several things at once, in one task; the results are in the order of `acts`.
pub(crate) async fn side_by_side<A: Future>(acts: impl IntoIterator<Item = A>) -> Vec<A::Output> {
    let mut acts: Vec<_> = acts.into_iter().map(|act| (Box::pin(act), None)).collect();
    std::future::poll_fn(|cx| {
        let mut left = false;
        for (act, done) in &mut acts {
            if done.is_none() {
                match act.as_mut().poll(cx) {
                    Poll::Ready(result) => *done = Some(result),
                    Poll::Pending => left = true,
                }
            }
        }
        if left { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    acts.into_iter().filter_map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items_and_every_step_is_told() {
        let items: Vec<usize> = (0..1000).collect();
        let steps = AtomicUsize::new(0);
        let watcher = |step: Step| {
            assert_eq!((step.doing, step.of), ("doubling", 1000));
            steps.fetch_add(1, Ordering::Relaxed);
        };
        let doubled = for_each(&items, ("doubling", &watcher), |item| item * 2);
        assert_eq!(
            doubled,
            items.iter().map(|item| item * 2).collect::<Vec<_>>()
        );
        assert_eq!(steps.into_inner(), 1000);
        let none: Vec<u8> = for_each(&[], ("doubling", &|_step| ()), |item| *item);
        assert!(none.is_empty());
        for count in [3, 1000] {
            let tripled = abreast(&items[..count], |item| item * 3);
            assert_eq!(tripled, (0..count).map(|item| item * 3).collect::<Vec<_>>());
        }
    }
}
