//! One attempt: a signed POST to an address that need not wish us well.

use jiff::Timestamp;
use model::{Problem, Result, codes};
use net::{Method, Network, Policy, header};
use store::world::Webhook;
use wire::webhook::{Secret, sign};

/// A receiver, ready to be sent to.
pub(super) struct Receiver {
    net: net::Client,
    url: String,
    secrets: Vec<Secret>,
}

/// Who is to blame when a notice was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The receiver: it would take no other notice either.
    Receiver,
    /// This notice.
    Notice,
}

impl Receiver {
    /// Prepares a receiver. It is reached over HTTPS at public addresses, and in the networks of its declaration.
    ///
    /// # Errors
    /// `MO-1043` if a secret is none, `MO-7001` if a network is none.
    pub(super) fn new(webhook: &Webhook) -> Result<Self> {
        let allow = webhook.declared.allow.iter().map(|network| network.parse()).collect::<Result<Vec<Network>>>()?;
        let secrets = webhook.secrets.iter().map(|secret| Secret::parse(secret)).collect::<Result<_>>()?;
        Ok(Self { net: net::Client::new(Policy::outsider(allow)), url: webhook.url.to_string(), secrets })
    }

    /// Checks that the address is one that may be sent to, as far as it can be told without asking for its name.
    ///
    /// # Errors
    /// `MO-6001` or `MO-6002`.
    pub(super) fn check(&self) -> Result<()> {
        self.net.request(Method::POST, &self.url).map(drop)
    }

    /// Sends a message once.
    ///
    /// # Errors
    /// `MO-8001` if the receiver did not take it, or what kept it from being sent.
    pub(super) async fn send(&self, id: &str, body: &str, now: Timestamp) -> Result<()> {
        let headers = sign(id, now, body.as_bytes(), &self.secrets)?;
        let mut request = self.net.request(Method::POST, &self.url)?.header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        // What the answer says is not read: it is no part of the protocol, and whoever writes it may be hostile.
        let response = net::send(request.body(body.to_owned())).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let asked = net::retry_after(response.headers());
        let code = if is_about_the_notice(status.as_u16()) {
            &codes::notify::NOTICE_REFUSED
        } else {
            &codes::notify::RECEIVER_FAILING
        };
        Err(Problem::new(code, format!("it answered {}", status.as_u16())).after(asked))
    }
}

/// Tells who is to blame.
pub(super) fn blame(problem: &Problem) -> Blame {
    if problem.is(&codes::notify::NOTICE_REFUSED) { Blame::Notice } else { Blame::Receiver }
}

/// Tells whether a status speaks of what was sent, not of the receiver's own state, address or keys.
fn is_about_the_notice(status: u16) -> bool {
    matches!(status, 400 | 406 | 409 | 411..=417 | 422 | 431 | 451)
}
