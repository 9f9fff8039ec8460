//! What is written into the ledger of a request: the intent before anything is destroyed, the result with its receipt at the end.

use jiff::Timestamp;
use model::Result;
use model::erasure::{ErasureState, SystemState};
use serde_json::{Map, Value, json};
use store::Tx;
use store::erasures::{self, Request, SystemRow};
use wire::canonical::Object;

use super::job::{Halt, Run};
use super::{tables, view};
use crate::ledger;

/// Writes the intent: first outside the store, then into the ledger. Only behind it anything is destroyed.
pub(super) async fn intend(run: &Run<'_>, request: &Request, systems: &[SystemRow]) -> Result<(), Halt> {
    let found = |row: &SystemRow| {
        let tables: Vec<Value> =
            row.tables.iter().map(|table| json!({"name": table.name, "found": table.found})).collect();
        json!({"name": row.name, "tables": tables})
    };
    let mut leaf = head("intent", request);
    leaf.insert("at".to_owned(), json!(run.engine.ambient.now()));
    leaf.insert("systems".to_owned(), systems.iter().map(found).collect());
    let id = request.id.clone();
    let person = run.write("erasure.person", move |tx| Box::pin(async move { person(tx, &id).await })).await?;
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
/// Does nothing if more than `codes` lead to it by now: who joined after the last look is not answered by it.
pub(super) async fn conclude(run: &Run<'_>, request: &Request, systems: &[SystemRow], codes: u64) -> Result<(), Halt> {
    let (request, mut systems) = (request.clone(), systems.to_vec());
    let receipt = run
        .write("erasure.conclude", move |tx| {
            Box::pin(async move {
                if erasures::count_codes(tx, &request.id).await? != codes {
                    return Ok(None);
                }
                for row in systems.iter_mut().filter(|row| row.reason.is_some()) {
                    // It was away when it was to be looked at again, and has been looked at since.
                    row.reason = None;
                    erasures::put_system(tx, &request.id, row).await?;
                }
                if !tables::any_found(&systems) {
                    recall_kept(tx, &request, &mut systems).await?;
                }
                let state = outcome(&systems);
                let mut leaf = result(&request, state, &systems, tx.ambient.now());
                leaf.insert("person".to_owned(), person(tx, &request.id).await?);
                let receipt = ledger::prove(tx, Object(leaf)).await?;
                erasures::set_receipt(tx, &request.id, &json!(receipt)).await?;
                erasures::set_state(tx, &request.id, state, None).await?;
                Ok(Some(receipt))
            })
        })
        .await?;
    let Some(receipt) = receipt else { return Ok(()) };
    Ok(ledger::mirror_checkpoint(run.engine, receipt.checkpoint).await?)
}

/// Adds what an earlier request of the same person left on a ground that still holds: it no longer bears the person's
/// identities, so a search does not find it, but it is there.
async fn recall_kept(tx: &mut Tx<'_>, request: &Request, systems: &mut [SystemRow]) -> Result<()> {
    let identities = erasures::identities(tx, &request.id).await?;
    let now = tx.ambient.now();
    let known = erasures::of_person(tx, &request.app, &identities).await?;
    let Some(earlier) = known.into_iter().find(|earlier| earlier.state == ErasureState::PartlyRefused) else {
        return Ok(());
    };
    for before in erasures::systems(tx, &earlier.id).await? {
        let holds = before.kept.into_iter().filter(|kept| kept.until.is_none_or(|until| until > now));
        if let Some(row) = systems.iter_mut().find(|row| row.name == before.name) {
            row.kept = holds.collect();
            erasures::put_system(tx, &request.id, row).await?;
        }
    }
    Ok(())
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

fn result(request: &Request, state: ErasureState, systems: &[SystemRow], at: Timestamp) -> Map<String, Value> {
    let system = |row: &SystemRow| json!({"name": row.name, "state": row.state, "tables": row.tables});
    let mut leaf = head("result", request);
    leaf.insert("state".to_owned(), json!(state));
    leaf.insert("received_at".to_owned(), json!(request.received_at));
    leaf.insert("finished_at".to_owned(), json!(at));
    leaf.insert("intent".to_owned(), json!(request.intent));
    leaf.insert("systems".to_owned(), systems.iter().map(system).collect());
    leaf.insert("kept".to_owned(), json!(view::kept(systems)));
    leaf
}

fn head(kind: &str, request: &Request) -> Map<String, Value> {
    let mut leaf = Map::new();
    leaf.insert("kind".to_owned(), json!(kind));
    leaf.insert("request".to_owned(), json!(request.id));
    leaf.insert("app".to_owned(), json!(request.app));
    leaf
}

/// Returns the salted keyed hash of the identities: it recognises the person only as long as the salt exists.
async fn person(tx: &mut Tx<'_>, id: &str) -> Result<Value> {
    let Some(salt) = erasures::salt(tx, id).await? else { return Ok(Value::Null) };
    let mut identities = erasures::identities(tx, id).await?;
    identities.sort();
    let text = zeroize::Zeroizing::new(store::value::json(&identities)?);
    let digest = tx.vault().digest("ledger-person", &[&salt[..], text.as_bytes()].concat());
    Ok(Value::String(data_encoding::HEXLOWER.encode(&digest)))
}
