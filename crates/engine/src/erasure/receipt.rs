//! What is written into the ledger of a request: the intent before anything is destroyed, the result with its receipt at the end.

use jiff::Timestamp;
use model::erasure::{ErasureState, SystemState};
use model::{Problem, Result, codes};
use serde_json::{Map, Value, json};
use store::Tx;
use store::erasures::{self, Replay, Request, SystemRow};
use wire::canonical::Object;

use super::job::{Halt, Run};
use super::last_look::LastLook;
use super::{kept, people, recall, tables, view};
use crate::ledger;

/// Writes the intent: first outside the store, then into the ledger. Only behind it anything is destroyed.
pub(super) async fn intend(run: &Run<'_>, request: &Request, systems: &[SystemRow]) -> Result<(), Halt> {
    let found = |row: &SystemRow| {
        let tables: Vec<Value> =
            row.tables.iter().map(|table| json!({"name": table.name, "found": table.found})).collect();
        json!({"name": row.name, "tables": tables})
    };
    let id = request.id.clone();
    let read = run.write("erasure.person", move |tx| {
        Box::pin(async move { Ok((person(tx, &id).await?, erasures::replay(tx, &id).await?)) })
    });
    let (person, replay) = read.await?;
    let mut leaf = head("intent", request);
    repeats(&mut leaf, replay);
    leaf.insert("at".to_owned(), json!(run.engine.ambient.now()));
    leaf.insert("systems".to_owned(), systems.iter().map(found).collect());
    leaf.insert("person".to_owned(), person);
    let leaf = Object(leaf);
    ledger::mirror_intent(run.engine, &leaf).await?;
    let id = request.id.clone();
    let append = run.write("erasure.intend", move |tx| {
        Box::pin(async move {
            let index = ledger::append(tx, &leaf).await?;
            erasures::set_intent(tx, &id, index).await
        })
    });
    Ok(append.await?)
}

/// Writes the result, signs it, and ends the request: all in one operation, so that it ends once.
///
/// Does nothing if more codes lead to it than before the last look: who joined after it is not answered by it.
pub(super) async fn conclude(
    run: &Run<'_>,
    request: &Request,
    systems: &[SystemRow],
    look: LastLook,
) -> Result<(), Halt> {
    let (request, mut systems) = (request.clone(), systems.to_vec());
    let receipt = run
        .write("erasure.conclude", move |tx| {
            Box::pin(async move {
                if erasures::count_codes(tx, &request.id).await? != look.codes {
                    return Ok(None);
                }
                for row in systems.iter_mut().filter(|row| row.reason.is_some()) {
                    // It was away when it was to be looked at again, and has been looked at since.
                    row.reason = None;
                    erasures::put_system(tx, &request.id, row).await?;
                }
                for row in systems.iter_mut().filter(|row| look.gone.contains(&row.name)) {
                    vouch(row);
                    erasures::put_system(tx, &request.id, row).await?;
                }
                recall::add(tx, &request, &mut systems, &look.recalled).await?;
                let state = outcome(&systems);
                let replay = erasures::replay(tx, &request.id).await?;
                let mut leaf = result(&request, replay, state, &systems, tx.ambient.now());
                leaf.insert("person".to_owned(), person(tx, &request.id).await?);
                let receipt = ledger::prove(tx, Object(leaf)).await?;
                erasures::set_receipt(tx, &request.id, &json!(receipt)).await?;
                erasures::set_state(tx, &request.id, state, None).await?;
                let identities = erasures::identities(tx, &request.id).await?;
                people::forget(tx, &request.app, &identities).await?;
                for kept in erasures::kept(tx, &request.id).await? {
                    kept::schedule(tx, kept.next_at).await?;
                }
                Ok(Some(receipt))
            })
        })
        .await?;
    let Some(receipt) = receipt else { return Ok(()) };
    Ok(ledger::mirror_checkpoint(run.engine, receipt.checkpoint).await?)
}

/// A system that was finished and then taken out of the declaration: it was read when it was done, but not in the last look.
fn vouch(row: &mut SystemRow) {
    if row.state == SystemState::VerifiedEmpty {
        row.state = SystemState::Attested;
    }
    let detail = format!("{} was read again when it was done, and not in the last look", row.name);
    row.reason = Some(Problem::new(&codes::erasure::SYSTEM_GONE_SINCE, detail).reason());
}

fn outcome(systems: &[SystemRow]) -> ErasureState {
    if systems.iter().any(|row| row.state == SystemState::Kept || !row.kept.is_empty()) {
        ErasureState::PartlyRefused
    } else if tables::any_found(systems) {
        ErasureState::Complete
    } else {
        ErasureState::NoData
    }
}

fn result(
    request: &Request,
    replay: Option<Replay>,
    state: ErasureState,
    systems: &[SystemRow],
    at: Timestamp,
) -> Map<String, Value> {
    let system = |row: &SystemRow| json!({"name": row.name, "state": row.state, "reason": row.reason.as_ref().map(|reason| &reason.code), "tables": tables::without_words(&row.tables)});
    let mut leaf = head("result", request);
    repeats(&mut leaf, replay);
    leaf.insert("state".to_owned(), json!(state));
    leaf.insert("received_at".to_owned(), json!(request.received_at));
    leaf.insert("finished_at".to_owned(), json!(at));
    leaf.insert("intent".to_owned(), json!(request.intent));
    leaf.insert("systems".to_owned(), systems.iter().map(system).collect());
    leaf.insert("kept".to_owned(), json!(view::kept(systems)));
    leaf
}

/// The beginning of every leaf about a request.
pub(super) fn head(kind: &str, request: &Request) -> Map<String, Value> {
    let mut leaf = Map::new();
    leaf.insert("kind".to_owned(), json!(kind));
    leaf.insert("request".to_owned(), json!(request.id));
    leaf.insert("app".to_owned(), json!(request.app));
    leaf
}

/// Says which request a replay repeats.
fn repeats(leaf: &mut Map<String, Value>, replay: Option<Replay>) {
    if let Some(replay) = replay {
        leaf.insert("replays".to_owned(), json!(replay.first));
        leaf.insert("since".to_owned(), json!(replay.since));
    }
}

/// Returns the salted keyed hash of the identities: it recognises the person only as long as the salt exists.
pub(super) async fn person(tx: &mut Tx<'_>, id: &str) -> Result<Value> {
    let Some(salt) = erasures::salt(tx, id).await? else { return Ok(Value::Null) };
    let mut identities = erasures::identities(tx, id).await?;
    identities.sort();
    let text = zeroize::Zeroizing::new(store::value::json(&identities)?);
    let digest = tx.vault().digest("ledger-person", &[&salt[..], text.as_bytes()].concat());
    Ok(Value::String(data_encoding::HEXLOWER.encode(&digest)))
}
