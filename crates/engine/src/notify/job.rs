//! The job of one receiver: whatever is due for it, several at once, until all is taken or it cannot take more.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use model::{Problem, Result, codes};
use store::outbox::{self, Attempt, Health, Notice};
use store::world::Webhook;

use super::deliver::{Blame, Receiver, blame};
use super::schedule;
use crate::Engine;
use crate::jobs::{Handler, Job, Outcome};

/// How many notices are taken out at once.
const BATCH: usize = 64;
/// How many are under way at once.
const AT_ONCE: usize = 8;

/// Delivers what waits for one receiver.
pub struct WebhookJob;

#[async_trait]
impl Handler for WebhookJob {
    fn kind(&self) -> &'static str {
        outbox::JOB
    }

    async fn run(&self, engine: &Engine, job: &Job) -> Result<Outcome> {
        // One that is no longer declared took its notices with it.
        let Some(webhook) = declared(engine, &job.subject).await? else { return Ok(Outcome::Done) };
        let receiver = Receiver::new(&webhook)?;
        loop {
            let (health, due) = load(engine, &job.subject).await?;
            if let Some(wait) = health.retry_at.map(|at| at.duration_since(engine.ambient.now())).filter(is_ahead) {
                return Ok(Outcome::Again(wait));
            }
            if due.is_empty() {
                let next = next_due(engine, &job.subject).await?;
                let wait = next.map(|at| at.duration_since(engine.ambient.now()).max(SignedDuration::ZERO));
                return Ok(wait.map_or(Outcome::Done, Outcome::Again));
            }
            // One that took nothing last time is asked with one notice.
            let most = if health.failures > 0 { 1 } else { BATCH };
            let round = deliver(engine, &receiver, due.into_iter().take(most)).await;
            record(engine, job, &health, round).await?;
        }
    }
}

fn is_ahead(wait: &SignedDuration) -> bool {
    wait.is_positive()
}

/// Returns the receiver of this name.
pub(super) async fn declared(engine: &Engine, name: &str) -> Result<Option<Webhook>> {
    let name = name.to_owned();
    engine
        .store
        .read("webhook.declared", move |tx| Box::pin(async move { store::world::webhook(tx, &name).await }))
        .await
}

async fn load(engine: &Engine, name: &str) -> Result<(Health, Vec<Notice>)> {
    let name = name.to_owned();
    engine
        .store
        .read("webhook.load", move |tx| {
            Box::pin(async move { Ok((outbox::health(tx, &name).await?, outbox::due(tx, &name, BATCH).await?)) })
        })
        .await
}

async fn next_due(engine: &Engine, name: &str) -> Result<Option<Timestamp>> {
    let name = name.to_owned();
    engine.store.read("webhook.next", move |tx| Box::pin(async move { outbox::next_due(tx, &name).await })).await
}

/// What came of some attempts.
#[derive(Default)]
struct Round {
    attempts: Vec<(String, Attempt)>,
    /// Why the receiver takes nothing, if so.
    down: Option<Problem>,
}

/// Tries notices, several at once; when the receiver turns out to take nothing, the others are left for later untried.
async fn deliver(engine: &Engine, receiver: &Receiver, notices: impl Iterator<Item = Notice> + Send) -> Round {
    let down = AtomicBool::new(false);
    let try_one = |notice: Notice| {
        let down = &down;
        async move {
            if down.load(Ordering::Relaxed) {
                return None;
            }
            let result = receiver.send(&notice.id, &notice.body, engine.ambient.now()).await;
            if result.as_ref().is_err_and(|problem| blame(problem) == Blame::Receiver) {
                down.store(true, Ordering::Relaxed);
            }
            Some((notice, result))
        }
    };
    let tried: Vec<_> = stream::iter(notices).map(try_one).buffered(AT_ONCE).collect().await;
    let mut round = Round::default();
    for (notice, result) in tried.into_iter().flatten() {
        let attempt = match &result {
            Ok(()) => Attempt::Taken,
            Err(problem) => after(engine, &notice, problem),
        };
        round.attempts.push((notice.id, attempt));
        if let Err(problem) = result
            && blame(&problem) == Blame::Receiver
        {
            round.down = Some(problem);
        }
    }
    round
}

/// Decides what becomes of a notice that was not taken.
fn after(engine: &Engine, notice: &Notice, problem: &Problem) -> Attempt {
    if engine.ambient.now().duration_since(notice.created_at) >= schedule::PATIENCE {
        let tried = notice.attempts.saturating_add(1);
        let detail = format!("tried {tried} times, the last time: {}: {}", problem.code.title, problem.detail);
        return Attempt::Parked(Problem::new(&codes::notify::NOTICE_GIVEN_UP, detail).reason());
    }
    let at = schedule::next_attempt(&engine.ambient, notice.attempts, problem.retry_after);
    Attempt::Again(at, problem.reason())
}

async fn record(engine: &Engine, job: &Job, before: &Health, round: Round) -> Result<()> {
    let job = job.clone();
    let health = match &round.down {
        None => Health::default(),
        Some(problem) => {
            tracing::warn!(%problem, webhook = job.subject, "a webhook's receiver takes nothing; it is tried again later");
            Health {
                failures: before.failures.saturating_add(1),
                retry_at: Some(schedule::next_probe(&engine.ambient, before.failures, problem.retry_after)),
                problem: Some(problem.reason()),
            }
        }
    };
    let changed = health != *before;
    engine
        .store
        .write("webhook.record", move |tx| {
            Box::pin(async move {
                store::jobs::hold(tx, &job).await?;
                for (id, attempt) in &round.attempts {
                    outbox::record(tx, &job.subject, id, attempt).await?;
                }
                if changed {
                    outbox::set_health(tx, &job.subject, &health).await?;
                }
                Ok(())
            })
        })
        .await
}
