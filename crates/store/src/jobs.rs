//! The queue of work: leases in the database's time, every later write fenced by the lease's token.
//!
//! A lease that runs out makes its job claimable again, so a worker that died loses nothing. Two counters tell a job that
//! kills its workers (`times_leased`) from one that fails and says so (`times_failed`).

use jiff::{SignedDuration, Timestamp};
use model::problem::Reason;
use model::{Problem, Result, codes};

use crate::{Row, Tx, Value, params, value};

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
    /// The proof that the lease is ours.
    pub token: String,
    /// How often it was leased since it last ended in any way, this time included.
    pub times_leased: u32,
    /// How often it failed since it last went well.
    pub times_failed: u32,
}

/// Which jobs somebody wants to claim.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who claims, so that a restarted worker finds its own leases.
    pub owner: String,
    /// The kinds that the claimer can run.
    pub kinds: Vec<&'static str>,
    /// Only the job of this subject.
    pub subject: Option<String>,
    /// At most this many.
    pub limit: usize,
}

/// The order of kinds: people who wait for an answer come before bulk work.
fn priority(kind: &str) -> i64 {
    match kind {
        "inbox" => 0,
        "erasure" => 10,
        "transfer" => 50,
        "retention" => 90,
        _ => 40,
    }
}

/// Tells whether a kind is bulk work, which must leave room for what people wait for.
pub fn is_bulk(kind: &str) -> bool {
    priority(kind) >= 40
}

/// Asks for work on a subject, from `run_at` on (now if unsaid), and returns the job's id.
///
/// If the job is there already it is only brought forward; one that runs right now is run once more; a parked one is freed.
///
/// # Errors
/// A problem of the store.
pub async fn enqueue(tx: &mut Tx<'_>, kind: &str, subject: &str, run_at: Option<Timestamp>) -> Result<String> {
    let now = tx.now();
    let run_at = run_at.map_or(now, |time| tx.database_time(time));
    // The condition keeps the hot path (a job that waits to be run anyway) from writing.
    let written = tx
        .query(
            "INSERT INTO job (id, kind, subject, priority, run_at, times_leased, times_failed, asked_again, created_at)
             VALUES ($1, $2, $3, $4, $5, 0, 0, 0, $6)
             ON CONFLICT (kind, subject) DO UPDATE SET
                 run_at = CASE WHEN job.parked IS NULL AND job.run_at < excluded.run_at THEN job.run_at ELSE excluded.run_at END,
                 times_failed = CASE WHEN job.parked IS NULL THEN job.times_failed ELSE 0 END,
                 times_leased = CASE WHEN job.parked IS NULL THEN job.times_leased ELSE 0 END,
                 asked_again = CASE WHEN job.lease_token IS NULL THEN 0 ELSE 1 END,
                 parked = NULL
             WHERE job.parked IS NOT NULL OR job.run_at > excluded.run_at
                 OR (job.lease_token IS NOT NULL AND job.asked_again = 0)
             RETURNING id",
            params![tx.ambient.id(), kind, subject, priority(kind), run_at, now],
        )
        .await?;
    if let Some(row) = written.first() {
        tx.enqueued |= run_at <= now;
        return row.get("id");
    }
    tx.query_one("SELECT id FROM job WHERE kind = $1 AND subject = $2", params![kind, subject]).await?.get("id")
}

/// Takes leases on jobs that are due and that nobody works on, the most urgent first.
///
/// # Errors
/// A problem of the store.
pub async fn claim(tx: &mut Tx<'_>, claim: &Claim) -> Result<Vec<Job>> {
    let now = tx.now();
    let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
    let token = tx.ambient.id();
    let mut values: Vec<Value> = params![now, until, &token, &claim.owner, claim.limit].to_vec();
    let mut place = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let kinds = claim.kinds.iter().map(|kind| place((*kind).into())).collect::<Vec<_>>().join(", ");
    let subject =
        claim.subject.as_deref().map(|subject| format!("AND subject = {}", place(subject.into()))).unwrap_or_default();
    // The outer condition makes two claimers safe on a database that runs them side by side: the second sees the first's lease.
    let free = "parked IS NULL AND run_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)";
    let sql = format!(
        "UPDATE job SET lease_until = $2, lease_token = $3, lease_owner = $4, times_leased = times_leased + 1, asked_again = 0
         WHERE {free} AND id IN
             (SELECT id FROM job WHERE {free} AND kind IN ({kinds}) {subject} ORDER BY priority, run_at LIMIT $5)
         RETURNING id, kind, subject, lease_token, times_leased, times_failed, priority, run_at"
    );
    let mut rows = tx.query(&sql, &values).await?;
    // RETURNING promises no order.
    let rank = |row: &Row| Some((row.get::<i64>("priority").ok()?, row.get::<i64>("run_at").ok()?));
    rows.sort_by_key(rank);
    rows.iter().map(job).collect()
}

fn job(row: &Row) -> Result<Job> {
    Ok(Job {
        id: row.get("id")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        token: row.get("lease_token")?,
        times_leased: row.get("times_leased")?,
        times_failed: row.get("times_failed")?,
    })
}

/// Prolongs the leases of jobs that one owner works on, and returns the ids of those that it still has.
///
/// # Errors
/// A problem of the store.
pub async fn heartbeat(tx: &mut Tx<'_>, jobs: &[Job]) -> Result<Vec<String>> {
    let until = tx.now().saturating_add(LEASE).unwrap_or(Timestamp::MAX);
    let mut values: Vec<Value> = params![until].to_vec();
    let mut ours = Vec::new();
    for job in jobs {
        values.extend([Value::from(&job.id), Value::from(&job.token)]);
        ours.push(format!("(id = ${} AND lease_token = ${})", values.len() - 1, values.len()));
    }
    if ours.is_empty() {
        return Ok(vec![]);
    }
    let sql = format!("UPDATE job SET lease_until = $1 WHERE {} RETURNING id", ours.join(" OR "));
    tx.query(&sql, &values).await?.iter().map(|row| row.get("id")).collect()
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

/// Ends a job. If it was asked for again while it ran, it becomes due at once instead.
///
/// # Errors
/// `MO-5007` if the lease is lost.
pub async fn complete(tx: &mut Tx<'_>, job: &Job) -> Result<()> {
    let sql = "DELETE FROM job WHERE id = $1 AND lease_token = $2 AND asked_again = 0";
    if tx.exec(sql, params![&job.id, &job.token]).await? == 1 {
        return Ok(());
    }
    again(tx, job, SignedDuration::ZERO).await
}

/// Gives a job back that went well and is to be run again after a while, or at once if it was asked for again.
///
/// # Errors
/// `MO-5007` if the lease is lost.
pub async fn again(tx: &mut Tx<'_>, job: &Job, after: SignedDuration) -> Result<()> {
    let now = tx.now();
    let run_at = now.saturating_add(after).unwrap_or(Timestamp::MAX);
    let touched = tx
        .exec(
            "UPDATE job SET run_at = CASE WHEN asked_again = 1 THEN CAST($3 AS BIGINT) ELSE $4 END, asked_again = 0, times_leased = 0, times_failed = 0,
                 lease_until = NULL, lease_token = NULL, lease_owner = NULL
             WHERE id = $1 AND lease_token = $2",
            params![&job.id, &job.token, now, run_at],
        )
        .await?;
    fenced(job, touched)
}

/// Gives a failed job back to be tried again after a while.
///
/// # Errors
/// `MO-5007` if the lease is lost.
pub async fn fail(tx: &mut Tx<'_>, job: &Job, after: SignedDuration) -> Result<()> {
    let run_at = tx.now().saturating_add(after).unwrap_or(Timestamp::MAX);
    let touched = tx
        .exec(
            "UPDATE job SET run_at = $3, asked_again = 0, times_leased = 0, times_failed = times_failed + 1,
                 lease_until = NULL, lease_token = NULL, lease_owner = NULL
             WHERE id = $1 AND lease_token = $2",
            params![&job.id, &job.token, run_at],
        )
        .await?;
    fenced(job, touched)
}

/// Puts a job aside with a reason: nobody takes it up until it is enqueued again, which may have happened while it ran.
///
/// # Errors
/// `MO-5007` if the lease is lost.
pub async fn park(tx: &mut Tx<'_>, job: &Job, reason: &Reason) -> Result<()> {
    let touched = tx
        .exec(
            "UPDATE job SET parked = CASE WHEN asked_again = 1 THEN NULL ELSE $3 END, asked_again = 0, times_leased = 0, lease_until = NULL, lease_token = NULL, lease_owner = NULL
             WHERE id = $1 AND lease_token = $2",
            params![&job.id, &job.token, value::json(reason)?],
        )
        .await?;
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
