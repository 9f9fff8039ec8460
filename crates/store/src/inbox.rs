//! What came through a door and waits to be made a request: durable with one append, settled a moment later.

use jiff::Timestamp;
use model::Result;
use model::problem::Reason;

use crate::{Row, Tx, jobs, params, rows, value};

/// The job that empties the inbox, and its only subject.
pub const JOB: &str = "inbox";
const SUBJECT: &str = "all";

/// One arrival.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id; ids ascend with arrival.
    pub id: String,
    /// The app it came for.
    pub app: String,
    /// The door it came through.
    pub door: String,
    /// The code that it was answered with.
    pub confirmation_code: String,
    /// What it said, sealed as column `payload` of the row `confirmation_code` of table `inbox`.
    pub payload: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
}

/// Something that came through a door.
#[derive(Clone)]
pub struct Arrival {
    /// The app it came for.
    pub app: String,
    /// The door it came through.
    pub door: &'static str,
    /// The code that it is answered with.
    pub confirmation_code: String,
    /// What it said, sealed as [`Entry::payload`] is.
    pub payload: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
}

/// Appends arrivals and wakes the job that promotes them.
pub(crate) async fn append(tx: &mut Tx<'_>, arrivals: &[Arrival]) -> Result<()> {
    let rows = arrivals.iter().map(|arrival| {
        let Arrival { app, door, confirmation_code, payload, received_at } = arrival;
        params![tx.ambient.id(), app, *door, confirmation_code, &payload[..], *received_at].to_vec()
    });
    let rows = rows.collect();
    rows::insert(tx, "INSERT INTO inbox (id, app, door, confirmation_code, payload, received_at)", rows).await?;
    jobs::enqueue(tx, JOB, SUBJECT, None).await?;
    Ok(())
}

/// Takes the oldest arrivals out. The same operation makes requests of them, so an arrival is in one of the two places, never in none.
///
/// # Errors
/// A problem of the store.
pub async fn take(tx: &mut Tx<'_>, limit: usize) -> Result<Vec<Entry>> {
    let sql = "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE problem IS NULL ORDER BY id LIMIT $1)
         RETURNING id, app, door, confirmation_code, payload, received_at";
    let rows = tx.query(sql, params![limit]).await?;
    let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>>>()?;
    // RETURNING promises no order.
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(entries)
}

/// Counts the arrivals that wait to be promoted, up to `most`.
///
/// # Errors
/// A problem of the store.
pub async fn waiting(tx: &mut Tx<'_>, most: u64) -> Result<u64> {
    let sql = "SELECT COUNT(*) AS waiting FROM (SELECT 1 AS one FROM inbox WHERE problem IS NULL LIMIT $1) AS arrival";
    tx.query_one(sql, params![most]).await?.get("waiting")
}

/// Puts back an arrival that nothing can be made of, with the reason: it is kept for somebody to look at and not taken again.
///
/// # Errors
/// A problem of the store.
pub async fn set_aside(tx: &mut Tx<'_>, entry: &Entry, reason: &Reason) -> Result<()> {
    tx.exec(
        "INSERT INTO inbox (id, app, door, confirmation_code, payload, received_at, problem) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            &entry.id,
            &entry.app,
            &entry.door,
            &entry.confirmation_code,
            &entry.payload[..],
            entry.received_at,
            value::json(reason)?
        ],
    )
    .await?;
    Ok(())
}

/// Finds an arrival that still waits. There is no index on codes: only the few milliseconds before promotion need this.
///
/// # Errors
/// A problem of the store.
pub async fn by_code(tx: &mut Tx<'_>, confirmation_code: &str) -> Result<Option<Entry>> {
    let sql = "SELECT id, app, door, confirmation_code, payload, received_at FROM inbox
         WHERE confirmation_code = $1 ORDER BY id LIMIT 1";
    tx.query_opt(sql, params![confirmation_code]).await?.as_ref().map(entry).transpose()
}

fn entry(row: &Row) -> Result<Entry> {
    Ok(Entry {
        id: row.get("id")?,
        app: row.get("app")?,
        door: row.get("door")?,
        confirmation_code: row.get("confirmation_code")?,
        payload: row.get("payload")?,
        received_at: row.get("received_at")?,
    })
}

/// The code is a capability, so it is not shown.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({} of {})", self.id, self.app)
    }
}
