//! The first leaf of a log that begins after a restore: which log it goes on from, and what was forgotten of that.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};
use store::Tx;
use wire::canonical::Object;

/// The `kind` of the leaf.
const KIND: &str = "origin";

/// What the first leaf of a log says of the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beginning {
    kind: String,
    /// When the store was restored.
    pub at: Timestamp,
    /// When the backup was made.
    pub taken_at: Timestamp,
    /// The signed checkpoint of the old log as it was restored.
    pub previous: String,
    /// The newest signed checkpoint of the old log that the mirror remembered; what lies between the two is forgotten.
    pub seen: Option<String>,
    /// Logs that began after the backup was made, so that nothing of them is left.
    pub lost: BTreeSet<String>,
    /// How many requests the mirror knew of and the restored store does not.
    pub forgotten_requests: u64,
}

impl Beginning {
    /// Says how a log begins.
    pub(crate) fn new(at: Timestamp, taken_at: Timestamp, previous: String) -> Self {
        Self { kind: KIND.to_owned(), at, taken_at, previous, seen: None, lost: BTreeSet::new(), forgotten_requests: 0 }
    }

    /// Reads the first leaf of a log.
    ///
    /// # Errors
    /// `MO-5012` if it says nothing of a log before it.
    pub(crate) fn read(leaf: &[u8]) -> Result<Self> {
        let beginning = serde_json::from_slice::<Self>(leaf).ok().filter(|beginning| beginning.kind == KIND);
        beginning.ok_or_else(|| {
            Problem::new(&codes::store::LEDGER_BROKEN, "a log behind a restore does not name the one before it")
        })
    }

    fn leaf(&self) -> Result<Object> {
        let failed = |cause: serde_json::Error| {
            Problem::new(&codes::store::LEDGER_BROKEN, "the first leaf cannot be written").caused_by(cause)
        };
        serde_json::from_value(serde_json::to_value(self).map_err(failed)?).map_err(failed)
    }
}

/// Closes the present log and begins another one with this leaf.
///
/// Erasures that have begun and not ended have their intent in the closed log; it is said again in the new one.
pub(crate) async fn begin_anew(tx: &mut Tx<'_>, beginning: &Beginning) -> Result<()> {
    let closed = store::ledger::origin(tx).await?;
    store::ledger::begin_anew(tx).await?;
    super::append(tx, &beginning.leaf()?).await?;
    for (request, app, index) in store::erasures::intended(tx).await? {
        let mut leaf = serde_json::Map::new();
        leaf.insert("kind".to_owned(), "intent".into());
        leaf.insert("request".to_owned(), request.as_str().into());
        leaf.insert("app".to_owned(), app.into());
        leaf.insert("at".to_owned(), serde_json::json!(beginning.at));
        leaf.insert("first_said".to_owned(), serde_json::json!({ "log": closed, "index": index }));
        let index = super::append(tx, &Object(leaf)).await?;
        store::erasures::set_intent(tx, &request, index).await?;
    }
    store::erasures::forget_kept_intents(tx).await
}
