//! One segment of a path.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use model::{Problem, codes};

use crate::problem::Rejection;

/// The one variable segment of a path. What is not UTF-8 names nothing here.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Path(segment) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Rejection(Problem::new(&codes::door::NOT_FOUND, "").caused_by(rejection)))?;
        Ok(Self(segment))
    }
}
