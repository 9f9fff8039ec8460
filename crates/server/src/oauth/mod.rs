//! The OAuth 2 authorization server (RFC 6749, 7636, 7009, 7662, 8414, 9207, 9700).

mod authorize;
mod token;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

/// Returns the routes of this room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/oauth/authorize", get(authorize::ask).post(authorize::answer))
        .route("/oauth/token", post(token::token))
        .route("/oauth/revoke", post(token::revoke))
        .route("/oauth/introspect", post(token::introspect))
        .route("/.well-known/oauth-authorization-server", get(token::metadata))
}
