//! How often each named operation ran, how it went, and how long it took.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::Result;

/// What is known of the operations of one name since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many ended well.
    pub done: u64,
    /// How many ended with a problem, of their own or of the store.
    pub failed: u64,
    /// How often one was run again.
    pub retries: u64,
    /// How long they took in all, waiting and retries included.
    pub took: Duration,
}

/// Counts by name, shared by everything that runs operations.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<BTreeMap<&'static str, Figures>>>);

impl Tally {
    /// Notes that an operation is run again.
    pub(crate) fn retried(&self, name: &'static str) {
        self.change(name, |figures| figures.retries += 1);
    }

    /// Waits for an operation, and notes how it ended and after how long.
    pub(crate) async fn time<T>(&self, name: &'static str, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let began = Instant::now();
        let result = operation.await;
        self.change(name, |figures| {
            *(if result.is_ok() { &mut figures.done } else { &mut figures.failed }) += 1;
            figures.took += began.elapsed();
        });
        result
    }

    /// Returns the counts so far.
    pub(crate) fn figures(&self) -> BTreeMap<&'static str, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, name: &'static str, change: impl FnOnce(&mut Figures)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default());
    }
}
