//! The OAuth 2 authorization server (RFC 6749, 7636, 7009, 7662, 8414, 9207, 9700).

use axum::Router;

use crate::App;

/// Returns the routes of this room.
pub fn router() -> Router<App> {
    Router::new()
}
