//! How the installation is doing, for monitoring.

use model::Result;
pub use store::status::{Count, Status};

use crate::Engine;

/// Takes a picture of the store.
///
/// # Errors
/// What keeps the store from answering.
pub async fn status(engine: &Engine) -> Result<Status> {
    engine.store.read("status", |tx| Box::pin(store::status::status(tx))).await
}
