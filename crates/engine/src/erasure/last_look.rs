//! The last look before a request ends. Systems are finished one after the other and days may lie between them:
//! only when all are found clear in one round, the request has an answer for everybody who waits for it.

use model::erasure::SystemState;
use model::plan::Frozen;
use model::{Identity, Problem, codes};
use store::erasures::{self, Request, SystemRow};
use store::world::System;

use super::job::{Halt, Run};
use super::recall::{self, Recalled};
use super::{receipt, systems};
use crate::world;

/// How often finished systems are taken up again before rows that come back block the request.
const ROUNDS: u64 = 3;

/// What the last look found out.
#[derive(Clone)]
pub(super) struct LastLook {
    /// How many codes led to the request when it began.
    pub codes: u64,
    /// The finished systems that are no longer declared, so that nobody could look.
    pub gone: Vec<String>,
    /// What earlier requests of the person left on a ground.
    pub recalled: Vec<Recalled>,
}

/// A finished system that holds rows of the person again, and the evidence.
#[derive(Clone)]
struct Unclear {
    row: SystemRow,
    evidence: String,
}

/// Looks at every system once more; ends the request if all are clear, else takes those up again that are not.
pub(super) async fn conclude(run: &Run<'_>, request: &Request, systems: &[SystemRow]) -> Result<(), Halt> {
    let id = request.id.clone();
    let (identities, codes) = run
        .write("erasure.last-look", move |tx| {
            Box::pin(async move { Ok((erasures::identities(tx, &id).await?, erasures::count_codes(tx, &id).await?)) })
        })
        .await?;
    let declared = world::systems_of(run.engine, &request.app).await?;
    let mut unclear = Vec::new();
    for row in systems {
        // What was finished and is no longer declared cannot be looked at: the receipt says so.
        let Some(system) = declared.iter().find(|system| system.declared.name == row.name) else { continue };
        if let Some(evidence) = look(run, row, system, &identities).await? {
            unclear.push(Unclear { row: row.clone(), evidence });
        }
    }
    if !unclear.is_empty() {
        return take_up(run, unclear).await;
    }
    let recalled = recall::recall(run, request, &identities, &declared).await?;
    let gone = systems.iter().map(|row| row.name.clone());
    let gone = gone.filter(|name| declared.iter().all(|system| system.declared.name != *name)).collect();
    receipt::conclude(run, request, systems, LastLook { codes, gone, recalled }).await
}

/// Reads a finished system again by all that is known of the person by now, and tells what it holds of them.
async fn look(
    run: &Run<'_>,
    row: &SystemRow,
    system: &System,
    identities: &[Identity],
) -> Result<Option<String>, Halt> {
    let (id, name) = (run.job.subject.clone(), row.name.clone());
    let frozen = run
        .write("erasure.frozen", move |tx| Box::pin(async move { erasures::system_frozen(tx, &id, &name).await }))
        .await?;
    let (Some(plan), Some(frozen)) = (&row.plan, frozen) else {
        return Ok(Some(format!("{} was never planned", row.name)));
    };
    let frozen = widened(frozen, identities);
    let at = |problem| Halt::at(&row.name, problem);
    let opened = systems::open(run.engine, system, Some(&run.job.subject)).await.map_err(at)?;
    let tables = opened.eraser.reread(plan, &frozen).await.map_err(at)?;
    let left = tables.iter().filter(|table| table.remaining > 0);
    let left: Vec<String> = left.map(|table| format!("{} in {}", table.remaining, table.name)).collect();
    Ok((!left.is_empty()).then(|| format!("in {}: {}", row.name, left.join(", "))))
}

/// Adds what other systems taught of the person after this one was finished.
fn widened(mut frozen: Frozen, identities: &[Identity]) -> Frozen {
    for identity in identities {
        if !frozen.identities.contains(identity) {
            frozen.identities.push(identity.clone());
        }
    }
    frozen
}

/// Sets the systems back, so that they are planned and erased like those that were never finished; but not for ever.
async fn take_up(run: &Run<'_>, unclear: Vec<Unclear>) -> Result<(), Halt> {
    let Some(first) = unclear.first().map(|system| system.row.name.clone()) else { return Ok(()) };
    let evidence: Vec<String> = unclear.iter().map(|system| system.evidence.clone()).collect();
    let id = run.job.subject.clone();
    let rounds = run
        .write("erasure.take-up", move |tx| {
            Box::pin(async move {
                let rounds = erasures::add_round(tx, &id).await?;
                for Unclear { mut row, .. } in unclear {
                    (row.state, row.reason, row.plan) = (SystemState::Pending, None, None);
                    erasures::put_system(tx, &id, &row).await?;
                }
                Ok(rounds)
            })
        })
        .await?;
    if rounds <= ROUNDS {
        return Ok(());
    }
    let detail = format!("looked at again after every system was done, {rounds} times: {}", evidence.join("; "));
    Err(Halt::Blocked(first, Problem::new(&codes::erasure::ROWS_REMAIN, detail).reason()))
}
