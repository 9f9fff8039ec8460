//! Problems as answers: RFC 9457 documents that also carry the `error` and `error_description` that OAuth and DTP clients read.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use model::{Code, Problem, codes};
use serde::Serialize;

/// A problem on its way to an outsider.
pub struct Rejection(pub Problem);

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// What a rejection says, left on the response for the layer that shows it to people as a page.
#[derive(Clone)]
pub(crate) struct Explained {
    pub(crate) code: &'static Code,
    pub(crate) detail: String,
}

/// Answers where there is nothing.
pub(crate) async fn not_found() -> Rejection {
    Rejection(Problem::new(&codes::door::NOT_FOUND, ""))
}

/// Answers a method that the address does not take; axum adds `Allow`.
pub(crate) async fn method_not_allowed() -> Rejection {
    Rejection(Problem::new(&codes::door::METHOD_NOT_ALLOWED, ""))
}

/// The document: RFC 9457 members, then those of RFC 6749 §5.2.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: String,
    next: &'a str,
    error: &'a str,
    error_description: String,
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let code = problem.code;
        let status = StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            // Logged once, here at the boundary; `Debug` adds the source, which never leaves the machine.
            tracing::error!(code = %code, problem = ?problem, "answered with a server error");
        }
        let document = Document {
            r#type: format!("/docs/errors#{code}"),
            title: code.title,
            status: code.status,
            detail: &problem.detail,
            code: code.to_string(),
            next: code.next,
            error: code.error,
            error_description: format!("{code}: {}. {}", code.title, code.next),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = problem.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if code.status == 401 && code.error == "invalid_token" {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        response.extensions_mut().insert(Explained { code, detail: problem.detail });
        response
    }
}
