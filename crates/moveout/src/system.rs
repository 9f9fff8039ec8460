//! Time and randomness of the machine: the one place that takes them from there.

use std::sync::Arc;

use jiff::Timestamp;
use model::{Ambient, Clock, Ids};

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "these are the ids that everybody else is handed")]
    fn id(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the randomness that everybody else is handed")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// Returns the machine's clock and ids.
pub fn ambient() -> Ambient {
    Ambient { clock: Arc::new(SystemClock), ids: Arc::new(SystemIds) }
}
