//! A clock that only the test moves, and ids that come out the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use model::{Ambient, Clock, Ids};

/// A clock that stands still until it is moved.
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// Moves the clock on.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(by).expect("a fixed duration can be added");
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids and bytes from a counter: the same in every run, never twice in one.
pub struct SeededIds(AtomicU64);

impl Ids for SeededIds {
    fn id(&self) -> String {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        format!("01940000-0000-7000-8000-{count:012x}")
    }

    fn fill(&self, bytes: &mut [u8]) {
        // SplitMix64: enough to look random to code under test.
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Returns an ambient whose clock stands at 2026-11-22T12:00:00Z, and that clock.
pub fn ambient() -> (Ambient, Arc<ManualClock>) {
    let start = "2026-11-22T12:00:00Z".parse().expect("a fixed time is well formed");
    let clock = Arc::new(ManualClock(Mutex::new(start)));
    (Ambient { clock: clock.clone(), ids: Arc::new(SeededIds(AtomicU64::new(1))) }, clock)
}
