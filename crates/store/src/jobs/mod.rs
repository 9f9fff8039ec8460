//! The queue of work: leases in the database's time, every later write fenced by the lease's token.
//!
//! A lease that runs out makes its job claimable again, so a worker that died loses nothing. Two counters tell a job that
//! kills its workers (`times_leased`) from one that fails and says so (`times_failed`).
//!
//! Each job waits in a *lane*: the kind of work and for whom, such as an app or a destination. Lanes of one kind take turns,
//! so that whoever asks for much does not keep the others waiting.

mod claim;
mod end;

use jiff::{SignedDuration, Timestamp};
use model::problem::Reason;
use model::{Problem, Result, codes};

use crate::{Tx, Value, params};

pub use claim::{Claim, Places, claim, claim_one};
pub use end::{again, complete, complete_all, fail, park};

/// How long a lease lasts without a heartbeat: so long the work of a machine that fell away lies still at most.
pub const LEASE: SignedDuration = SignedDuration::from_secs(9);
/// A job that was leased more often than this without any end is not run again.
pub const MOST_LEASES: u32 = 20;

/// A claimed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What kind of work it is.
    pub kind: String,
    /// What to work on: an id that the kind understands.
    pub subject: String,
    /// Whose turn it used.
    pub lane: String,
    /// The proof that the lease is ours.
    pub token: String,
    /// How often it was leased since it last ended in any way, this time included.
    pub times_leased: u32,
    /// How often it failed since it last went well.
    pub times_failed: u32,
}

/// The order of kinds: people who wait for an answer come before bulk work.
fn priority(kind: &str) -> i64 {
    match kind {
        "inbox" => 0,
        "erasure" => 10,
        "erasure-mail" => 15,
        "erasure-kept" => 20,
        "webhook" => 30,
        "transfer" => 50,
        "retention" => 90,
        _ => 40,
    }
}

/// What a kind of work is to those who run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// People wait for it, and it is short.
    Urgent,
    /// It tells others what happened, and they may be slow to listen.
    Notice,
    /// It may take hours.
    Bulk,
}

impl Class {
    /// Returns the class of a kind.
    pub fn of(kind: &str) -> Self {
        match priority(kind) {
            ..30 => Self::Urgent,
            30..40 => Self::Notice,
            _ => Self::Bulk,
        }
    }

    /// Returns the class of the work in a lane.
    pub fn of_lane(lane: &str) -> Self {
        Self::of(lane.split('/').next().unwrap_or_default())
    }
}

/// Asks for work on a subject, from `run_at` on (now if unsaid), and returns the job's id.
///
/// If the job is there already it is only brought forward; one that runs right now is run once more; a parked one is freed.
///
/// # Errors
/// A problem of the store.
pub async fn enqueue(tx: &mut Tx<'_>, kind: &str, subject: &str, run_at: Option<Timestamp>) -> Result<String> {
    enqueue_for(tx, kind, "", subject, run_at).await
}

/// As [`enqueue`], in the lane of this kind's work for `whom`: an app, a destination. No personal data.
///
/// # Errors
/// A problem of the store.
pub async fn enqueue_for(
    tx: &mut Tx<'_>,
    kind: &str,
    whom: &str,
    subject: &str,
    run_at: Option<Timestamp>,
) -> Result<String> {
    let lane = if whom.is_empty() { kind.to_owned() } else { format!("{kind}/{whom}") };
    let now = tx.now();
    let run_at = run_at.map_or(now, |time| tx.database_time(time));
    // The condition keeps the hot path (a job that waits to be run anyway) from writing.
    let written = tx
        .query(
            "INSERT INTO job (id, kind, subject, lane, priority, run_at, times_leased, times_failed, asked_again, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7)
             ON CONFLICT (kind, subject) DO UPDATE SET
                 run_at = CASE WHEN job.parked IS NULL AND job.run_at < excluded.run_at THEN job.run_at ELSE excluded.run_at END,
                 times_failed = CASE WHEN job.parked IS NULL THEN job.times_failed ELSE 0 END,
                 times_leased = CASE WHEN job.parked IS NULL THEN job.times_leased ELSE 0 END,
                 asked_again = CASE WHEN job.lease_token IS NULL THEN 0 ELSE 1 END,
                 parked = NULL
             WHERE job.parked IS NOT NULL OR job.run_at > excluded.run_at
                 OR (job.lease_token IS NOT NULL AND job.asked_again = 0)
             RETURNING id",
            params![tx.ambient.id(), kind, subject, lane, priority(kind), run_at, now],
        )
        .await?;
    if let Some(row) = written.first() {
        tx.enqueued |= run_at <= now;
        return row.get("id");
    }
    tx.query_one("SELECT id FROM job WHERE kind = $1 AND subject = $2", params![kind, subject]).await?.get("id")
}

/// Prolongs the leases of jobs that one owner works on, and returns the ids of those that it still has.
///
/// # Errors
/// A problem of the store.
pub async fn heartbeat(tx: &mut Tx<'_>, jobs: &[Job]) -> Result<Vec<String>> {
    if jobs.is_empty() {
        return Ok(vec![]);
    }
    let until = tx.now().saturating_add(LEASE).unwrap_or(Timestamp::MAX);
    let (ours, values) = these(jobs, params![until].to_vec());
    let sql = format!("UPDATE job SET lease_until = $1 WHERE {ours} RETURNING id");
    tx.query(&sql, &values).await?.iter().map(|row| row.get("id")).collect()
}

/// Returns a condition for these jobs under these leases, and the values with which it continues those given.
fn these(jobs: &[Job], mut values: Vec<Value>) -> (String, Vec<Value>) {
    let mut conditions = Vec::with_capacity(jobs.len());
    for job in jobs {
        values.extend([Value::from(&job.id), Value::from(&job.token)]);
        conditions.push(format!("(id = ${} AND lease_token = ${})", values.len() - 1, values.len()));
    }
    (conditions.join(" OR "), values)
}

/// Fails unless the lease is still ours: the first statement of a handler's own writes.
///
/// # Errors
/// `MO-5007` if the lease is lost.
pub async fn hold(tx: &mut Tx<'_>, job: &Job) -> Result<()> {
    // An update rather than a look: on a database with side-by-side transactions it also keeps others from taking the job.
    let sql = "UPDATE job SET lease_token = lease_token WHERE id = $1 AND lease_token = $2";
    let touched = tx.exec(sql, params![&job.id, &job.token]).await?;
    fenced(job, touched)
}

/// Frees every lease of an owner: a restarted worker takes up its own work at once.
///
/// # Errors
/// A problem of the store.
pub async fn release(tx: &mut Tx<'_>, owner: &str) -> Result<u64> {
    tx.exec(
        "UPDATE job SET lease_until = NULL, lease_token = NULL, lease_owner = NULL WHERE lease_owner = $1",
        params![owner],
    )
    .await
}

/// Where a job stands, for whoever waits for its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no such job: it has ended, or never was.
    Ended,
    /// It waits or is being worked on.
    Open,
    /// It was put aside.
    Parked(Reason),
}

/// Tells where the job of a subject stands.
///
/// # Errors
/// A problem of the store.
pub async fn standing(tx: &mut Tx<'_>, kind: &str, subject: &str) -> Result<Standing> {
    let sql = "SELECT parked FROM job WHERE kind = $1 AND subject = $2";
    let Some(row) = tx.query_opt(sql, params![kind, subject]).await? else { return Ok(Standing::Ended) };
    match row.get::<Option<String>>("parked")? {
        None => Ok(Standing::Open),
        Some(_) => Ok(Standing::Parked(row.json("parked")?)),
    }
}

fn fenced(job: &Job, touched: u64) -> Result<()> {
    match touched {
        1 => Ok(()),
        _ => Err(Problem::new(&codes::store::LEASE_LOST, format!("the {} job {} is no longer ours", job.kind, job.id))),
    }
}
