//! Counts for monitoring: what is open, what waits, since when.

use jiff::Timestamp;
use model::Result;

use crate::params;
use crate::tx::Tx;

/// How many of something are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The state's name.
    pub state: String,
    /// How many.
    pub count: u64,
}

/// A picture of the store at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Erasure requests by state.
    pub erasures: Vec<Count>,
    /// When the oldest erasure that has not ended arrived.
    pub oldest_open_erasure: Option<Timestamp>,
    /// When the next answer to an erasure that has not ended is due.
    pub next_erasure_due: Option<Timestamp>,
    /// Jobs: `due`, `scheduled`, `leased` and `parked`.
    pub jobs: Vec<Count>,
    /// Since when the oldest job that could run has waited.
    pub oldest_due_job: Option<Timestamp>,
    /// Transfers by state.
    pub transfers: Vec<Count>,
    /// Notices to webhooks: `waiting` and `parked`.
    pub notices: Vec<Count>,
}

/// Takes the picture.
pub async fn status(tx: &mut Tx<'_>) -> Result<Status> {
    let now = tx.ambient.now();
    let open = tx
        .query_one(
            "SELECT MIN(received_at) AS oldest, MIN(due_at) AS due FROM erasure WHERE finished_at IS NULL",
            params![],
        )
        .await?;
    let waiting = tx
        .query_one(
            "SELECT MIN(run_at) AS oldest FROM job \
             WHERE parked IS NULL AND run_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)",
            params![now],
        )
        .await?;
    Ok(Status {
        erasures: counts(tx, "SELECT state, COUNT(*) AS count FROM erasure GROUP BY state", params![]).await?,
        oldest_open_erasure: open.get("oldest")?,
        next_erasure_due: open.get("due")?,
        jobs: counts(
            tx,
            "SELECT CASE WHEN parked IS NOT NULL THEN 'parked' WHEN lease_until > $1 THEN 'leased' \
                         WHEN run_at <= $1 THEN 'due' ELSE 'scheduled' END AS state, COUNT(*) AS count \
             FROM job GROUP BY 1",
            params![now],
        )
        .await?,
        oldest_due_job: waiting.get("oldest")?,
        transfers: counts(tx, "SELECT state, COUNT(*) AS count FROM transfer GROUP BY state", params![]).await?,
        notices: counts(
            tx,
            "SELECT CASE WHEN parked_at IS NULL THEN 'waiting' ELSE 'parked' END AS state, COUNT(*) AS count
             FROM outbox GROUP BY 1",
            params![],
        )
        .await?,
    })
}

async fn counts(tx: &mut Tx<'_>, sql: &str, params: &[crate::Value]) -> Result<Vec<Count>> {
    let rows = tx.query(sql, params).await?;
    rows.iter().map(|row| Ok(Count { state: row.get("state")?, count: row.get("count")? })).collect()
}
