//! What a ground kept goes when the ground is over: with an intent of its own, read again, and with a receipt.
//!
//! Years may lie between: identities are shredded by then, maps and laws may have changed. So the keys of what stayed find
//! it, the map and the catalogue of the day say what is to be done, and whoever carries the same identity by then is not touched.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use model::erasure::{ErasureState, Kept, SystemState, TableResult};
use model::plan::{Frozen, Keys, Plan};
use model::problem::Reason;
use model::{Problem, Result, Verdict, codes};
use serde_json::json;
use store::erasures::{self, KeptRow, Request, SystemRow};
use store::{Tx, jobs};
use wire::canonical::Object;

use super::job::Run;
use super::{identity, receipt, stop, view};
use crate::jobs::{Handler, Job, Outcome};
use crate::{Engine, ledger, world};

/// The kind of job; its subject is a request, or [`ALL`].
const JOB: &str = "erasure-kept";
/// The subject of the one job that looks for what is due.
const ALL: &str = "all";
/// How many requests one look takes up.
const BATCH: usize = 200;
/// When what could not be erased is tried again: somebody has to mend something first.
const TRY_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// A ground ends with the instant that it names: a moment later the rows may go.
const MOMENT: SignedDuration = SignedDuration::from_secs(1);
/// How often to look whether an emergency stop is over.
const WHILE_STOPPED: SignedDuration = SignedDuration::from_mins(5);

/// Erases what grounds kept, when they are over.
pub struct KeptJob;

#[async_trait]
impl Handler for KeptJob {
    fn kind(&self) -> &'static str {
        JOB
    }

    async fn run(&self, engine: &Engine, job: &Job) -> Result<Outcome> {
        let run = &Run { engine, job };
        if job.subject == ALL {
            return take_up(run).await;
        }
        match release(run).await {
            Err(problem) if problem.is(&codes::erasure::STOPPED) => Ok(Outcome::Again(WHILE_STOPPED)),
            released => released.map(|()| Outcome::Done),
        }
    }
}

/// Sees to it that somebody looks when the first of what requests keep is due.
pub(super) async fn schedule(tx: &mut Tx<'_>, next_at: Option<Timestamp>) -> Result<()> {
    if let Some(next_at) = next_at {
        jobs::enqueue(tx, JOB, ALL, Some(next_at.saturating_add(MOMENT).unwrap_or(Timestamp::MAX))).await?;
    }
    Ok(())
}

/// Gives every request of which something is due a job, and comes again when the next is.
async fn take_up(run: &Run<'_>) -> Result<Outcome> {
    let now = run.engine.ambient.now();
    let (due, next) = run
        .write("kept.due", move |tx| {
            Box::pin(async move {
                let due = erasures::kept_due(tx, now, BATCH).await?;
                for id in &due {
                    jobs::enqueue(tx, JOB, id, None).await?;
                }
                Ok((due.len(), erasures::kept_next(tx, now).await?))
            })
        })
        .await?;
    Ok(match next {
        // Those that were given a job are no longer due once it has run.
        _ if due == BATCH => Outcome::Again(SignedDuration::from_secs(1)),
        Some(next) => Outcome::Again(next.duration_since(now).saturating_add(MOMENT)),
        None => Outcome::Done,
    })
}

/// What one system holds after what was due there was erased.
#[derive(Clone)]
struct Released {
    row: SystemRow,
    left: KeptRow,
    /// What found it: a backup may bring it back, and then it is erased again.
    keys: Keys,
    /// What was erased this time, and what was read again.
    tables: Vec<TableResult>,
}

/// Erases what is due of one request in each of its systems.
async fn release(run: &Run<'_>) -> Result<()> {
    let id = run.job.subject.clone();
    let now = run.engine.ambient.now();
    let (request, systems, due) = run
        .write("kept.load", move |tx| {
            Box::pin(async move {
                let is_due = |row: &KeptRow| row.intent.is_some() || row.next_at.is_some_and(|next| next < now);
                let due: Vec<KeptRow> = erasures::kept(tx, &id).await?.into_iter().filter(is_due).collect();
                Ok((erasures::by_id(tx, &id).await?, erasures::systems(tx, &id).await?, due))
            })
        })
        .await?;
    let Some(request) = request.filter(|request| request.state.is_final() && !due.is_empty()) else { return Ok(()) };
    let due = intend(run, &request, due).await?;
    let mut released = Vec::new();
    for kept in &due {
        let Some(row) = systems.iter().find(|row| row.name == kept.system) else { continue };
        match erase(run, &request, row, kept, now).await {
            Ok(done) => released.push(done),
            Err(problem) if problem.verdict() == Verdict::Retry || problem.is(&codes::erasure::STOPPED) => {
                return Err(problem);
            }
            Err(problem) => return postpone(run, due, problem.reason()).await,
        }
    }
    conclude(run, &request, released).await
}

/// Writes what is going to be erased, outside the store and into the ledger, unless that was done before.
async fn intend(run: &Run<'_>, request: &Request, due: Vec<KeptRow>) -> Result<Vec<KeptRow>> {
    if due.iter().all(|row| row.intent.is_some()) {
        return Ok(due);
    }
    let mut leaf = receipt::head("intent", request);
    leaf.insert("of".to_owned(), json!("kept"));
    leaf.insert("at".to_owned(), json!(run.engine.ambient.now()));
    leaf.insert("systems".to_owned(), due.iter().map(|row| json!({"name": row.system})).collect());
    let leaf = Object(leaf);
    ledger::mirror_intent(run.engine, &leaf).await?;
    run.write("kept.intend", move |tx| {
        Box::pin(async move {
            let index = ledger::append(tx, &leaf).await?;
            let intended: Vec<KeptRow> =
                due.into_iter().map(|row| KeptRow { intent: row.intent.or(Some(index)), ..row }).collect();
            for row in &intended {
                erasures::put_kept(tx, row).await?;
            }
            Ok(intended)
        })
    })
    .await
}

/// Erases in one system what is over by now, and reads again.
async fn erase(run: &Run<'_>, request: &Request, row: &SystemRow, kept: &KeptRow, now: Timestamp) -> Result<Released> {
    let declared = world::systems_of(run.engine, &request.app).await?;
    let system = declared.iter().find(|system| system.declared.name == kept.system);
    let system = system.ok_or_else(|| {
        Problem::new(&codes::erasure::SYSTEM_REMOVED, format!("{} keeps rows whose ground is over", kept.system))
    })?;
    let (eraser, planned) = identity::open_and_plan(run.engine, system).await?;
    let plan = planned.map_err(|reasons| stopped(&kept.system, &reasons))?;
    let plan = Plan { as_of: Some(now), ..plan };
    stop::ensure_going(run.engine).await?;
    let erased = eraser.erase(&plan, &frozen(&kept.keys)).await?;
    let reread = eraser.reread(&plan, &erased.frozen).await?;
    if let Some(table) = reread.iter().find(|table| table.remaining > 0) {
        let evidence = format!("{} in {} of {}", table.remaining, table.name, kept.system);
        return Err(Problem::new(&codes::erasure::ROWS_REMAIN, evidence));
    }
    let tables: Vec<TableResult> = reread.iter().map(|now| gone_since(&row.tables, now)).collect();
    let state = if erased.kept.is_empty() { SystemState::VerifiedEmpty } else { SystemState::Kept };
    let left = KeptRow { keys: erased.staying, next_at: first(&erased.kept), intent: None, ..kept.clone() };
    let row = SystemRow { state, reason: None, tables: added(&row.tables, &tables), kept: erased.kept, ..row.clone() };
    Ok(Released { row, left, keys: kept.keys.clone(), tables })
}

/// The identities take no part: by now they may be those of somebody who came anew.
pub(super) fn frozen(keys: &Keys) -> Frozen {
    Frozen { keys: keys.clone(), ..Frozen::default() }
}

/// Returns when the first of what is kept is over.
pub(super) fn first(kept: &[Kept]) -> Option<Timestamp> {
    kept.iter().filter_map(|kept| kept.first_until).min()
}

/// What was kept and is not there any more was erased, also where a crash kept us from counting it.
fn gone_since(before: &[TableResult], now: &TableResult) -> TableResult {
    let kept = before.iter().find(|table| table.name == now.name).map_or(0, |table| table.kept);
    TableResult { found: kept, erased: kept.saturating_sub(now.kept), ..now.clone() }
}

/// The counts of the whole request.
fn added(before: &[TableResult], tables: &[TableResult]) -> Vec<TableResult> {
    let count = |table: &TableResult| {
        let now = tables.iter().find(|now| now.name == table.name);
        let erased = now.map_or(0, |now| now.erased);
        TableResult { erased: table.erased + erased, kept: now.map_or(table.kept, |now| now.kept), ..table.clone() }
    };
    before.iter().map(count).collect()
}

fn stopped(system: &str, reasons: &[Reason]) -> Problem {
    let words: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    Problem::new(&codes::erasure::KEPT_OVERDUE, format!("{system}: {}", words.join("; ")))
}

/// Says what stands in the way, and comes again: the rows stay listed as kept as long as they are there.
async fn postpone(run: &Run<'_>, due: Vec<KeptRow>, reason: Reason) -> Result<()> {
    let next = run.engine.ambient.now().saturating_add(TRY_AGAIN).unwrap_or(Timestamp::MAX);
    tracing::warn!(request = run.job.subject, %reason, "what a ground kept cannot be erased although the ground is over");
    run.write("kept.postpone", move |tx| {
        Box::pin(async move {
            for row in due {
                erasures::set_kept_reason(tx, &row.erasure, &reason).await?;
                erasures::put_kept(tx, &KeptRow { next_at: Some(next), intent: None, ..row }).await?;
            }
            schedule(tx, Some(next)).await
        })
    })
    .await
}

/// Writes the result, signs it, and says what is true of the request now.
async fn conclude(run: &Run<'_>, request: &Request, released: Vec<Released>) -> Result<()> {
    let request = request.clone();
    let checkpoint = run
        .write("kept.conclude", move |tx| {
            Box::pin(async move {
                for Released { row, left, keys, .. } in &released {
                    let mut frozen = erasures::system_frozen(tx, &request.id, &row.name).await?.unwrap_or_default();
                    for (name, values) in keys {
                        frozen.keys.entry(name.clone()).or_default().extend(values.iter().cloned());
                    }
                    erasures::freeze_keys(tx, &request.id, &row.name, &frozen).await?;
                    erasures::put_kept(tx, left).await?;
                    erasures::put_system(tx, &request.id, row).await?;
                    schedule(tx, left.next_at).await?;
                }
                let systems = erasures::systems(tx, &request.id).await?;
                let over = erasures::kept(tx, &request.id).await?.is_empty() && view::kept(&systems).is_empty();
                let (state, reason) = match (over, request.state) {
                    (true, ErasureState::PartlyRefused) => {
                        (ErasureState::Complete, Some(Problem::new(&codes::erasure::KEPT_ENDED, "").reason()))
                    }
                    (_, state) => (state, None),
                };
                let mut leaf = receipt::head("result", &request);
                leaf.insert("of".to_owned(), json!("kept"));
                leaf.insert("state".to_owned(), json!(state));
                leaf.insert("finished_at".to_owned(), json!(tx.ambient.now()));
                let told =
                    |done: &Released| json!({"name": done.row.name, "state": done.row.state, "tables": done.tables});
                leaf.insert("systems".to_owned(), released.iter().map(told).collect());
                leaf.insert("kept".to_owned(), json!(view::kept(&systems)));
                leaf.insert("person".to_owned(), receipt::person(tx, &request.id).await?);
                let receipt = ledger::prove(tx, Object(leaf)).await?;
                erasures::end_kept(tx, &request.id, state, reason.as_ref(), &json!(receipt)).await?;
                Ok(receipt.checkpoint)
            })
        })
        .await?;
    ledger::mirror_checkpoint(run.engine, checkpoint).await
}
