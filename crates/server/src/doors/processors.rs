//! Where processors report that they have erased: a signed message (Standard Webhooks) to the address that we gave them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::post;
use engine::erasure::MAX_REPORT;
use http::{HeaderMap, StatusCode};
use model::{Problem, Result, codes};
use wire::webhook::{self, Headers};

use crate::App;
use crate::problem::Rejection;

/// Returns the routes of this door.
pub(super) fn router() -> Router<App> {
    Router::new().route("/processors/{task}", post(report)).layer(DefaultBodyLimit::max(MAX_REPORT))
}

/// `POST /processors/{task}`: `{"state": "done", "evidence": "…"}`, signed with the secret that our message was signed with.
async fn report(
    State(app): State<App>,
    Path(task): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Rejection> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value
            .map(str::to_owned)
            .ok_or_else(|| Problem::new(&codes::door::WEBHOOK_MALFORMED, format!("{name} is missing")))
    };
    let signed = Headers {
        id: header(webhook::ID)?,
        timestamp: header(webhook::TIMESTAMP)?,
        signature: header(webhook::SIGNATURE)?,
    };
    engine::erasure::accept_report(&app.engine, &task, &signed, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}
