//! Time and randomness, handed in so that tests own both.

use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the current instant.
    fn now(&self) -> Timestamp;
}

/// Makes identifiers and random bytes.
pub trait Ids: Send + Sync {
    /// Returns a new UUIDv7 (RFC 9562 §5.7) in its hyphenated text form: unique, and ordered by creation.
    fn id(&self) -> String;

    /// Fills `bytes` from a cryptographically secure source (in tests: from a seed).
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock and the source of ids that a process runs on.
#[derive(Clone)]
pub struct Ambient {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers and randomness.
    pub ids: Arc<dyn Ids>,
}

impl Ambient {
    /// Returns the current instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns a new time-ordered id.
    pub fn id(&self) -> String {
        self.ids.id()
    }

    /// Returns `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.ids.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ambient")
    }
}
