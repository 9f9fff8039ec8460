//! Sending a request and reading its answer, with every failure as a problem that has a verdict.

use std::error::Error;
use std::io;

use bytes::{Bytes, BytesMut};
use model::{Problem, Result, codes};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};

use crate::resolve::Forbidden;

/// Sends a request and returns its answer, whatever its status: a redirect is an answer too.
///
/// # Errors
/// `MO-6001` if the name leads to forbidden addresses only, `MO-6003` unreachable, `MO-6004` too slow, `MO-6006` not secure,
/// `MO-6007` if the connection broke: then nobody can tell whether the request arrived.
pub async fn send(request: RequestBuilder) -> Result<Response> {
    request.send().await.map_err(problem)
}

/// Reads `Retry-After` in seconds (RFC 9110 §10.2.3). A date is not honoured: our own back-off serves as well.
pub fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// Reads a body of at most `max` bytes.
///
/// # Errors
/// `MO-6005` if it is longer; `MO-6004` or `MO-6007` if it does not arrive.
pub async fn read_limited(mut response: Response, max: usize) -> Result<Bytes> {
    let too_large = || Problem::new(&codes::net::RESPONSE_TOO_LARGE, format!("the limit is {max} bytes"));
    if response.content_length().is_some_and(|length| length > max as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(problem)? {
        if chunk.len() > max - body.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Maps an error of the HTTP library. Its URL is taken off: it may hold what must not reach logs.
fn problem(error: reqwest::Error) -> Problem {
    let error = error.without_url();
    let causes = || std::iter::successors(Some(&error as &(dyn Error + 'static)), |cause| (*cause).source());
    let code = if causes().any(|cause| cause.is::<Forbidden>()) {
        &codes::net::ADDRESS_FORBIDDEN
    } else if error.is_timeout() {
        &codes::net::TIMED_OUT
    } else if error.is_connect() && causes().any(is_tls) {
        &codes::net::TLS_FAILED
    } else if error.is_connect() {
        &codes::net::UNREACHABLE
    } else {
        // The request may have arrived: whoever must not send it twice has to know.
        &codes::net::BROKEN_OFF
    };
    // The last cause is the most telling: "connection refused" rather than "error sending request".
    let detail = causes().last().map(ToString::to_string).unwrap_or_default();
    Problem::new(code, detail).caused_by(error)
}

/// rustls reports whatever it objects to as invalid data, which the connector wraps once more.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|cause| {
        cause.kind() == io::ErrorKind::InvalidData || cause.get_ref().is_some_and(|inner| is_tls(inner))
    })
}
