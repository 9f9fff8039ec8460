//! Pages for people: the console, the status of a deletion, instructions.

pub mod assets;
pub mod browser;
mod connections;
mod deletion;
pub mod layout;
pub(crate) mod login;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

/// Returns the routes of this room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/assets/{name}", get(assets::serve))
        .route("/login", get(login::form).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/connections", get(connections::list))
        .route("/connections/{id}/revoke", post(connections::revoke))
        .merge(deletion::router())
}
