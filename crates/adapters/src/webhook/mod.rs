//! The deletion endpoint of an app or processor: told by a signed message (Standard Webhooks) what it must erase.

mod errors;

use std::time::Duration;

use jiff::Timestamp;
use model::{Problem, Result, codes};
use net::{Method, header};
use serde::Deserialize;
use wire::webhook::{Secret, sign};

use crate::open::{Context, Described};
use crate::spec::Spec;
use crate::verbs::Capabilities;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;
/// The longest words of an answer or report that are kept.
pub const MAX_WORDS: usize = 2000;

/// Somebody's deletion endpoint.
#[derive(Debug)]
pub struct Webhook {
    net: net::Client,
    url: String,
    secrets: Vec<Secret>,
}

/// What whoever must erase says of the work: as the answer to a message, or as the body of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Status {
    /// `done` or `pending`; anything else, or nothing, says only that the message came.
    pub state: String,
    /// How one could convince oneself: the number of a ticket, what was deleted. No personal data.
    pub evidence: String,
}

impl Status {
    /// Tells whether everything is erased.
    pub fn is_done(&self) -> bool {
        self.state == "done"
    }

    /// Tells whether the work is still to be done, and asking again will say more.
    pub fn is_pending(&self) -> bool {
        self.state == "pending"
    }

    /// Returns the words, bounded and without control characters.
    pub fn words(&self) -> String {
        self.evidence.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_WORDS).collect()
    }
}

impl Webhook {
    /// Reads address and secrets: each of them signs, so that they can be rotated.
    ///
    /// # Errors
    /// `MO-1043` without secrets or for one that cannot be used.
    pub fn new(spec: &Spec, context: &Context) -> Result<Self> {
        let secrets: Vec<Secret> =
            context.secrets.values().map(|secret| Secret::parse(secret.expose())).collect::<Result<_>>()?;
        if secrets.is_empty() {
            return Err(Problem::new(&codes::door::WEBHOOK_SECRET_INVALID, "the system has none"));
        }
        Ok(Self { net: context.net.clone(), url: spec.target.clone(), secrets })
    }

    /// Returns the secrets that reports may be signed with.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Sends a message; the id is the same for every attempt, so that whoever gets it twice can tell.
    ///
    /// # Errors
    /// `MO-2063` for an endpoint that fails, `MO-2062` for one that refuses, or what kept it from being reached.
    pub async fn send(&self, id: &str, body: &str, now: Timestamp) -> Result<Status> {
        let headers = sign(id, now, body.as_bytes(), &self.secrets)?;
        let mut request = self.net.request(Method::POST, &self.url)?.timeout(TIMEOUT);
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body.to_owned());
        let response = net::send(request).await?;
        errors::check(&response)?;
        // Whoever answers 2xx has taken the message; what cannot be read of the answer says nothing more.
        let body = net::read_limited(response, MAX_ANSWER).await.unwrap_or_default();
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// What this adapter says of itself.
pub(crate) fn described() -> Described {
    Described {
        name: "webhook",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "somebody's deletion endpoint: told by a signed message, and waited for until it reports",
    }
}
