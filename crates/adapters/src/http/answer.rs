//! What an answer means. Its body is judged and digested, never kept: it may hold anything about the person.

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use model::call::Call;
use model::{Problem, Result, codes};
use net::{Response, StatusCode};
use serde_json::Value;

/// The largest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// An answer that says something.
pub(super) struct Answer {
    /// Its status.
    pub(super) status: u16,
    /// Whether it says that nothing is there.
    pub(super) nothing: bool,
    /// Its body.
    body: Vec<u8>,
}

/// Reads an answer to a call.
///
/// # Errors
/// `MO-2063` for one that may be better later, `MO-2062` for one that says no, or what kept it from arriving.
pub(super) async fn read(call: &Call, response: Response) -> Result<Answer> {
    let status = response.status();
    let retry_after = net::retry_after(response.headers());
    let (done, nothing) = (call.success.contains(&status.as_u16()), call.not_found.contains(&status.as_u16()));
    if !done && !nothing {
        return Err(refusal(status).after(retry_after));
    }
    let body = net::read_limited(response, MAX_ANSWER).await?.to_vec();
    Ok(Answer { status: status.as_u16(), nothing, body })
}

fn refusal(status: StatusCode) -> Problem {
    let number = status.as_u16();
    match number {
        408 | 425 | 429 | 500.. => Problem::new(&codes::erasure::CALL_FAILED, format!("it answered {number}")),
        401 | 403 | 407 => {
            let detail = format!("it answered {number}: it does not accept who is asking; look at headers and secrets");
            Problem::new(&codes::erasure::LOCATION_REFUSED, detail)
        }
        300..=399 => {
            let detail = format!("it answered {number}: we follow no redirect; declare the address that it leads to");
            Problem::new(&codes::erasure::LOCATION_REFUSED, detail)
        }
        _ => {
            let detail = format!("it answered {number}, which the location names neither as success nor as not_found");
            Problem::new(&codes::erasure::LOCATION_REFUSED, detail)
        }
    }
}

impl Answer {
    /// Returns how many things it says are there.
    ///
    /// # Errors
    /// `MO-2061` if it does not say: what cannot be understood is never taken for nothing.
    pub(super) fn count(&self, call: &Call) -> Result<u64> {
        let Some(pointer) = call.count.as_deref().filter(|_| !self.nothing) else {
            return Ok(u64::from(!self.nothing));
        };
        let unclear = |detail: &str| Problem::new(&codes::erasure::LOCATION_UNREADABLE, format!("{pointer}: {detail}"));
        let document: Value = serde_json::from_slice(&self.body).map_err(|_| unclear("the answer is not JSON"))?;
        match document.pointer(pointer) {
            None => Err(unclear("there is no such member in the answer")),
            Some(Value::Null) => Ok(0),
            Some(Value::Array(found)) => Ok(found.len() as u64),
            Some(Value::Number(number)) => {
                number.as_u64().ok_or_else(|| unclear("the number in the answer is no count"))
            }
            Some(_) => Err(unclear("it is neither a list, a number nor null")),
        }
    }

    /// Returns SHA-256 of its body.
    pub(super) fn digest(&self) -> String {
        HEXLOWER.encode(digest::digest(&digest::SHA256, &self.body).as_ref())
    }
}
