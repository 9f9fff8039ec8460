//! Received transfers: what came under one job of one host, since hosts tell neither beginning nor end.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::{DataType, Result};
use serde::Serialize;
use store::landing;

use crate::Engine;

/// After how long without an item a received transfer is taken to have ended. A host's own retries end within a minute.
const QUIET: SignedDuration = SignedDuration::from_mins(15);

/// Whether a received transfer goes on, as far as anybody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Items came lately.
    Receiving,
    /// None came for a quarter of an hour: it is probably over.
    Quiet,
}

/// What came of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Items.
    pub items: u64,
    /// Bytes of content.
    pub bytes: u64,
}

/// A received transfer, for the console and the API.
#[derive(Clone, Debug, Serialize)]
pub struct ReceivedTransfer {
    /// Its id here.
    pub id: String,
    /// The account that receives.
    pub account: String,
    /// The service that the data comes from; empty if the host did not say.
    pub service: String,
    /// The host's own name of the job; empty if it did not say.
    pub job: String,
    /// Whether it goes on.
    pub progress: Progress,
    /// What it brought, per type.
    pub types: BTreeMap<DataType, Count>,
    /// When its first item came.
    pub first_at: Timestamp,
    /// When its last item came.
    pub last_at: Timestamp,
}

/// Returns the latest received transfers, of one account or of all.
///
/// # Errors
/// Problems of the store.
pub async fn transfers(engine: &Engine, account: Option<&str>, limit: u32) -> Result<Vec<ReceivedTransfer>> {
    let account = account.map(str::to_owned);
    let read = engine.store.read("landing.transfers", move |tx| {
        Box::pin(async move { landing::transfers(tx, account.as_deref(), limit).await })
    });
    let now = engine.ambient.now();
    let views = read.await?.into_iter().map(|received| ReceivedTransfer {
        id: received.id,
        account: received.sending.account,
        service: received.sending.service,
        job: received.sending.job,
        progress: if now.duration_since(received.last_at) < QUIET { Progress::Receiving } else { Progress::Quiet },
        types: received
            .tallies
            .into_iter()
            .map(|(data_type, items, bytes)| (data_type, Count { items, bytes }))
            .collect(),
        first_at: received.first_at,
        last_at: received.last_at,
    });
    Ok(views.collect())
}
