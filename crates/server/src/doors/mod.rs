//! Doors that programs knock at: the deletion callback, the landing, health and metrics.

mod callback;
mod headers;
pub(crate) mod health;
mod identities;
mod landing;
mod pickup;
mod processors;

use axum::Router;

use crate::App;

/// Returns the routes of this room.
pub fn router() -> Router<App> {
    Router::new()
        .merge(callback::router())
        .merge(health::router())
        .merge(identities::router())
        .merge(landing::router())
        .merge(pickup::router())
        .merge(processors::router())
}
