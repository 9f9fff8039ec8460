//! The client: requests only where the policy allows, without redirects, bounded in time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::{Problem, Result, codes};
use reqwest::{Method, RequestBuilder, redirect};
use url::{Host, Url};

use crate::address::Network;
use crate::resolve::Reach;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Who chose the addresses, and so where requests may go.
#[derive(Clone, Debug)]
pub struct Policy {
    secure: Reach,
    plain: Reach,
    read_timeout: Duration,
    total_timeout: Duration,
}

impl Policy {
    /// For addresses that an operator typed: everywhere, http too, and long enough for a large upload.
    pub fn operator() -> Self {
        // The wait for an answer includes the sending of the body, so it must be long; a peer that is gone is found by keep-alive.
        let (read_timeout, total_timeout) = (Duration::from_mins(15), Duration::from_hours(6));
        Self { secure: Reach::Everywhere, plain: Reach::Everywhere, read_timeout, total_timeout }
    }

    /// For addresses that an outsider supplied: https to public addresses; in the networks given here anything goes.
    pub fn outsider(allow: Vec<Network>) -> Self {
        let (read_timeout, total_timeout) = (Duration::from_secs(15), Duration::from_secs(60));
        Self { secure: Reach::Public(allow.clone()), plain: Reach::Networks(allow), read_timeout, total_timeout }
    }
}

/// An HTTP client that connects only where its policy allows. Cheap to clone; connections are shared.
#[derive(Clone, Debug)]
pub struct Client {
    policy: Arc<Policy>,
    secure: Arc<OnceLock<reqwest::Client>>,
    plain: Arc<OnceLock<reqwest::Client>>,
}

impl Client {
    /// Creates a client. Nothing is opened or loaded before the first request.
    pub fn new(policy: Policy) -> Self {
        Self { policy: Arc::new(policy), secure: Arc::default(), plain: Arc::default() }
    }

    /// Begins a request; [`crate::send`] sends it.
    ///
    /// # Errors
    /// `MO-6002` if the URL is no absolute http(s) URL, or holds a user name or password; `MO-6001` if the policy forbids it.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> Result<RequestBuilder> {
        let url = parse(url.as_ref())?;
        let secure = url.scheme() == "https";
        let (reach, client) =
            if secure { (&self.policy.secure, &self.secure) } else { (&self.policy.plain, &self.plain) };
        if let Reach::Networks(networks) = reach
            && networks.is_empty()
        {
            return Err(Problem::new(&codes::net::ADDRESS_FORBIDDEN, "it must begin with https://"));
        }
        // Only names pass through the resolver: addresses are judged here.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        if literal.is_some_and(|address| !reach.allows(address)) {
            return Err(Problem::new(&codes::net::ADDRESS_FORBIDDEN, "it is not a public address"));
        }
        let client = match client.get() {
            Some(client) => client,
            None => {
                let made = build(&self.policy, reach.clone(), secure)?;
                client.get_or_init(|| made)
            }
        };
        Ok(client.request(method, url))
    }
}

/// Parses a URL that we would request. The words never repeat it: it may hold what must not reach logs.
fn parse(text: &str) -> Result<Url> {
    let malformed = |detail: &str| Problem::new(&codes::net::URL_MALFORMED, detail);
    let url = Url::parse(text).map_err(|cause| malformed(&cause.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(malformed("it begins neither with http:// nor https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(malformed("it holds a user name or a password"));
    }
    Ok(url)
}

#[expect(clippy::disallowed_methods, reason = "this is the one room that makes HTTP clients")]
fn build(policy: &Policy, reach: Reach, secure: bool) -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder();
    // Plain http must also work on a machine that has no certificate store.
    let builder = if secure { builder.https_only(true) } else { builder.tls_certs_only([]) };
    builder
        .dns_resolver(Arc::new(reach))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(concat!("moveout/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(policy.read_timeout)
        .timeout(policy.total_timeout)
        .tcp_keepalive(Duration::from_secs(30))
        .build()
        .map_err(|cause| {
            Problem::new(&codes::net::TLS_FAILED, "the machine's certificate store cannot be used").caused_by(cause)
        })
}
