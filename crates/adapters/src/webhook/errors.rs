//! What an endpoint's refusals mean.

use model::{Problem, Result, codes};
use net::Response;

/// Returns an answer that is no success as a problem; its verdict decides whether the message is sent again.
pub(super) fn check(response: &Response) -> Result<()> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let after = net::retry_after(response.headers());
    let number = status.as_u16();
    Err(match number {
        408 | 425 | 429 | 500.. => {
            Problem::new(&codes::erasure::CALL_FAILED, format!("it answered {number}")).after(after)
        }
        410 => Problem::new(&codes::erasure::LOCATION_REFUSED, "it answered 410: the endpoint is no more"),
        300..400 => {
            let detail = format!("it answered {number}: we follow no redirect; declare the address that it leads to");
            Problem::new(&codes::erasure::LOCATION_REFUSED, detail)
        }
        _ => Problem::new(&codes::erasure::LOCATION_REFUSED, format!("it answered {number} to the message")),
    })
}
