//! What is to be told to others: rows written with the change that they tell of, and deleted when they were taken.
//!
//! Each row goes to one receiver, at least once, under an id that stays the same. Rows of one request carry a sequence number
//! that ascends with its changes, so that a receiver can pass over what is older than what it knows.

use jiff::Timestamp;
use model::problem::Reason;
use model::{Problem, Result, codes};
use serde_json::{Value, json};

use crate::{Row, Tx, jobs, params, value, world};

/// The job that delivers what waits for one receiver; its subject is the receiver's name.
pub const JOB: &str = "webhook";

/// A change that others may want to hear of. Whom it is about is not said.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened: `erasure.complete`, `transfer.running`, …
    pub topic: String,
    /// What is said, with the request's id and the sequence number.
    pub data: Value,
}

/// A row that waits to be delivered.
#[derive(Clone)]
pub struct Notice {
    /// Its id; ids ascend.
    pub id: String,
    /// The exact bytes of the message.
    pub body: String,
    /// When the change happened.
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// It was taken.
    Taken,
    /// It is to be tried again then.
    Again(Timestamp, Reason),
    /// It is put aside for somebody to look at.
    Parked(Reason),
}

/// Writes a change down for every receiver that wants to hear of it, and wakes their jobs.
///
/// # Errors
/// A problem of the store.
pub async fn announce(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    let now = tx.ambient.now();
    let mut body = None;
    for name in world::listeners(tx, &event.topic).await? {
        let message = || value::json(&json!({ "type": event.topic, "timestamp": now, "data": event.data }));
        let body = match &body {
            Some(body) => body,
            None => body.insert(message()?),
        };
        tx.exec(
            "INSERT INTO outbox (id, webhook, body, created_at, attempts, next_at) VALUES ($1, $2, $3, $4, 0, $4)",
            params![tx.ambient.id(), &name, body, now],
        )
        .await?;
        jobs::enqueue_for(tx, JOB, &name, &name, None).await?;
    }
    Ok(())
}

/// Returns the oldest notices that are to be tried now.
///
/// # Errors
/// A problem of the store.
pub async fn due(tx: &mut Tx<'_>, webhook: &str, limit: usize) -> Result<Vec<Notice>> {
    let now = tx.ambient.now();
    let sql = "SELECT id, body, created_at, attempts FROM outbox
         WHERE webhook = $1 AND parked_at IS NULL AND next_at <= $2 ORDER BY next_at, id LIMIT $3";
    tx.query(sql, params![webhook, now, limit]).await?.iter().map(notice).collect()
}

fn notice(row: &Row) -> Result<Notice> {
    Ok(Notice {
        id: row.get("id")?,
        body: row.get("body")?,
        created_at: row.get("created_at")?,
        attempts: row.get("attempts")?,
    })
}

/// Returns when the next notice is to be tried, if any waits.
///
/// # Errors
/// A problem of the store.
pub async fn next_due(tx: &mut Tx<'_>, webhook: &str) -> Result<Option<Timestamp>> {
    let sql = "SELECT MIN(next_at) AS next FROM outbox WHERE webhook = $1 AND parked_at IS NULL";
    tx.query_one(sql, params![webhook]).await?.get("next")
}

/// Records what became of a notice.
///
/// # Errors
/// A problem of the store.
pub async fn record(tx: &mut Tx<'_>, webhook: &str, id: &str, attempt: &Attempt) -> Result<()> {
    let now = tx.ambient.now();
    match attempt {
        Attempt::Taken => {
            tx.exec("DELETE FROM outbox WHERE id = $1", params![id]).await?;
            let sql = "UPDATE webhook SET taken = taken + 1, taken_at = $2 WHERE name = $1";
            tx.exec(sql, params![webhook, now]).await?;
        }
        Attempt::Again(at, reason) => {
            let sql = "UPDATE outbox SET attempts = attempts + 1, next_at = $2, problem = $3 WHERE id = $1";
            tx.exec(sql, params![id, *at, value::json(reason)?]).await?;
        }
        Attempt::Parked(reason) => {
            let sql = "UPDATE outbox SET attempts = attempts + 1, parked_at = $2, problem = $3 WHERE id = $1";
            tx.exec(sql, params![id, now, value::json(reason)?]).await?;
        }
    }
    Ok(())
}

/// How a receiver was doing at the last attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// How often in a row it took nothing because of itself.
    pub failures: u32,
    /// Nothing is tried before this.
    pub retry_at: Option<Timestamp>,
    /// Why.
    pub problem: Option<Reason>,
}

/// Returns how a receiver is doing.
///
/// # Errors
/// A problem of the store.
pub async fn health(tx: &mut Tx<'_>, webhook: &str) -> Result<Health> {
    let sql = "SELECT failures, retry_at, problem FROM webhook WHERE name = $1";
    let Some(row) = tx.query_opt(sql, params![webhook]).await? else { return Ok(Health::default()) };
    Ok(Health { failures: row.get("failures")?, retry_at: row.get("retry_at")?, problem: row.json_opt("problem")? })
}

/// Remembers how a receiver is doing.
///
/// # Errors
/// A problem of the store.
pub async fn set_health(tx: &mut Tx<'_>, webhook: &str, health: &Health) -> Result<()> {
    let problem = health.problem.as_ref().map(value::json).transpose()?;
    let sql = "UPDATE webhook SET failures = $2, retry_at = $3, problem = $4 WHERE name = $1";
    tx.exec(sql, params![webhook, health.failures, health.retry_at, problem]).await?;
    Ok(())
}

/// How a receiver stands, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// What it wants to hear of.
    pub events: Vec<String>,
    /// How many notices wait.
    pub waiting: u64,
    /// How many were put aside.
    pub parked: u64,
    /// Why the newest of them was.
    pub parked_problem: Option<Reason>,
    /// How many it took since it was declared.
    pub taken: u64,
    /// When it last took one.
    pub taken_at: Option<Timestamp>,
    /// How it was doing.
    pub health: Health,
}

/// Returns how every receiver stands, by name.
///
/// # Errors
/// A problem of the store.
pub async fn standings(tx: &mut Tx<'_>) -> Result<Vec<Standing>> {
    let mut standings = Vec::new();
    for row in tx.query("SELECT name, declared, taken, taken_at FROM webhook ORDER BY name", params![]).await? {
        let name: String = row.get("name")?;
        let counts = tx
            .query_one(
                "SELECT COUNT(*) AS all_of_them, COUNT(parked_at) AS parked FROM outbox WHERE webhook = $1",
                params![&name],
            )
            .await?;
        let sql =
            "SELECT problem FROM outbox WHERE webhook = $1 AND parked_at IS NOT NULL ORDER BY parked_at DESC LIMIT 1";
        let parked_problem = tx.query_opt(sql, params![&name]).await?.map(|row| row.json("problem")).transpose()?;
        let parked: u64 = counts.get("parked")?;
        standings.push(Standing {
            events: row.json::<model::world::Webhook>("declared")?.events,
            waiting: counts.get::<u64>("all_of_them")?.saturating_sub(parked),
            parked,
            parked_problem,
            taken: row.get("taken")?,
            taken_at: row.get("taken_at")?,
            health: health(tx, &name).await?,
            name,
        });
    }
    Ok(standings)
}

/// Lets everything that waits or was put aside for a receiver be tried again at once; returns how many there are.
///
/// # Errors
/// `MO-8003` if there is no such receiver.
pub async fn retry(tx: &mut Tx<'_>, webhook: &str) -> Result<u64> {
    let now = tx.ambient.now();
    let sql = "UPDATE webhook SET failures = 0, retry_at = NULL WHERE name = $1";
    if tx.exec(sql, params![webhook]).await? == 0 {
        return Err(Problem::new(&codes::notify::WEBHOOK_UNKNOWN, webhook));
    }
    // What was put aside gets its full time once more.
    let sql = "UPDATE outbox SET created_at = CASE WHEN parked_at IS NULL THEN created_at ELSE $2 END,
             next_at = $2, parked_at = NULL WHERE webhook = $1";
    let notices = tx.exec(sql, params![webhook, now]).await?;
    jobs::enqueue_for(tx, JOB, webhook, webhook, None).await?;
    Ok(notices)
}
