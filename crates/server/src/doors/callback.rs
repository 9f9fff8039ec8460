//! The platform's callbacks: a form with one field, `signed_request`, answered with a URL and a confirmation code.
//!
//! The answer is strict JSON although the platform's page prints it without quotes: its own sample writes JSON.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::StreamExt;
use http::{HeaderMap, header};
use model::{Problem, Result, codes};

use crate::App;
use crate::problem::Rejection;
use crate::segment::Segment;

/// The largest body, in bytes; real ones have about 300.
pub const MAX_BODY: usize = 64 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";
const FIELD: &str = "signed_request";

/// Returns the routes of this door.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/callbacks/{app}/deletion", post(deletion))
        .route("/callbacks/{app}/deauthorize", post(deauthorize))
}

async fn deletion(
    State(app): State<App>,
    Segment(name): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Rejection> {
    let text = signed_request(&headers, body).await?;
    Ok(answer(engine::erasure::accept_callback(&app.engine, &name, &text).await?))
}

async fn deauthorize(
    State(app): State<App>,
    Segment(name): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Rejection> {
    let text = signed_request(&headers, body).await?;
    Ok(answer(engine::erasure::accept_deauthorize(&app.engine, &name, &text).await?))
}

fn answer(accepted: engine::erasure::Accepted) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(accepted)).into_response()
}

/// Reads the one field of the form.
async fn signed_request(headers: &HeaderMap, body: Body) -> Result<String> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM)) {
        return Err(Problem::new(&codes::door::CONTENT_TYPE_UNSUPPORTED, format!("send {FORM}")));
    }
    let form = read(body).await?;
    url::form_urlencoded::parse(&form)
        .find(|(name, value)| name == FIELD && !value.is_empty())
        .map(|(_, value)| value.into_owned())
        .ok_or_else(|| Problem::new(&codes::door::FIELD_MISSING, format!("the form field {FIELD}")))
}

async fn read(body: Body) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|cause| Problem::new(&codes::door::BODY_UNREADABLE, "").caused_by(cause))?;
        if bytes.len() + chunk.len() > MAX_BODY {
            return Err(Problem::new(&codes::door::BODY_TOO_LARGE, format!("this door takes {MAX_BODY} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
