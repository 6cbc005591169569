//! Ends a program whose operation takes longer than any should: another rank hangs, or the network does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What runs, and since when.
type Running = Option<(&'static str, Instant)>;

/// Watches operations one after the other.
#[derive(Debug)]
pub(super) struct Watchdog {
    running: Arc<Mutex<Running>>,
}

impl Watchdog {
    /// Calls `end` once, with the operation, if one takes longer than `limit`.
    pub(super) fn start(limit: Duration, end: impl FnOnce(&'static str) + Send + 'static) -> std::io::Result<Self> {
        let running = Arc::new(Mutex::new(None));
        let of_thread: Arc<Mutex<Running>> = Arc::clone(&running);
        std::thread::Builder::new().name("watchdog".into()).spawn(move || {
            // Looked at now and then, so that an operation costs no wake-up.
            let pause = (limit / 4).clamp(Duration::from_millis(10), Duration::from_secs(5));
            loop {
                std::thread::sleep(pause);
                let now = *of_thread.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((operation, since)) = now
                    && since.elapsed() > limit
                {
                    return end(operation);
                }
            }
        })?;
        Ok(Self { running })
    }

    /// Does `work`, which is watched.
    pub(super) fn watched<T>(&self, operation: &'static str, work: impl FnOnce() -> T) -> T {
        let set = |running| *self.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
        set(Some((operation, Instant::now())));
        let done = work();
        set(None);
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_takes_too_long_is_named_and_what_does_not_is_left_alone() {
        let (ended, end) = mpsc::channel();
        let limit = Duration::from_millis(200);
        let dog = Watchdog::start(limit, move |operation| ended.send(operation).unwrap()).unwrap();
        for _ in 0..100 {
            dog.watched("quick", || ());
        }
        std::thread::sleep(2 * limit);
        assert!(end.try_recv().is_err(), "between operations nothing runs");
        let named = dog.watched("slow", || end.recv_timeout(Duration::from_secs(20)));
        assert_eq!(named, Ok("slow"));
    }
}
