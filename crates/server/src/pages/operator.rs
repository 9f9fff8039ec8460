//! Who may see the console: an operator who signed in; or anybody at this very machine, while there is no operator yet.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use engine::connections::{self, Role};
use http::request::Parts;
use http::{HeaderMap, header};
use model::{Problem, Result, codes};
use url::{Host, Url};

use super::browser::{Browser, see_other};
use crate::App;
use crate::problem::Rejection;

/// Somebody who may see the console.
pub(super) struct Operator {
    /// The browser.
    pub(super) browser: Browser,
    /// What the frame of every console page shows.
    pub(super) frame: Frame,
}

/// What the frame of every console page shows.
pub(super) struct Frame {
    /// The name of who signed in; `None` where the console is open.
    pub(super) name: Option<String>,
    /// What the forms carry.
    pub(super) form: String,
}

impl FromRequestParts<App> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let browser = Browser::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let form = browser.guard(&app.engine).token();
        let name = match &browser.account {
            Some(account) if account.role == Role::Operator => Some(account.name.clone()),
            account => match open(app, &parts.headers).await {
                Ok(true) => None,
                Ok(false) if account.is_none() => {
                    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                    let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
                    return Err(see_other(&format!("/login?next={next}")));
                }
                Ok(false) => return Err(Rejection(Problem::new(&codes::landing::OPERATOR_ONLY, "")).into_response()),
                Err(problem) => return Err(Rejection(problem).into_response()),
            },
        };
        Ok(Self { browser, frame: Frame { name, form } })
    }
}

/// What proxies add to a request: with any of these it comes from elsewhere, whatever its Host says.
const FORWARDED: &[&str] =
    &["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Tells whether the console is open: the server listens on loopback, is known by no other name, the browser asked for it
/// by a loopback name and not through a proxy (nor did a page of another site lead here), and nobody can sign in as operator.
async fn open(app: &App, headers: &HeaderMap) -> Result<bool> {
    let direct = FORWARDED.iter().all(|name| !headers.contains_key(*name));
    let asked = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let local = |url: &str| Url::parse(url).is_ok_and(|url| url.host().is_some_and(|host| is_loopback(&host)));
    let here = app.house.local_only
        && direct
        && local(&app.engine.settings().public_url)
        && asked.is_some_and(|host| local(&format!("http://{host}")));
    match (here, connections::operator_exists(&app.engine).await?) {
        (_, true) => Ok(false),
        (true, false) => Ok(true),
        // Nobody could sign in: say so rather than show a form that leads nowhere.
        (false, false) => Err(Problem::new(&codes::landing::OPERATOR_ONLY, "no operator's account exists yet")),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}
