//! The OAuth 2 authorization server (RFC 6749, 7636, 7009, 7662, 8414, 9207, 9700).

mod authorize;
mod token;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderValue, header};

use crate::App;

/// Returns the routes of this room.
pub fn router() -> Router<App> {
    let endpoints = Router::new()
        .route("/oauth/token", post(token::token))
        .route("/oauth/revoke", post(token::revoke))
        .route("/oauth/introspect", post(token::introspect))
        .route_layer(map_response(plain_json));
    endpoints
        .route("/oauth/authorize", get(authorize::ask).post(authorize::answer))
        .route("/.well-known/oauth-authorization-server", get(token::metadata))
}

/// Clients take errors as `application/json` only (RFC 6749 §5.2); a problem document is that too.
async fn plain_json(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json") {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}
