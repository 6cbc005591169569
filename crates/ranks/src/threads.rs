//! Ranks that are threads of one process: for tests, and as the plain statement of what a group does.

use crate::error::{Error, Result};
use crate::group::Group;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One rank of a group of threads.
#[derive(Clone, Debug)]
pub struct Threads {
    rank: usize,
    size: usize,
    table: Arc<Table>,
}

/// Where the ranks meet.
#[derive(Debug, Default)]
struct Table {
    meeting: Mutex<Meeting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Meeting {
    /// What each rank of the running call brought, as many as have arrived.
    brought: Vec<(usize, Vec<u8>)>,
    /// What those of the last call brought, in the order of ranks.
    taken: Arc<Vec<Vec<u8>>>,
    calls: u64,
    aborted: bool,
}

impl Threads {
    /// Does `work` as each of `size` ranks, on a thread each; the results, in the order of ranks. A rank that fails or
    /// panics ends all others at their next call.
    ///
    /// # Panics
    /// If a rank does.
    pub fn run<T: Send, E: Send>(
        size: usize,
        work: impl Fn(Arc<dyn Group>) -> std::result::Result<T, E> + Sync,
    ) -> Vec<std::result::Result<T, E>> {
        let table = Arc::new(Table::default());
        std::thread::scope(|scope| {
            let ranks: Vec<_> = (0..size)
                .map(|rank| {
                    let (table, work) = (Arc::clone(&table), &work);
                    scope.spawn(move || {
                        let group = Self { rank, size, table };
                        let guard = Guard(&group);
                        let done = work(Arc::new(group.clone()));
                        if done.is_ok() {
                            std::mem::forget(guard);
                        }
                        done
                    })
                })
                .collect();
            let end = |rank: std::thread::ScopedJoinHandle<'_, _>| match rank.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            ranks.into_iter().map(end).collect()
        })
    }

    fn meeting(&self) -> MutexGuard<'_, Meeting> {
        self.table.meeting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings bytes to the table; what all brought, in the order of ranks.
    fn meet(&self, own: Vec<u8>) -> Result<Arc<Vec<Vec<u8>>>> {
        let mut meeting = self.meeting();
        let call = meeting.calls;
        meeting.brought.push((self.rank, own));
        if meeting.brought.len() == self.size {
            let mut brought = std::mem::take(&mut meeting.brought);
            brought.sort_unstable_by_key(|&(rank, _)| rank);
            meeting.taken = Arc::new(brought.into_iter().map(|(_, bytes)| bytes).collect());
            meeting.calls += 1;
            self.table.changed.notify_all();
        }
        while meeting.calls == call && !meeting.aborted {
            meeting = self.table.changed.wait(meeting).unwrap_or_else(PoisonError::into_inner);
        }
        // A call that all have made is done, whatever came after it.
        if meeting.calls == call { Err(Error::Aborted) } else { Ok(Arc::clone(&meeting.taken)) }
    }
}

/// Ends the group where a rank does not return well.
struct Guard<'a>(&'a Threads);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.abort(1);
    }
}

impl Group for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum(&self, values: &mut [i32]) -> Result<()> {
        let own = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        let all = self.meet(own)?;
        for (at, value) in values.iter_mut().enumerate() {
            let of_rank = |bytes: &Vec<u8>| bytes.as_chunks().0.get(at).map_or(0, |word| i32::from_ne_bytes(*word));
            *value = all.iter().fold(0, |sum: i32, bytes| sum.wrapping_add(of_rank(bytes)));
        }
        Ok(())
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        Ok(self.meet(own.to_vec())?.to_vec())
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let own = if self.rank == 0 { std::mem::take(bytes) } else { Vec::new() };
        self.meet(own)?[0].clone_into(bytes);
        Ok(())
    }

    fn abort(&self, _: u8) {
        self.meeting().aborted = true;
        self.table.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_get_sums_and_the_bytes_of_all() {
        for size in [1, 2, 3, 7] {
            let all = Threads::run(size, |group| {
                let rank = group.rank();
                let mut seen = Vec::new();
                // Many calls one after the other: none takes what belongs to the next.
                for call in 0..50 {
                    let mut values = [rank as i32, call, i32::MAX / 8];
                    group.sum(&mut values)?;
                    let mut bytes = vec![call as u8; rank];
                    let gathered = group.gather(&bytes)?;
                    bytes.push(rank as u8);
                    group.broadcast(&mut bytes)?;
                    group.barrier()?;
                    seen.push((values, gathered, bytes, group.any(rank == 1)?));
                }
                Ok::<_, Error>(seen)
            });
            let n = size as i32;
            for seen in all {
                for (call, (values, gathered, bytes, any)) in seen.unwrap().into_iter().enumerate() {
                    assert_eq!(values, [n * (n - 1) / 2, n * call as i32, n * (i32::MAX / 8)]);
                    assert_eq!(gathered, (0..size).map(|rank| vec![call as u8; rank]).collect::<Vec<_>>());
                    assert_eq!((bytes, any), (vec![0], size > 1));
                }
            }
        }
    }

    #[test]
    fn a_rank_that_fails_ends_the_others() {
        let done = Threads::run(3, |group| {
            group.barrier().map_err(|_| "early")?;
            if group.rank() == 1 {
                return Err("failed");
            }
            group.barrier().map_err(|_| "ended")
        });
        assert_eq!(done, [Err("ended"), Err("failed"), Err("ended")]);
    }
}
