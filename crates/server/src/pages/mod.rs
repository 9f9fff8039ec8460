//! Pages for people: the console, the status of a deletion, instructions.

pub mod assets;
pub mod browser;
mod connections;
mod console;
mod deletion;
mod erasures;
pub mod layout;
pub(crate) mod login;
mod operator;
mod tasks;
mod transfers;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

/// Returns the routes of this room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(console::page))
        .route("/transfers/{id}", get(transfers::page))
        .route("/transfers/{id}/{action}", post(transfers::act))
        .route("/erasures/{id}", get(erasures::page))
        .route("/erasures/{id}/receipt", get(erasures::receipt))
        .route("/erasures/{id}/kept-receipt", get(erasures::kept_receipt))
        .route("/erasures/{id}/{action}", post(erasures::act))
        .route("/emergency/{action}", post(erasures::emergency))
        .route("/tasks", get(tasks::page))
        .route("/tasks/{id}/done", post(tasks::done))
        .route("/assets/{name}", get(assets::serve))
        .route("/login", get(login::form).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/connections", get(connections::list))
        .route("/connections/{id}/revoke", post(connections::revoke))
        .merge(deletion::router())
}
