//! `GET /api/v1/inbox`: where the platform that an account belongs to picks up what has landed.
//!
//! A token with the scope `inbox:read` opens one account. The platform keeps the cursor and asks again; an item that was
//! updated comes again with its id as before.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::connections::{Grant, authorize_bearer};
use engine::landing::{self, LandedItem, ReceivedTransfer};
use http::{HeaderMap, StatusCode, header};
use model::{Problem, codes};
use serde::{Deserialize, Serialize};

use super::headers::bearer;
use crate::App;
use crate::problem::Rejection;

/// The scope that opens it.
const SCOPE: &str = "inbox:read";
/// How many items a page holds if unsaid.
const PAGE: u32 = 100;
/// How many received transfers are told of.
const MAX_TRANSFERS: u32 = 100;

/// Returns the routes of this door.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/inbox", get(list))
        .route("/api/v1/inbox/transfers", get(transfers))
        .route("/api/v1/inbox/{id}/content", get(content))
}

/// Where a page begins, and how long it may be.
#[derive(Deserialize)]
struct From {
    #[serde(default)]
    after: u64,
    limit: Option<u32>,
}

/// One page of what has landed.
#[derive(Serialize)]
struct Page {
    items: Vec<LandedItem>,
    /// The cursor to ask with next time; the one that was given if there is nothing new.
    next: u64,
}

async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    from: Result<Query<From>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Page>, Rejection> {
    let grant = authorize(&app, &headers).await?;
    let Query(From { after, limit }) =
        from.map_err(|_| Problem::new(&codes::door::FIELD_MISSING, "after and limit are whole numbers"))?;
    let items = landing::items(&app.engine, &grant.account, after, limit.unwrap_or(PAGE)).await?;
    let next = items.last().map_or(after, |item| item.cursor);
    Ok(Json(Page { items, next }))
}

async fn transfers(State(app): State<App>, headers: HeaderMap) -> Result<Json<Vec<ReceivedTransfer>>, Rejection> {
    let grant = authorize(&app, &headers).await?;
    Ok(Json(landing::transfers(&app.engine, Some(&grant.account), MAX_TRANSFERS).await?))
}

async fn content(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Result<Response, Rejection> {
    let grant = authorize(&app, &headers).await?;
    let Some(opened) = landing::open(&app.engine, &grant.account, &id).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let about = [
        (header::CONTENT_TYPE, opened.media_type),
        (header::CONTENT_LENGTH, opened.size.to_string()),
        // What others sent is never shown under our name.
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((about, Body::from_stream(opened.stream)).into_response())
}

async fn authorize(app: &App, headers: &HeaderMap) -> Result<Grant, Problem> {
    authorize_bearer(&app.engine, bearer(headers)?, SCOPE).await
}
