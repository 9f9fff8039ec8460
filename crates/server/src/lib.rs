//! Doors: HTTP in and out. A door turns bytes into one engine call and back, and decides nothing itself.

pub mod doors;
pub mod form;
pub mod listen;
pub mod oauth;
pub mod pages;
pub mod problem;
mod segment;
mod serve;
pub mod shield;

use std::sync::Arc;

use axum::Router;
use engine::Engine;
use tokio_util::sync::CancellationToken;

pub use serve::serve;

/// What every handler can reach.
#[derive(Clone)]
pub struct App {
    /// What requests mean.
    pub engine: Engine,
    house: Arc<House>,
}

/// What the doors need to know of the installation.
struct House {
    security_contact: Option<String>,
    local_only: bool,
    stopping: CancellationToken,
    metrics: doors::health::Metrics,
}

impl App {
    /// Creates the doors' state for a server that the world can reach.
    pub fn new(engine: Engine) -> Self {
        Self::with(engine, Facing::default())
    }

    /// Creates the doors' state.
    pub fn with(engine: Engine, facing: Facing) -> Self {
        let Facing { security_contact, local_only, stopping } = facing;
        let house = House { security_contact, local_only, stopping, metrics: doors::health::Metrics::default() };
        Self { engine, house: Arc::new(house) }
    }
}

/// How this server faces the world.
#[derive(Clone, Default)]
pub struct Facing {
    /// Where security researchers write to: `mailto:` or `https:` (RFC 9116 §2.5.3).
    pub security_contact: Option<String>,
    /// Whether only this machine can reach it: then the console is open while there is no operator's account.
    pub local_only: bool,
    /// Cancelled when the server stops: it is no longer ready.
    pub stopping: CancellationToken,
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
        .layer(axum::middleware::from_fn(pages::layout::explain_to_people))
        .layer(axum::middleware::from_fn_with_state(app.clone(), doors::health::count));
    shield::shield(routes, https).with_state(app)
}
