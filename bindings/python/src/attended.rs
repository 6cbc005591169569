//! Work in threads of its own, while the thread that called waits for it with the interpreter detached and sees to
//! signals and messages.
//!
//! Python looks at signals in the thread that they are for, and nowhere else. Rayon's global threads are never used: a
//! child that is forked has none of them and would wait for ever.

use crate::failure::Result;
use deepbelief_stack::StackObserver;
use deepbelief_training::{Control, Observer, ObserverResult, Progress, Snapshot, Training, pool};
use pyo3::prelude::*;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long a signal waits at most.
const POLL: Duration = Duration::from_millis(50);

/// What work has of the thread that waits for it.
pub(crate) struct Attention<'a> {
    messages: Sender<String>,
    /// Says that a message was taken.
    taken: Receiver<()>,
    stop: &'a AtomicBool,
}

/// What became of work.
pub(crate) struct Done<T> {
    pub(crate) result: Result<T>,
    /// A signal's exception, or that of whoever took a message.
    pub(crate) interruption: Option<PyErr>,
}

impl<T> Done<T> {
    /// The result of work that is of no use unfinished.
    pub(crate) fn whole(self) -> PyResult<T> {
        match self.interruption {
            Some(error) => Err(error),
            None => Ok(self.result?),
        }
    }
}

impl Attention<'_> {
    fn control(&self) -> Control {
        if self.stop.load(Ordering::Relaxed) { Control::Stop } else { Control::Continue }
    }

    /// Whether somebody wants the work to stop.
    pub(crate) fn flag(&self) -> &AtomicBool {
        self.stop
    }
}

/// Does `work` in so many threads, 0 for one a core, and hands its messages to `take`.
pub(crate) fn attended<T: Send>(
    py: Python<'_>,
    threads: usize,
    work: impl FnOnce(&mut Attention<'_>) -> Result<T> + Send,
    mut take: impl FnMut(Python<'_>, &str) -> PyResult<()>,
) -> PyResult<Done<T>> {
    let pool = py.detach(|| pool(threads)).map_err(crate::failure::Failure::from)?;
    let (messages, received) = channel();
    let (answer, taken) = channel();
    let received = Mutex::new(received);
    let stop = AtomicBool::new(false);
    let mut interruption = None;
    let result = std::thread::scope(|scope| {
        let stop = &stop;
        let pool = &pool;
        let worker = scope.spawn(move || pool.install(|| work(&mut Attention { messages, taken, stop })));
        loop {
            let message = py.detach(|| next(&received));
            let seen = match &message {
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Ok(message) => take(py, message),
            };
            if let Err(error) = seen.and_then(|()| py.check_signals()) {
                stop.store(true, Ordering::Relaxed);
                interruption.get_or_insert(error);
            }
            if message.is_ok() {
                // Nobody waits where the work is done.
                let _unread = answer.send(());
            }
        }
        py.detach(|| worker.join())
    });
    match result {
        Ok(result) => Ok(Done { result, interruption }),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The same of work that says nothing and is of no use unfinished.
pub(crate) fn computed<T: Send>(
    py: Python<'_>,
    threads: usize,
    work: impl FnOnce(&mut Attention<'_>) -> Result<T> + Send,
) -> PyResult<T> {
    attended(py, threads, work, |_, _| Ok(()))?.whole()
}

fn next(received: &Mutex<Receiver<String>>) -> std::result::Result<String, RecvTimeoutError> {
    let received = received.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    received.recv_timeout(POLL)
}

/// Sends the metrics of every epoch as JSON, waits until they are taken, and stops where somebody wants it.
impl<T: Training<Metrics: Serialize>> Observer<T> for Attention<'_> {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.control()
    }

    fn epoch_done(&mut self, metrics: &T::Metrics, _: &Snapshot<'_, T>) -> ObserverResult {
        if self.messages.send(serde_json::to_string(metrics)?).is_ok() {
            // Until it is known whether to go on.
            let _gone = self.taken.recv();
        }
        Ok(self.control())
    }
}

impl StackObserver for Attention<'_> {}
