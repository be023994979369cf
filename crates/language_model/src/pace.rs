use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// When the next request may be sent, for all threads together.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Between two requests.
    gap: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    pub fn new(requests_per_minute: Option<u32>) -> Self {
        let gap = requests_per_minute.map_or(Duration::ZERO, |requests| {
            Duration::from_secs(60) / requests.max(1)
        });
        Self {
            gap,
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits for this thread's turn.
    pub fn wait(&self) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + self.gap;
            turn
        };
        thread::sleep(turn.saturating_duration_since(Instant::now()));
    }

    /// Lets all threads wait: the endpoint has enough for now.
    pub fn pause(&self, time: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_apart_and_a_pause_is_for_all() {
        let pace = Pace::new(Some(1_200));
        let start = Instant::now();
        thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| pace.wait());
            }
        });
        assert!(start.elapsed() >= Duration::from_millis(150));
        let pace = Pace::new(None);
        let start = Instant::now();
        pace.pause(Duration::from_millis(50));
        pace.wait();
        assert!(start.elapsed() >= Duration::from_millis(50));
    }
}
