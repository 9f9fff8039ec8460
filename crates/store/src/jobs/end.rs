//! How a run ends: well, to be run again, failed, or put aside. Each frees the lease, and only if it is still ours.

use jiff::{SignedDuration, Timestamp};
use model::Result;
use model::problem::Reason;

use super::{Job, fenced, these};
use crate::{Tx, params, value};

/// Ends a job. If it was asked for again while it ran, it becomes due at once instead.
///
/// # Errors
/// `MO-5007` if the lease is lost.
pub async fn complete(tx: &mut Tx<'_>, job: &Job) -> Result<()> {
    let ended = complete_all(tx, std::slice::from_ref(job)).await?;
    fenced(job, ended.len() as u64)
}

/// Ends several jobs as [`complete`] does, in one statement; returns the ids of those whose lease was still ours.
///
/// # Errors
/// A problem of the store; then none of them has ended.
pub async fn complete_all(tx: &mut Tx<'_>, jobs: &[Job]) -> Result<Vec<String>> {
    if jobs.is_empty() {
        return Ok(vec![]);
    }
    let (ours, values) = these(jobs, vec![]);
    let sql = format!("DELETE FROM job WHERE asked_again = 0 AND ({ours}) RETURNING id");
    let rows = tx.query(&sql, &values).await?;
    let mut ended = rows.iter().map(|row| row.get("id")).collect::<Result<Vec<String>>>()?;
    for job in jobs {
        if !ended.contains(&job.id) && give_back(tx, job, SignedDuration::ZERO).await? == 1 {
            ended.push(job.id.clone());
        }
    }
    Ok(ended)
}

/// Gives a job back that went well and is to be run again after a while, or at once if it was asked for again.
///
/// # Errors
/// `MO-5007` if the lease is lost.
pub async fn again(tx: &mut Tx<'_>, job: &Job, after: SignedDuration) -> Result<()> {
    let touched = give_back(tx, job, after).await?;
    fenced(job, touched)
}

async fn give_back(tx: &mut Tx<'_>, job: &Job, after: SignedDuration) -> Result<u64> {
    let now = tx.now();
    let run_at = now.saturating_add(after).unwrap_or(Timestamp::MAX);
    tx.exec(
        "UPDATE job SET run_at = CASE WHEN asked_again = 1 THEN CAST($3 AS BIGINT) ELSE $4 END, asked_again = 0, times_leased = 0, times_failed = 0,
             lease_until = NULL, lease_token = NULL, lease_owner = NULL
         WHERE id = $1 AND lease_token = $2",
        params![&job.id, &job.token, now, run_at],
    )
    .await
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
