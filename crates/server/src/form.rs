//! Form bodies, read with a limit.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use http::header;
use model::{Problem, codes};
use wire::oauth::Params;

use crate::problem::Rejection;

/// How large a form may be.
pub const MAX_FORM: usize = 64 * 1024;

/// The text of an `application/x-www-form-urlencoded` body of at most 64 KiB.
pub struct FormText(pub String);

impl<S: Send + Sync> FromRequest<S> for FormText {
    type Rejection = Rejection;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Rejection> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let detail = "send application/x-www-form-urlencoded";
            return Err(Problem::new(&codes::door::CONTENT_TYPE_UNSUPPORTED, detail).into());
        }
        DefaultBodyLimit::max(MAX_FORM).apply(&mut request);
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                Problem::new(&codes::door::BODY_TOO_LARGE, "a form may have 64 KiB")
            }
            other => Problem::new(&codes::door::BODY_UNREADABLE, "").caused_by(other),
        })?;
        let text =
            String::from_utf8(bytes.into()).map_err(|_| Problem::new(&codes::door::BODY_UNREADABLE, "not UTF-8"))?;
        Ok(Self(text))
    }
}

/// The parameters of a form body, each at most once.
pub struct Form(pub Params);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Rejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Rejection> {
        Ok(Self(Params::parse(&FormText::from_request(request, state).await?.0)?))
    }
}
