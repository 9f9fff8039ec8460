//! What is written into the ledger of a request: the intent before anything is destroyed, the result with its receipt at the end.

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
pub(super) async fn conclude(run: &Run<'_>, request: &Request, systems: &[SystemRow]) -> Result<(), Halt> {
    let kept = view::kept(systems);
    let state = if !kept.is_empty() || systems.iter().any(|row| row.state == SystemState::Kept) {
        ErasureState::PartlyRefused
    } else if tables::any_found(systems) {
        ErasureState::Complete
    } else {
        ErasureState::NoData
    };
    let result = |row: &SystemRow| json!({"name": row.name, "state": row.state, "tables": row.tables});
    let mut leaf = head("result", request);
    leaf.insert("state".to_owned(), json!(state));
    leaf.insert("received_at".to_owned(), json!(request.received_at));
    leaf.insert("finished_at".to_owned(), json!(run.engine.ambient.now()));
    leaf.insert("intent".to_owned(), json!(request.intent));
    leaf.insert("systems".to_owned(), systems.iter().map(result).collect());
    leaf.insert("kept".to_owned(), json!(kept));
    let id = request.id.clone();
    let receipt = run
        .write("erasure.conclude", move |tx| {
            Box::pin(async move {
                leaf.insert("person".to_owned(), person(tx, &id).await?);
                let receipt = ledger::prove(tx, Object(leaf)).await?;
                erasures::set_receipt(tx, &id, &json!(receipt)).await?;
                erasures::set_state(tx, &id, state, None).await?;
                Ok(receipt)
            })
        })
        .await?;
    Ok(ledger::mirror_checkpoint(run.engine, receipt.checkpoint).await?)
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
