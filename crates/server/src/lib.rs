//! Doors: HTTP in and out. A door turns bytes into one engine call and back, and decides nothing itself.

pub mod doors;
pub mod form;
pub mod listen;
pub mod oauth;
pub mod pages;
pub mod problem;
mod serve;
pub mod shield;

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
    let https = app.engine.settings().public_url.starts_with("https:");
    let routes = Router::new()
        .merge(doors::router())
        .merge(oauth::router())
        .merge(pages::router())
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(axum::middleware::from_fn(pages::layout::explain_to_people));
    shield::shield(routes, https).with_state(app)
}
