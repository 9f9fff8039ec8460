//! How far the database's clock is ahead of ours: leases are made and judged by its clock alone, on every machine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::Object;
use jiff::SignedDuration;
use model::Ambient;
use tokio_postgres::{Error, SimpleQueryMessage};

/// The difference between the two clocks, measured again from time to time: either may be set.
#[derive(Clone)]
pub(super) struct DatabaseClock {
    ambient: Ambient,
    every: Duration,
    measured: Arc<Mutex<Measured>>,
}

#[derive(Clone, Copy)]
struct Measured {
    ahead: SignedDuration,
    due: Instant,
}

impl DatabaseClock {
    /// Measures for the first time.
    pub(super) async fn new(client: &Object, ambient: &Ambient, every: Duration) -> Result<Self, Error> {
        let first = Measured { ahead: measure(client, ambient).await?, due: Instant::now() + every };
        Ok(Self { ambient: ambient.clone(), every, measured: Arc::new(Mutex::new(first)) })
    }

    /// Returns what to add to our clock to get the database's.
    pub(super) async fn ahead(&self, client: &Object) -> Result<SignedDuration, Error> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let ahead = measure(client, &self.ambient).await?;
        self.measured.lock().unwrap_or_else(PoisonError::into_inner).ahead = ahead;
        Ok(ahead)
    }

    /// Returns what is known, or nothing if the caller is the one to measure it again.
    fn known(&self) -> Option<SignedDuration> {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        if Instant::now() < measured.due {
            return Some(measured.ahead);
        }
        measured.due = Instant::now() + self.every;
        None
    }
}

async fn measure(client: &Object, ambient: &Ambient) -> Result<SignedDuration, Error> {
    let before = ambient.now();
    let answer = client.simple_query("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT").await?;
    // The database looked at its clock about half way.
    let ours = before.as_microsecond().midpoint(ambient.now().as_microsecond());
    let theirs = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse::<i64>().ok(),
        _ => None,
    });
    Ok(SignedDuration::from_micros(theirs.map_or(0, |theirs| theirs.saturating_sub(ours))))
}
