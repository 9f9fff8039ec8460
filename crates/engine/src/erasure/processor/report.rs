//! Others say that they have done their part: a processor by a signed report, a person by hand.

use adapters::webhook::{MAX_WORDS, Status};
use aws_lc_rs::digest::SHA256;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use model::erasure::{ErasureState, Evidence};
use model::{Problem, Result, codes};
use serde::Serialize;
use store::Tx;
use store::erasures::{self, tasks};
use wire::webhook::{Headers, verify};

use super::{endpoint, evidence};
use crate::erasure::JOB;
use crate::{Engine, world};

/// The largest report that is taken, in bytes.
pub const MAX_REPORT: usize = 16 * 1024;
/// How many tasks are listed.
const LIST_LIMIT: u64 = 1000;

/// A task that is not done, as operators see it. Personal data: `what` names the person.
#[derive(Clone, Serialize)]
pub struct TaskView {
    /// Its id.
    pub id: String,
    /// The request.
    pub erasure: String,
    /// The system.
    pub system: String,
    /// The location.
    pub location: String,
    /// What is to be done, where a person is to do it.
    pub what: Option<String>,
    /// Who is to do it.
    pub assignee: Option<String>,
    /// When it was given.
    pub created_at: Timestamp,
    /// By when it must be done.
    pub due_at: Timestamp,
    /// Whether its time is over.
    pub overdue: bool,
}

/// Returns what others have still to do, what is due first first.
///
/// # Errors
/// What the store says.
pub async fn open_tasks(engine: &Engine) -> Result<Vec<TaskView>> {
    let now = engine.ambient.now();
    let open = engine.store.read("erasure.open-tasks", |tx| Box::pin(tasks::open(tx, LIST_LIMIT))).await?;
    let view = |task: tasks::Task| TaskView {
        what: task.what.as_ref().map(|what| what.to_string()),
        overdue: now > task.due_at,
        id: task.id,
        erasure: task.erasure,
        system: task.system,
        location: task.location,
        assignee: task.assignee,
        created_at: task.created_at,
        due_at: task.due_at,
    };
    Ok(open.into_iter().map(view).collect())
}

/// Records that a task was done, on somebody's word; the request goes on.
///
/// # Errors
/// `MO-2066` for an unknown task, `MO-2018` if it was done before, `MO-2067` for words that say nothing.
pub async fn finish_task(engine: &Engine, id: &str, words: &str) -> Result<()> {
    if words.trim().is_empty() || words.chars().count() > MAX_WORDS {
        let detail = format!("evidence has 1 to {MAX_WORDS} characters");
        return Err(Problem::new(&codes::erasure::EVIDENCE_MISSING, detail));
    }
    let status = Status { state: "done".to_owned(), evidence: words.trim().to_owned() };
    let evidence = evidence(&status, "by hand", engine.ambient.now());
    if finish(engine, id, evidence).await? {
        return Ok(());
    }
    Err(Problem::new(&codes::erasure::STATE_CONFLICT, "the task was done before"))
}

/// Takes a processor's report on its task: signed with a secret of its system. A repeated report changes nothing.
///
/// # Errors
/// `MO-2066` for an unknown task, `MO-1040` to `MO-1042` for a signature that does not hold, `MO-2067` for a report that does not
/// say that the work is done.
pub async fn accept_report(engine: &Engine, id: &str, headers: &Headers, body: &[u8]) -> Result<()> {
    let wanted = id.to_owned();
    let task =
        engine.store.read("erasure.task", move |tx| Box::pin(async move { tasks::task(tx, &wanted).await })).await?;
    let systems = world::systems(engine).await?;
    let system = task.as_ref().and_then(|task| systems.iter().find(|system| system.declared.name == task.system));
    let webhook = system.filter(|system| system.declared.adapter == "webhook");
    // Who cannot sign learns the same of a task that exists as of one that does not.
    let webhook = endpoint(engine, webhook.ok_or_else(unknown)?)?;
    verify(headers, body, webhook.secrets(), engine.ambient.now())
        .map_err(|problem| if problem.is(&codes::door::WEBHOOK_MISMATCH) { unknown() } else { problem })?;
    let status: Status = serde_json::from_slice(body).unwrap_or_default();
    if !status.is_done() {
        let detail = "a report is JSON with \"state\": \"done\" and \"evidence\"";
        return Err(Problem::new(&codes::erasure::EVIDENCE_MISSING, detail));
    }
    finish(engine, id, evidence(&status, "its signed report", engine.ambient.now())).await.map(drop)
}

/// Records the evidence and lets the request go on; tells whether the task was still open.
async fn finish(engine: &Engine, id: &str, evidence: Evidence) -> Result<bool> {
    let id = id.to_owned();
    engine
        .store
        .write("erasure.task-done", move |tx| {
            let (id, evidence) = (id.clone(), evidence.clone());
            Box::pin(async move {
                let task = tasks::task(tx, &id).await?.ok_or_else(unknown)?;
                if !tasks::done(tx, &id, &evidence).await? {
                    return Ok(false);
                }
                wake(tx, &task.erasure).await?;
                Ok(true)
            })
        })
        .await
}

/// Lets a request go on that waits for others, or is blocked because one was overdue.
async fn wake(tx: &mut Tx<'_>, erasure: &str) -> Result<()> {
    let Some(request) = erasures::by_id(tx, erasure).await?.filter(|request| !request.state.is_final()) else {
        return Ok(());
    };
    let overdue = codes::erasure::PROCESSOR_OVERDUE.to_string();
    let was_overdue = request.reason.as_ref().is_some_and(|reason| reason.code == overdue);
    if request.state == ErasureState::Blocked && was_overdue {
        erasures::set_state(tx, erasure, ErasureState::Running, None).await?;
    }
    store::jobs::enqueue(tx, JOB, erasure, None).await?;
    Ok(())
}

/// Returns SHA-256 of what somebody said.
pub(super) fn digest(words: &str) -> String {
    HEXLOWER.encode(aws_lc_rs::digest::digest(&SHA256, words.as_bytes()).as_ref())
}

fn unknown() -> Problem {
    Problem::new(&codes::erasure::TASK_UNKNOWN, "")
}
