//! Telling others: state changes go out as signed webhooks, at least once, to whom the operator declared.

mod deliver;
mod job;
mod schedule;

use model::{Problem, Result, codes};
use serde_json::json;
use store::outbox;
pub use store::outbox::Standing;
use store::world::Webhook;

use crate::Engine;
pub use job::WebhookJob;

/// Checks that a receiver can be sent to as it is declared, without sending anything.
///
/// # Errors
/// What is wrong with its secrets, its networks, or its address.
pub(crate) fn check(webhook: &Webhook) -> Result<()> {
    deliver::Receiver::new(webhook)?.check()
}

/// Returns how every declared receiver stands, by name.
///
/// # Errors
/// A problem of the store.
pub async fn list(engine: &Engine) -> Result<Vec<Standing>> {
    engine.store.read("webhook.list", |tx| Box::pin(outbox::standings(tx))).await
}

/// Lets everything that waits or was put aside for a receiver be tried at once; returns how many notices that are.
///
/// # Errors
/// `MO-8003` if there is no such receiver.
pub async fn retry(engine: &Engine, name: &str) -> Result<u64> {
    let name = name.to_owned();
    engine.store.write("webhook.retry", move |tx| Box::pin(async move { outbox::retry(tx, &name).await })).await
}

/// Sends one message of type `webhook.test`, at once and only once.
///
/// # Errors
/// `MO-8003` if there is no such receiver, else why the message was not taken.
pub async fn test(engine: &Engine, name: &str) -> Result<()> {
    let unknown = || Problem::new(&codes::notify::WEBHOOK_UNKNOWN, name);
    let webhook = job::declared(engine, name).await?.ok_or_else(unknown)?;
    let receiver = deliver::Receiver::new(&webhook)?;
    let now = engine.ambient.now();
    let body = json!({ "type": "webhook.test", "timestamp": now, "data": { "webhook": name } }).to_string();
    receiver.send(&engine.ambient.id(), &body, now).await
}
