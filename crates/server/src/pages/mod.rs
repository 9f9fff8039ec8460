//! Pages for people: the console, the status of a deletion, instructions.

mod assets;
pub mod layout;

use axum::Router;
use axum::routing::get;

use crate::App;

/// Returns the routes of this room.
pub fn router() -> Router<App> {
    Router::new().route("/assets/{name}", get(assets::serve))
}
