//! The endpoints that clients call themselves: tokens, revocation, introspection, metadata.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::connections::{self, Client};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use model::{Problem, codes};
use wire::oauth::{Credentials, Metadata, Params, TokenRequest, TokenSubject};

use crate::App;
use crate::form::Form;
use crate::problem::Rejection;

/// An answer to a client: never cached, and a failed HTTP Basic is answered with its challenge (RFC 6749 §5.2).
type Answer = Result<Response, Rejection>;

/// `POST /oauth/token`
pub(super) async fn token(State(app): State<App>, headers: HeaderMap, Form(params): Form) -> Answer {
    let client = match authenticate(&app, &headers, &params).await {
        Ok(client) => client,
        Err(problem) => return Ok(refuse(problem, &headers)),
    };
    let response = connections::exchange(&app.engine, &client, TokenRequest::parse(&params)?).await?;
    Ok(private(Json(response)))
}

/// `POST /oauth/revoke`
pub(super) async fn revoke(State(app): State<App>, headers: HeaderMap, Form(params): Form) -> Answer {
    let client = match authenticate(&app, &headers, &params).await {
        Ok(client) => client,
        Err(problem) => return Ok(refuse(problem, &headers)),
    };
    connections::revoke_token(&app.engine, &client, &TokenSubject::parse(&params)?.0).await?;
    Ok(private(StatusCode::OK))
}

/// `POST /oauth/introspect`
pub(super) async fn introspect(State(app): State<App>, headers: HeaderMap, Form(params): Form) -> Answer {
    let introspection = async {
        let client = authenticate(&app, &headers, &params).await?;
        connections::introspect(&app.engine, &client, &TokenSubject::parse(&params)?.0).await
    };
    match introspection.await {
        Ok(introspection) => Ok(private(Json(introspection))),
        Err(problem) => Ok(refuse(problem, &headers)),
    }
}

/// `GET /.well-known/oauth-authorization-server`
pub(super) async fn metadata(State(app): State<App>) -> Response {
    let caching = [(header::CACHE_CONTROL, "public, max-age=3600"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (caching, Json(Metadata::of(&app.engine.settings().public_url))).into_response()
}

async fn authenticate(app: &App, headers: &HeaderMap, params: &Params) -> Result<Client, Problem> {
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::to_str).transpose();
    let authorization =
        authorization.map_err(|_| Problem::new(&codes::landing::CLIENT_INVALID, "unreadable header"))?;
    connections::authenticate(&app.engine, Credentials::read(authorization, params)?).await
}

fn private(answer: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], answer).into_response()
}

/// A client that tried the header is told which scheme the header takes.
fn refuse(problem: Problem, headers: &HeaderMap) -> Response {
    let basic = problem.is(&codes::landing::CLIENT_INVALID) && headers.contains_key(header::AUTHORIZATION);
    let mut response = Rejection(problem).into_response();
    if basic {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"moveout\""));
    }
    response
}
