//! Request headers that several doors read.

use http::{HeaderMap, header};
use model::{Problem, Result, codes};

/// Returns the bearer token of a request (RFC 6750 §2.1).
///
/// # Errors
/// `MO-4001` if there is none.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str> {
    let missing = || Problem::new(&codes::landing::TOKEN_INVALID, "the request has no bearer token");
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}
