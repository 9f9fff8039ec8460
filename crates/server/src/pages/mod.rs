//! Pages for people: the console, the status of a deletion, instructions.

use axum::Router;

use crate::App;

/// Returns the routes of this room.
pub fn router() -> Router<App> {
    Router::new()
}
