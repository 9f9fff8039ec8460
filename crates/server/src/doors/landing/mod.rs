//! `POST /dtp/{vertical}`: where a Data Transfer Project host delivers items, as its Generic Importer expects.
//!
//! Source: the Generic Importer's README in dtinit/data-transfer-project. 201 with `{"id"}` for an item that is new or
//! different, 200 with the same id for a repeat; 401 `invalid_token`, 413 `destination_full` and 429 as a worker knows them.

mod inbound;
mod multipart;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use engine::Engine;
use engine::landing::{self, Accepted, Delivery, Job};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use model::{Problem, Result, codes};
use serde::Serialize;
use tokio::sync::Semaphore;
use wire::dtp::related::ContentType;
use wire::dtp::{self, API_VERSION, EXPORT_SERVICE, JOB_ID, MAX_DEPTH, MAX_JSON, RECURRING_JOB_ID, Vertical};

use self::inbound::{Inbound, MAX_BODY};
use super::headers::bearer;
use crate::App;
use crate::problem::Rejection;

/// How many deliveries are taken at once; a worker sends one at a time.
const MAX_DELIVERIES: usize = 512;
/// When a worker that found no room should come back, in seconds.
const COME_BACK: u64 = 2;

/// Returns the routes of the landing.
pub fn router() -> Router<App> {
    let room = Arc::new(Semaphore::new(MAX_DELIVERIES));
    Router::new()
        .route("/dtp", get(introduce))
        .route("/dtp/", get(introduce))
        .route("/dtp/{vertical}", post(deliver).layer(Extension(room)))
}

/// What the landing says of itself, so that a sender of ours knows that it may repeat, and an engineer what to send.
#[derive(Serialize)]
struct Introduction {
    product: &'static str,
    repeats: &'static str,
    api_version: &'static str,
    verticals: Vec<Offer>,
    limits: Limits,
    authorization_server: String,
}

#[derive(Serialize)]
struct Offer {
    path: &'static str,
    scopes: &'static [&'static str],
    payloads: &'static [&'static str],
}

#[derive(Serialize)]
struct Limits {
    json_bytes: usize,
    json_depth: usize,
    body_bytes: u64,
}

async fn introduce(State(app): State<App>) -> impl IntoResponse {
    Json(Introduction {
        product: "moveout",
        repeats: "recognised",
        api_version: API_VERSION,
        verticals: Vertical::ALL
            .map(|vertical| Offer { path: vertical.path(), scopes: vertical.scopes(), payloads: vertical.payloads() })
            .into(),
        limits: Limits { json_bytes: MAX_JSON, json_depth: MAX_DEPTH, body_bytes: MAX_BODY },
        authorization_server: app.engine.settings().public_url.clone(),
    })
}

/// The answer that a worker looks for.
#[derive(Serialize)]
struct Landed {
    id: String,
}

async fn deliver(
    State(app): State<App>,
    Extension(room): Extension<Arc<Semaphore>>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, Rejection> {
    let (head, body) = request.into_parts();
    let inbound = Inbound::new(body);
    let taken = take(&app.engine, &room, &path, &head, &inbound).await;
    // A client that is still sending when the connection ends may never see the answer.
    inbound.drain().await;
    let Accepted { id, repeat } = taken?;
    let status = if repeat { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(Landed { id })).into_response())
}

async fn take(engine: &Engine, room: &Semaphore, path: &str, head: &Parts, inbound: &Inbound) -> Result<Accepted> {
    let vertical: Vertical = path.parse()?;
    let _place =
        room.try_acquire().map_err(|_| Problem::new(&codes::door::TOO_MANY_REQUESTS, "").after(Some(COME_BACK)))?;
    let token = bearer(&head.headers)?;
    let grant = landing::authorize(engine, token, vertical).await?;
    let job = job(&head.headers)?;
    let content_type = text(&head.headers, header::CONTENT_TYPE.as_str())?.and_then(ContentType::parse);
    let (json, incoming) = match content_type {
        Some(kind) if kind.essence == "application/json" => (inbound.read_json().await?, None),
        Some(kind) if kind.essence == "multipart/related" => multipart::open(inbound, kind.related_boundary()?).await?,
        _ => {
            let detail = "send application/json, or multipart/related for an item with bytes";
            return Err(Problem::new(&codes::door::CONTENT_TYPE_UNSUPPORTED, detail));
        }
    };
    let parsed = dtp::parse(vertical, &json)?;
    landing::accept(engine, &grant, Delivery { job, parsed, incoming }).await
}

fn job(headers: &HeaderMap) -> Result<Job> {
    let named = |name| Ok::<_, Problem>(text(headers, name)?.filter(|text| !text.is_empty()).map(str::to_owned));
    Ok(Job {
        service: named(EXPORT_SERVICE)?.unwrap_or_default(),
        id: named(JOB_ID)?.unwrap_or_default(),
        recurring: named(RECURRING_JOB_ID)?,
    })
}

/// Returns a header as text.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>> {
    let value = headers.get(name).map(|value| value.to_str()).transpose();
    value.map_err(|_| Problem::new(&codes::landing::PAYLOAD_MALFORMED, format!("the header {name} is not text")))
}
