//! Doors that programs knock at: the deletion callback, the landing, health and metrics.

use axum::Router;

use crate::App;

/// Returns the routes of this room.
pub fn router() -> Router<App> {
    Router::new()
}
