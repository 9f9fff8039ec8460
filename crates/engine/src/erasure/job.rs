//! The work of one request, in steps that are each durable when they end. A process may die anywhere: the next one goes on from what is stored.

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use model::erasure::{ErasureState, SystemState};
use model::plan::Frozen;
use model::problem::Reason;
use model::{Problem, Result, Verdict, codes};
use store::erasures::{self, Request, SystemRow};
use store::{Tx, jobs};

use super::identity::{self, Findings, Look};
use super::{JOB, erase, last_look, processor, receipt, stop, tables};
use crate::Engine;
use crate::jobs::{Handler, Job, Outcome};

/// Carries out erasures.
pub struct ErasureJob;

#[async_trait]
impl Handler for ErasureJob {
    fn kind(&self) -> &'static str {
        JOB
    }

    async fn run(&self, engine: &Engine, job: &Job) -> Result<Outcome> {
        loop {
            match step(engine, job).await? {
                Step::More => {}
                Step::Rest => return Ok(Outcome::Done),
                Step::Later(at) => return Ok(Outcome::Again(at.duration_since(engine.ambient.now()))),
            }
        }
    }

    async fn parked(&self, engine: &Engine, job: &Job, reason: &Reason) -> Result<()> {
        let (id, reason) = (job.subject.clone(), reason.clone());
        let blocked = engine
            .store
            .write("erasure.parked", move |tx| {
                Box::pin(async move { erasures::set_state(tx, &id, ErasureState::Blocked, Some(&reason)).await })
            })
            .await;
        match blocked {
            Err(problem) if problem.is(&codes::erasure::STATE_CONFLICT) => Ok(()),
            blocked => blocked,
        }
    }
}

/// Asks for the work on a request, from `at` on (now if unsaid), in turn with those of other apps.
pub(super) async fn enqueue(tx: &mut Tx<'_>, app: &str, id: &str, at: Option<Timestamp>) -> Result<()> {
    jobs::enqueue_for(tx, JOB, app, id, at).await.map(drop)
}

/// One run of a job. Its writes begin by making sure that the lease is still ours.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The job, whose subject is the request's id.
    pub job: &'a Job,
}

impl Run<'_> {
    /// Runs an operation under the lease.
    pub async fn write<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let job = self.job.clone();
        self.engine
            .store
            .write(name, move |tx| {
                Box::pin(async move {
                    jobs::hold(tx, &job).await?;
                    if erasures::is_paused(tx, &job.subject).await? {
                        return Err(Problem::new(&codes::erasure::STATE_CONFLICT, "somebody paused it"));
                    }
                    operation(tx).await
                })
            })
            .await
    }
}

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next step can be taken.
    More,
    /// The request has ended, or waits for somebody.
    Rest,
    /// There is nothing to do before this instant.
    Later(Timestamp),
}

/// What keeps a request from going on.
pub(super) enum Halt {
    /// Our own store failed; the request stays as it is and the job tries again.
    Store(Problem),
    /// The system of this name is away; the request waits and the job tries again.
    Away(String, Problem),
    /// A safety rule struck in the system of this name.
    Blocked(String, Reason),
    /// Everything is stopped.
    Stopped(Problem),
    /// In the system of this name others have not reported yet; everything else goes on.
    Awaiting(String, Reason),
    /// Nothing is left to do but to wait for others.
    Later(String, Reason),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Store(problem)
    }
}

impl Halt {
    /// Takes a system's failure for what its verdict says.
    pub(super) fn at(system: &str, problem: Problem) -> Self {
        match problem.verdict() {
            _ if problem.is(&codes::erasure::AWAITING_PROCESSOR) => Self::Awaiting(system.to_owned(), problem.reason()),
            Verdict::Retry => Self::Away(system.to_owned(), problem),
            _ => Self::Blocked(system.to_owned(), problem.reason()),
        }
    }
}

/// Takes the next step of a request: resolve and freeze, intend, erase one system, look again and conclude.
///
/// # Errors
/// What the job's verdict is to judge: our store, or a system that is away.
pub async fn step(engine: &Engine, job: &Job) -> Result<Step> {
    let run = &Run { engine, job };
    let Some((request, systems)) = load(engine, &job.subject).await? else { return Ok(Step::Rest) };
    if request.state == ErasureState::AwaitingIdentity {
        return expire(run, &request).await;
    }
    if let Some(later) = cools_off(&request, engine.ambient.now()) {
        return Ok(Step::Later(later));
    }
    if !is_workable(&request) {
        return Ok(Step::Rest);
    }
    let (awaited, unfinished): (Vec<_>, Vec<_>) =
        systems.iter().filter(|system| !is_finished(system)).partition(|system| processor::is_awaited(system));
    let unplanned = systems.iter().any(|system| !is_finished(system) && system.plan.is_none());
    let taken = if !request.frozen || unplanned {
        resolve(run, &request, &systems).await
    } else if request.intent.is_none() && tables::any_found(&systems) {
        receipt::intend(run, &request, &systems).await
    } else if let Some(system) = unfinished.first() {
        erase::system(run, &request, system).await
    } else if !awaited.is_empty() {
        processor::look(run, &request, &awaited).await
    } else {
        last_look::conclude(run, &request, &systems).await
    };
    match taken {
        Ok(()) => Ok(Step::More),
        Err(Halt::Stopped(problem)) => stop::rest(run, &problem).await,
        // Somebody took it back or paused it while this step was under way; nothing of the step is kept.
        Err(Halt::Store(problem)) if problem.is(&codes::erasure::STATE_CONFLICT) => Ok(Step::Rest),
        Err(Halt::Store(problem)) => Err(problem),
        Err(Halt::Away(name, problem)) => {
            rest(run, &name, ErasureState::Waiting, problem.reason()).await?;
            Err(problem)
        }
        Err(Halt::Blocked(name, reason)) => {
            rest(run, &name, ErasureState::Blocked, reason).await?;
            Ok(Step::Rest)
        }
        Err(Halt::Awaiting(name, reason)) => {
            rest(run, &name, ErasureState::Running, reason).await?;
            Ok(Step::More)
        }
        Err(Halt::Later(name, reason)) => {
            rest(run, &name, ErasureState::Waiting, reason).await?;
            let next = engine.ambient.now().saturating_add(processor::LOOK_AGAIN);
            Ok(Step::Later(next.unwrap_or(Timestamp::MAX)))
        }
    }
}

async fn load(engine: &Engine, id: &str) -> Result<Option<(Request, Vec<SystemRow>)>> {
    let id = id.to_owned();
    engine
        .store
        .read("erasure.load", move |tx| {
            Box::pin(async move {
                let Some(request) = erasures::by_id(tx, &id).await? else { return Ok(None) };
                let systems = erasures::systems(tx, &id).await?;
                Ok(Some((request, systems)))
            })
        })
        .await
}

/// Ends a request whose proof never came; before that, there is nothing to do.
async fn expire(run: &Run<'_>, request: &Request) -> Result<Step> {
    if let Some(by) = request.prove_by.filter(|by| *by > run.engine.ambient.now()) {
        return Ok(Step::Later(by));
    }
    let id = request.id.clone();
    run.write("erasure.expire", move |tx| {
        Box::pin(async move {
            let still = erasures::by_id(tx, &id).await?.map(|request| request.state);
            if still == Some(ErasureState::AwaitingIdentity) {
                erasures::forget_proofs(tx, &id).await?;
                erasures::set_state(tx, &id, ErasureState::Expired, None).await?;
            }
            Ok(Step::Rest)
        })
    })
    .await
}

/// Returns until when a request waits so that the person can take it back.
fn cools_off(request: &Request, now: Timestamp) -> Option<Timestamp> {
    request.not_before.filter(|at| request.state == ErasureState::Waiting && *at > now)
}

/// Tells whether a worker may go on: not with what has ended, is blocked or paused, or waits for a person.
fn is_workable(request: &Request) -> bool {
    match request.state {
        ErasureState::Received | ErasureState::Running => true,
        ErasureState::Waiting => request.reason.as_ref().is_none_or(|reason| {
            reason.verdict == Verdict::Retry || reason.code == codes::erasure::COOLING_OFF.to_string()
        }),
        _ => false,
    }
}

/// Tells whether a system needs no more work.
pub(super) fn is_finished(system: &SystemRow) -> bool {
    matches!(system.state, SystemState::VerifiedEmpty | SystemState::Attested | SystemState::Kept)
}

/// Resolves the person in all systems, then freezes them all; or stops before anything is destroyed.
async fn resolve(run: &Run<'_>, request: &Request, before: &[SystemRow]) -> Result<(), Halt> {
    let id = request.id.clone();
    let (requested, replay) = run
        .engine
        .store
        .read("erasure.identities", move |tx| {
            Box::pin(async move { Ok((erasures::identities(tx, &id).await?, erasures::replay(tx, &id).await?)) })
        })
        .await?;
    // A replay looks where a backup was restored: elsewhere the person may have come back of their own will.
    let only = replay.as_ref().map(|replay| &replay.systems[..]).filter(|systems| !systems.is_empty());
    let closed = request.frozen || replay.is_some();
    let mut findings = identity::resolve(run.engine, &request.app, &requested, closed, only).await?;
    if findings.is_blocked() {
        return Ok(record_blocked(run, request, before, &findings).await?);
    }
    let away = |look: &mut Look| look.away.take().map(|problem| (look.name.clone(), problem));
    if let Some((name, problem)) = findings.looks.iter_mut().find_map(away) {
        return Err(Halt::Away(name, problem));
    }
    Ok(freeze(run, request, before, findings).await?)
}

/// Stores every system as planned and the keys of the person there, in one operation.
async fn freeze(run: &Run<'_>, request: &Request, before: &[SystemRow], findings: Findings) -> Result<()> {
    let id = request.id.clone();
    let finished = |name: &str| before.iter().any(|row| row.name == name && is_finished(row));
    let surveyed = findings.looks.iter().filter(|look| !finished(&look.name));
    let surveyed: Vec<_> = surveyed.map(|look| (look.name.clone(), look.survey.frozen.clone())).collect();
    let rows = rows(before, &findings.looks, |look, row| {
        row.plan = look.plan.clone();
        row.tables = tables::after_survey(&row.tables, &look.survey.tables);
    });
    let gone = gone(before, &findings.looks);
    let identities = findings.identities;
    run.write("erasure.freeze", move |tx| {
        Box::pin(async move {
            let mut keys = Vec::new();
            for (name, found) in surveyed {
                let known = erasures::system_frozen(tx, &id, &name).await?;
                keys.push((name, merged(known, found)));
            }
            for name in &gone {
                erasures::remove_system(tx, &id, name).await?;
            }
            for row in &rows {
                erasures::put_system(tx, &id, row).await?;
            }
            erasures::freeze(tx, &id, &identities, &keys).await?;
            erasures::set_state(tx, &id, ErasureState::Running, None).await
        })
    })
    .await
}

/// Adds what a survey found to what was frozen before: a second look never forgets whom the first was about.
fn merged(known: Option<Frozen>, found: Frozen) -> Frozen {
    let Some(mut frozen) = known else { return found };
    for identity in found.identities {
        if !frozen.identities.contains(&identity) {
            frozen.identities.push(identity);
        }
    }
    for (column, values) in found.keys {
        frozen.keys.entry(column).or_default().extend(values);
    }
    frozen
}

/// Stores what stands in the way, system by system. Nothing is frozen: as nothing was destroyed, a resumed request looks afresh.
async fn record_blocked(run: &Run<'_>, request: &Request, before: &[SystemRow], findings: &Findings) -> Result<()> {
    let id = request.id.clone();
    let rows = rows(before, &findings.looks, |look, row| {
        row.reason = joined(&look.blockers);
        if row.reason.is_some() {
            row.state = SystemState::Blocked;
        }
    });
    let gone = gone(before, &findings.looks);
    let reason = joined(&findings.reasons().cloned().collect::<Vec<_>>());
    run.write("erasure.block", move |tx| {
        Box::pin(async move {
            for name in &gone {
                erasures::remove_system(tx, &id, name).await?;
            }
            for row in &rows {
                erasures::put_system(tx, &id, row).await?;
            }
            erasures::set_state(tx, &id, ErasureState::Blocked, reason.as_ref()).await
        })
    })
    .await
}

/// Makes the row of every system that was looked at; those that are finished stay as they are.
fn rows(before: &[SystemRow], looks: &[Look], mut fill: impl FnMut(&Look, &mut SystemRow)) -> Vec<SystemRow> {
    let row = |(position, look): (usize, &Look)| {
        let known = before.iter().find(|row| row.name == look.name);
        if let Some(row) = known.filter(|row| is_finished(row)) {
            return row.clone();
        }
        let mut row = SystemRow {
            name: look.name.clone(),
            position: position as u64,
            label: look.label.clone(),
            state: SystemState::Pending,
            reason: None,
            plan: None,
            tables: known.map(|row| row.tables.clone()).unwrap_or_default(),
            kept: known.map(|row| row.kept.clone()).unwrap_or_default(),
        };
        fill(look, &mut row);
        row
    };
    looks.iter().enumerate().map(row).collect()
}

/// Returns the unfinished systems that the declaration no longer has.
fn gone(before: &[SystemRow], looks: &[Look]) -> Vec<String> {
    let declared = |row: &&SystemRow| looks.iter().any(|look| look.name == row.name);
    before.iter().filter(|row| !is_finished(row) && !declared(row)).map(|row| row.name.clone()).collect()
}

/// Makes one reason of several: the first, which also names the others.
fn joined(reasons: &[Reason]) -> Option<Reason> {
    /// How many are named.
    const NAMED: usize = 10;
    let (first, others) = reasons.split_first()?;
    let mut reason = first.clone();
    for other in others.iter().take(NAMED).filter(|other| *other != first) {
        reason.detail.push_str(&format!("; also {} {}: {}", other.code, other.title, other.detail));
    }
    if others.len() > NAMED {
        reason.detail.push_str(&format!("; and {} more", others.len() - NAMED));
    }
    Some(reason)
}

/// Lets a request wait or be blocked because of one system, and says why at both.
async fn rest(run: &Run<'_>, name: &str, state: ErasureState, reason: Reason) -> Result<()> {
    let (id, name) = (run.job.subject.clone(), name.to_owned());
    run.write("erasure.rest", move |tx| {
        Box::pin(async move {
            // Read afresh: what was counted since the step began stays.
            let rows = erasures::systems(tx, &id).await?;
            if let Some(mut row) = rows.into_iter().find(|row| row.name == name) {
                row.reason = Some(reason.clone());
                if state == ErasureState::Blocked {
                    row.state = SystemState::Blocked;
                }
                erasures::put_system(tx, &id, &row).await?;
            }
            erasures::set_state(tx, &id, state, Some(&reason)).await
        })
    })
    .await
}
