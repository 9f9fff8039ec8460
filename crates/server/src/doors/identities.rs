//! The identity map, as the app's own servers fill it: when somebody signs up, connects an account, or goes.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::post;
use axum::{Json, Router};
use engine::connections::authorize_bearer;
use engine::erasure::{self, Link};
use http::HeaderMap;
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};

use super::headers::bearer;
use crate::App;
use crate::problem::Rejection;
use crate::segment::Segment;

/// What a token must allow. No client can ask for it: an operator mints it for the app's servers.
const SCOPE: &str = "identities:write";

/// Returns the routes of this door.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/apps/{app}/identities", post(link))
        .route("/api/v1/apps/{app}/identities/forget", post(forget))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Links {
    people: Vec<Person>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    person: String,
    /// Each written `KIND:VALUE`.
    identities: Vec<String>,
}

#[derive(Serialize)]
struct Linked {
    linked: u64,
}

/// `POST /api/v1/apps/{app}/identities`: `{"people": [{"person": "42", "identities": ["asid:1001", "email:zoe@example.org"]}]}`
async fn link(
    State(app): State<App>,
    Segment(name): Segment,
    headers: HeaderMap,
    body: Result<Json<Links>, JsonRejection>,
) -> Result<Json<Linked>, Rejection> {
    authorize(&app, &headers).await?;
    let Json(links) = body.map_err(unreadable)?;
    let read = |person: Person| {
        let identities = person.identities.iter().map(|text| text.parse()).collect::<Result<_>>()?;
        Ok(Link { person: person.person, identities })
    };
    let links = links.people.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(Json(Linked { linked: erasure::link(&app.engine, &name, links).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forget {
    person: String,
}

#[derive(Serialize)]
struct Forgotten {
    forgotten: u64,
}

/// `POST /api/v1/apps/{app}/identities/forget`: `{"person": "42"}`; names of people do not belong into addresses
async fn forget(
    State(app): State<App>,
    Segment(name): Segment,
    headers: HeaderMap,
    body: Result<Json<Forget>, JsonRejection>,
) -> Result<Json<Forgotten>, Rejection> {
    authorize(&app, &headers).await?;
    let Json(Forget { person }) = body.map_err(unreadable)?;
    Ok(Json(Forgotten { forgotten: erasure::unlink(&app.engine, &name, &person).await? }))
}

async fn authorize(app: &App, headers: &HeaderMap) -> Result<()> {
    let grant = authorize_bearer(&app.engine, bearer(headers)?, SCOPE).await?;
    match grant.client {
        None => Ok(()),
        Some(_) => Err(Problem::new(&codes::landing::SCOPE_INSUFFICIENT, "only an operator mints tokens for this")),
    }
}

fn unreadable(rejection: JsonRejection) -> Problem {
    match rejection {
        JsonRejection::MissingJsonContentType(_) => {
            Problem::new(&codes::door::CONTENT_TYPE_UNSUPPORTED, "send application/json")
        }
        JsonRejection::BytesRejection(_) => Problem::new(&codes::door::BODY_TOO_LARGE, "send fewer people at once"),
        // What is wrong may quote what was sent, so it is not repeated.
        _ => Problem::new(&codes::door::BODY_UNREADABLE, "it is not the JSON that this door takes"),
    }
}
