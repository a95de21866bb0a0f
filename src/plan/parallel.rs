//! Work on many rows that do not know of each other, on all the machine's cores.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What `work` makes of each item, in the order of the items.
///
/// `work` must tell the same wherever and whenever it runs.
pub(super) fn map<'a, T: Sync, R: Send>(
    items: &'a [T],
    work: impl Fn(&'a T) -> R + Sync,
) -> Vec<R> {
    map_beside(items, work, || ()).0
}

/// The same, while this thread does something else first.
pub(super) fn map_beside<'a, T: Sync, R: Send, B>(
    items: &'a [T],
    work: impl Fn(&'a T) -> R + Sync,
    beside: impl FnOnce() -> B,
) -> (Vec<R>, B) {
    /// A year's table is read before another core has woken up, at the least in a virtual machine:
    /// with threads 250 rows took as long, and more of both cores.
    const FEW: usize = 512;
    /// More threads than these wait for memory and for each other.
    const MOST: usize = 8;
    /// Small, so that no core is left with much while the others are done.
    const BLOCK: usize = 16;
    let cores = match items.len() {
        0..=FEW => 1,
        _ => *CORES,
    };
    if cores == 1 {
        let beside = beside();
        return (items.iter().map(work).collect(), beside);
    }
    let blocks: Vec<&'a [T]> = items.chunks(BLOCK).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = blocks.get(index) else {
                return done;
            };
            done.push((index, block.iter().map(&work).collect()));
        }
    };
    let (mut done, beside) = thread::scope(|scope| {
        // Where no thread is to be had the others do its share.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, worker).ok();
        let others: Vec<_> = (1..cores.min(MOST)).filter_map(spawn).collect();
        let beside = beside();
        let mut done = worker();
        for other in others {
            match other.join() {
                Ok(blocks) => done.extend(blocks),
                Err(panic) => resume_unwind(panic),
            }
        }
        (done, beside)
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    let done = done.into_iter().flat_map(|(_, block)| block);
    (done.collect(), beside)
}

/// Asked once: the answer is in four files of the system.
static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// Both, the first on another core where there is one.
pub(super) fn both<A: Send, B>(first: impl Fn() -> A + Sync, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let other = thread::Builder::new().spawn_scoped(scope, &first);
        let second = second();
        let first = match other.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => resume_unwind(panic),
            // No thread is to be had.
            Err(_) => first(),
        };
        (first, second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_come_back_in_order() {
        for count in [0, 1, 100, 129, 1000, 10_007] {
            let items: Vec<u32> = (0..count).collect();
            let doubled: Vec<u32> = (0..count).map(|item| item * 2).collect();
            assert_eq!(map(&items, |item| item * 2), doubled);
        }
    }
}
