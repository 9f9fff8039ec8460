//! What became of a COMMIT whose answer was lost.
//!
//! Each transaction that writes leaves a *mark*, a row of `write_mark`, in the round trip of its COMMIT. When the connection breaks
//! there, we try to leave the same mark ourselves, as one that means *not kept*: there can be only one. If the transaction's is
//! there, it was kept; if ours is, it was not and never will be, even if its COMMIT is still on its way.
//!
//! PostgreSQL's own `pg_xact_status` would cost no row, but its ids start again from the last one on disk when a server has
//! crashed, and a transaction that was lost may then seem to have been kept. A row works on every database.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Object;
use model::{Ambient, Problem, Result, codes};
use tokio_postgres::SimpleQueryMessage;

use super::pool::Pool;
use crate::error;

/// How many marks that are no longer needed go at once.
const GROUP: usize = 256;

/// The marks of this process.
#[derive(Clone)]
pub(super) struct Marks {
    /// Tells this process's marks from those of others: from the database, so that nobody else has it.
    place: Arc<str>,
    next: Arc<AtomicU64>,
    /// Marks of transactions whose answer has come.
    answered: Arc<Mutex<Vec<u64>>>,
    ambient: Ambient,
}

/// The mark of one transaction.
pub(super) struct Mark {
    place: Arc<str>,
    count: u64,
    at: i64,
}

impl Marks {
    /// Begins a fresh sequence of marks.
    pub(super) async fn new(client: &Object, ambient: &Ambient) -> Result<Self> {
        let asked = client.simple_query("SELECT gen_random_uuid()").await;
        let answer = asked.map_err(|cause| error::postgres("open", cause))?;
        let place = first_value(&answer)
            .ok_or_else(|| Problem::new(&codes::store::QUERY_FAILED, "in open: the database gives no random id"))?;
        Ok(Self { place: place.into(), next: Arc::default(), answered: Arc::default(), ambient: ambient.clone() })
    }

    /// Returns a fresh mark.
    pub(super) fn fresh(&self) -> Mark {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        Mark { place: self.place.clone(), count, at: self.ambient.now().as_microsecond() }
    }

    /// Notes that nobody will ask for a mark any more, and removes such marks now and then. What a killed process leaves behind
    /// goes with the retention sweep.
    pub(super) fn forget(&self, mark: &Mark, pool: &Pool) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.push(mark.count);
        if answered.len() < GROUP {
            return;
        }
        let counts: Vec<String> = answered.drain(..).map(|count| count.to_string()).collect();
        let sql = format!("DELETE FROM write_mark WHERE place = '{}' AND count IN ({})", self.place, counts.join(", "));
        let pool = pool.clone();
        tokio::spawn(async move {
            if let Ok(client) = pool.connect("forget marks").await
                && let Err(cause) = client.batch_execute(&sql).await
            {
                tracing::debug!(%cause, "marks stay until the retention sweep");
            }
        });
    }
}

impl Mark {
    /// Returns the statement by which a transaction says that it was kept.
    pub(super) fn leave(&self) -> String {
        format!("{}; ", self.insert(1))
    }

    /// Finds out whether the transaction was kept; if it was not, it never will be.
    pub(super) async fn was_kept(&self, client: Object) -> Result<bool, tokio_postgres::Error> {
        // Waits for a transaction that is just leaving the mark. Each statement sees what was committed before it.
        let (place, count) = (&self.place, self.count);
        let claim = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; {} ON CONFLICT (place, count) DO NOTHING; COMMIT;
             SELECT kept FROM write_mark WHERE place = '{place}' AND count = {count}",
            self.insert(0)
        );
        let answer = client.simple_query(&claim).await;
        if answer.is_err() {
            // It may have stopped half way, so nobody else gets this connection.
            drop(Object::take(client));
        }
        Ok(first_value(&answer?).as_deref() == Some("1"))
    }

    fn insert(&self, kept: u8) -> String {
        let Self { place, count, at } = self;
        format!("INSERT INTO write_mark (place, count, kept, at) VALUES ('{place}', {count}, {kept}, {at})")
    }
}

fn first_value(answer: &[SimpleQueryMessage]) -> Option<String> {
    answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })
}
