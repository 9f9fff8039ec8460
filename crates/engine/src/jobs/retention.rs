//! The job that enforces what we say about how long we keep things.

use async_trait::async_trait;
use jiff::{SignedDuration, Span, Timestamp, ToSpan, tz::TimeZone};
use model::{Problem, Result, codes};
use store::retention::{self, After};

use super::handler::{Handler, Job, Outcome};
use crate::Engine;

/// The kind of job, and its only subject.
pub(super) const KIND: &str = "retention";
pub(super) const SUBJECT: &str = "all";
/// How often it runs.
const EVERY: SignedDuration = SignedDuration::from_hours(6);
/// The shortest replay window, in days.
const REPLAY_DAYS: i64 = 90;

/// Sweeps every table that has a line, and blobs that no row names.
pub struct RetentionJob;

#[async_trait]
impl Handler for RetentionJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, engine: &Engine, _job: &Job) -> Result<Outcome> {
        let now = engine.ambient.now();
        let systems = engine
            .store
            .read("retention.systems", |tx| Box::pin(async move { store::world::systems(tx).await }))
            .await?;
        let periods = systems.iter().filter_map(|system| system.declared.backups_kept.as_deref()?.parse().ok());
        let replay = replay_window_begins(now, periods)?;
        for line in retention::LINES {
            let Some(sweep) = &line.sweep else { continue };
            let older_than = match sweep.after {
                After::Days(days) => before(now, i64::from(days).days())?,
                After::ReplayWindow => replay,
            };
            let mut total = 0;
            loop {
                let swept = engine
                    .store
                    .write("retention.sweep", move |tx| {
                        Box::pin(async move { retention::sweep(tx, sweep, older_than).await })
                    })
                    .await?;
                if swept == 0 {
                    break;
                }
                total += swept;
            }
            if total > 0 {
                tracing::info!(line.table, line.holds, rows = total, "retention swept");
            }
        }
        let orphans = engine.store.blobs().sweep(&engine.store).await?;
        if orphans > 0 {
            tracing::info!(files = orphans, "retention swept files that no row names");
        }
        Ok(Outcome::Again(EVERY))
    }
}

/// Returns since when an ended erasure may have to be replayed: for the longest time that some backup is kept.
fn replay_window_begins(now: Timestamp, periods: impl Iterator<Item = Span>) -> Result<Timestamp> {
    let mut begins = before(now, REPLAY_DAYS.days())?;
    for period in periods {
        begins = begins.min(before(now, period)?);
    }
    Ok(begins)
}

/// Returns the instant a calendar period ago.
fn before(now: Timestamp, period: Span) -> Result<Timestamp> {
    let then = now.to_zoned(TimeZone::UTC).checked_sub(period).map_err(|cause| {
        Problem::new(&codes::config::WORLD_INVALID, "a backup is kept for longer than calendars reach").caused_by(cause)
    })?;
    Ok(then.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_replay_window_is_that_of_the_longest_backup_and_never_short() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let begins = |periods: &[&str]| {
            let periods: Vec<Span> = periods.iter().map(|period| period.parse().unwrap()).collect();
            replay_window_begins(now, periods.into_iter()).unwrap().to_string()
        };
        assert_eq!(begins(&["35d"]), "2026-08-24T12:00:00Z");
        assert_eq!(begins(&["35d", "1y", "100d"]), "2025-11-22T12:00:00Z");
    }
}
