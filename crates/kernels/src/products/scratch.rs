//! Memory that a task needs while it runs: each thread keeps it for its next task, since to get
//! and clear it for every panel of every minibatch costs a visible share of the time.

use crate::row::{Row, ZERO};
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

thread_local! {
    /// What lies idle: a task takes the last and gives it back when it ends.
    static IDLE: RefCell<Vec<Vec<Row>>> = const { RefCell::new(Vec::new()) };
}

/// Rows that hold what an earlier task left there.
pub(crate) struct Scratch {
    memory: Vec<Row>,
    rows: usize,
}

impl Scratch {
    pub(crate) fn new(rows: usize) -> Self {
        let mut memory = IDLE.with_borrow_mut(Vec::pop).unwrap_or_default();
        if memory.len() < rows {
            memory.resize(rows, ZERO);
        }
        Self { memory, rows }
    }
}

impl Deref for Scratch {
    type Target = [Row];

    fn deref(&self) -> &[Row] {
        &self.memory[..self.rows]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [Row] {
        &mut self.memory[..self.rows]
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        // A thread that ends has no use for it any more.
        let _ = IDLE.try_with(|idle| idle.borrow_mut().push(memory));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_to_the_thread() {
        let first = Scratch::new(5);
        let (address, second) = (first.as_ptr(), Scratch::new(7));
        assert!(second.as_ptr() != address, "two at once share nothing");
        assert_eq!((first.len(), second.len()), (5, 7));
        drop(second);
        drop(first);
        assert_eq!(Scratch::new(3).as_ptr(), address);
    }
}
