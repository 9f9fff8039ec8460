//! What the mirror remembers and the store does not: requests whose erasure was about to begin after the backup was made.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::Result;
use serde::Serialize;
use store::{Tx, ledger};

use super::mirror::{Intent, Mirror};
use super::origin::Beginning;
use crate::Engine;

/// What the store has forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// The requests, the oldest first.
    pub requests: Vec<Intent>,
    /// When the store was last restored; what it forgot before that was said then.
    pub restored_at: Option<Timestamp>,
}

impl Forgotten {
    /// Returns the requests that no restore accounts for.
    pub fn unexplained(&self) -> usize {
        let explained = |intent: &&Intent| self.restored_at.is_some_and(|at| intent.at <= at);
        self.requests.len() - self.requests.iter().filter(explained).count()
    }
}

/// Returns the requests that the mirror knows of and the store does not.
///
/// # Errors
/// `MO-7004` if the mirror cannot be read, or what the store says.
pub async fn forgotten(engine: &Engine) -> Result<Forgotten> {
    let intents = Mirror::of(engine).intents()?;
    let read = engine.store.read("ledger.forgotten", move |tx| {
        Box::pin(async move {
            let requests = forgotten_in(tx, intents).await?;
            let restored_at = match ledger::past(tx).await?.is_empty() {
                true => None,
                false => match ledger::leaves(None).next(tx).await?.first() {
                    Some(first) => Some(Beginning::read(first)?.at),
                    None => None,
                },
            };
            Ok(Forgotten { requests, restored_at })
        })
    });
    read.await
}

/// Takes out of `intents` what the store knows of: an intent in any log, or the request itself.
pub(crate) async fn forgotten_in(tx: &mut Tx<'_>, mut intents: BTreeMap<String, Intent>) -> Result<Vec<Intent>> {
    let mut logs: Vec<_> = ledger::past(tx).await?.into_iter().map(|past| Some(past.origin)).collect();
    logs.push(None);
    for log in logs {
        let mut walk = ledger::leaves(log);
        while !intents.is_empty() {
            let batch = walk.next(tx).await?;
            if batch.is_empty() {
                break;
            }
            for intent in batch.iter().filter_map(|leaf| serde_json::from_slice::<Intent>(leaf).ok()) {
                intents.remove(&intent.request);
            }
        }
    }
    let mut forgotten = Vec::new();
    for (request, intent) in intents {
        // A process may have died between the mirror and the ledger: its request is here, and says its intent again.
        if store::erasures::by_id(tx, &request).await?.is_none() {
            forgotten.push(intent);
        }
    }
    forgotten.sort_by(|one, other| (one.at, &one.request).cmp(&(other.at, &other.request)));
    Ok(forgotten)
}
