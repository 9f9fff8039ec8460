//! Who is at the other end of a page: the browser, and who is signed in with it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::response::{IntoResponse, Response};
use engine::Engine;
use engine::connections::{self, Account, FormGuard};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::App;
use crate::problem::Rejection;

/// A browser: known by a cookie of its own, that forms are tied to, and by a session once somebody signed in.
pub struct Browser {
    /// Who is signed in.
    pub account: Option<Account>,
    /// What the session's cookie holds.
    pub session: Option<String>,
    /// Where it connects from.
    pub address: Option<IpAddr>,
    secret: String,
    fresh: bool,
}

impl FromRequestParts<App> for Browser {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let known = cookie(&parts.headers, &name(app, "browser")).filter(|value| value.len() == 43);
        let fresh = known.is_none();
        let session = cookie(&parts.headers, &name(app, "session"));
        let account = match &session {
            Some(session) => connections::signed_in(&app.engine, session).await?,
            None => None,
        };
        let session = session.filter(|_| account.is_some());
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let secret = known.unwrap_or_else(|| FormGuard::fresh_cookie(&app.engine));
        Ok(Self { account, session, address, secret, fresh })
    }
}

impl Browser {
    /// Returns the guard of this browser's forms; it changes when somebody signs in or out.
    pub fn guard<'a>(&self, engine: &'a Engine) -> FormGuard<'a> {
        FormGuard::new(engine, format!("{} {}", self.secret, self.session.as_deref().unwrap_or_default()))
    }

    /// Gives the browser its cookie if it has none.
    pub fn keep(&self, app: &App, mut response: Response) -> Response {
        if self.fresh {
            set_cookie(app, &mut response, "browser", &self.secret, None);
        }
        response
    }
}

/// Sets the cookie of a session; for no seconds it is removed.
pub(super) fn set_session(app: &App, response: &mut Response, value: &str, seconds: i64) {
    set_cookie(app, response, "session", value, Some(seconds));
}

/// Sends the browser elsewhere after a form, with a request that carries no form data (RFC 9700 §4.12).
pub fn see_other(location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, NO_STORE)]).into_response()
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The name of a cookie; with HTTPS the prefix makes browsers refuse one that another host or path has set.
fn name(app: &App, purpose: &str) -> String {
    if https(app) { format!("__Host-moveout-{purpose}") } else { format!("moveout-{purpose}") }
}

fn https(app: &App) -> bool {
    app.engine.settings().public_url.starts_with("https:")
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

fn set_cookie(app: &App, response: &mut Response, purpose: &str, value: &str, seconds: Option<i64>) {
    let secure = if https(app) { "; Secure" } else { "" };
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let line = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}", name(app, purpose));
    if let Ok(line) = HeaderValue::try_from(line) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
}
