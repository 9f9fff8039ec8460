//! How the installation is doing, for monitoring.

use std::collections::BTreeMap;

use model::Result;
pub use store::status::{Count, Status};
pub use store::tally::Figures;

use crate::Engine;

/// Takes a picture of the store.
///
/// # Errors
/// What keeps the store from answering.
pub async fn status(engine: &Engine) -> Result<Status> {
    engine.store.read("status", |tx| Box::pin(store::status::status(tx))).await
}

/// Returns how the store's operations went in this process so far, by name.
pub fn operations(engine: &Engine) -> BTreeMap<&'static str, Figures> {
    engine.store.figures()
}
