//! Doors: HTTP in and out. A door turns bytes into one engine call and back, and decides nothing itself.

pub mod doors;
pub mod listen;
pub mod oauth;
pub mod pages;
pub mod problem;
mod serve;

use axum::Router;
use engine::Engine;

pub use serve::serve;

/// What every handler can reach.
#[derive(Clone)]
pub struct App {
    /// What requests mean.
    pub engine: Engine,
}

/// Returns the whole product as one service.
pub fn router(app: App) -> Router {
    Router::new().merge(doors::router()).merge(oauth::router()).merge(pages::router()).with_state(app)
}
