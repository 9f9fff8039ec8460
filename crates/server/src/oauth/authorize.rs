//! The authorization endpoint: a person signs in, reads what is asked in plain words, and says yes or no.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use engine::connections::{self, Account, Asked, Refusal};
use http::{HeaderValue, header};
use model::{Problem, codes};
use url::Url;
use wire::oauth::{Params, Scopes, scope_in_words};

use crate::App;
use crate::form::Form;
use crate::pages::browser::{Browser, see_other};
use crate::pages::layout::render;
use crate::pages::login;
use crate::problem::Rejection;
use crate::shield::CONTENT_SECURITY_POLICY;

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    account: &'a Account,
    asked: &'a Asked,
    host: String,
    scopes: Vec<(&'a str, &'a str)>,
    query: &'a str,
    form: String,
}

/// `GET /oauth/authorize`
pub(super) async fn ask(
    State(app): State<App>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, Rejection> {
    let query = query.unwrap_or_default();
    let asked = match judge(&app, &query).await? {
        Ok(asked) => asked,
        Err(redirect) => return Ok(see_other(&redirect)),
    };
    let Some(account) = &browser.account else {
        return login::show(&app, &browser, &format!("/oauth/authorize?{query}"), None);
    };
    let page = ConsentPage {
        account,
        host: destination(&asked.redirect_uri),
        scopes: asked.scopes.iter().map(|scope| (scope, scope_in_words(scope))).collect(),
        query: &query,
        form: browser.guard(&app.engine).token(),
        asked: &asked,
    };
    let mut response = render(&page)?;
    // The form is answered with a redirect to the client, which `form-action` would stop.
    let policy = CONTENT_SECURITY_POLICY
        .replace("form-action 'self'", &format!("form-action 'self' {}", form_target(&asked.redirect_uri)));
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(browser.keep(&app, response))
}

/// `POST /oauth/authorize`
pub(super) async fn answer(State(app): State<App>, browser: Browser, Form(form): Form) -> Result<Response, Rejection> {
    let query = form.require("request")?;
    browser.guard(&app.engine).check(form.get("form")?.unwrap_or_default())?;
    let Some(account) = &browser.account else {
        return login::show(&app, &browser, &format!("/oauth/authorize?{query}"), None);
    };
    // What the form carries is judged as if it had just come: the hidden field is not trusted.
    let asked = match judge(&app, query).await? {
        Ok(asked) => asked,
        Err(redirect) => return Ok(see_other(&redirect)),
    };
    let redirect = match form.get("answer")? {
        Some("allow") => {
            let granted: Scopes = form.all("scope").collect();
            connections::consent(&app.engine, &account.id, asked, granted).await?
        }
        Some("cancel") => connections::refuse(&app.engine, &asked)?,
        _ => return Err(Problem::new(&codes::door::FIELD_MISSING, "answer").into()),
    };
    Ok(see_other(&redirect))
}

/// Judges a request: what is asked, or where the browser goes with an error.
async fn judge(app: &App, query: &str) -> Result<Result<Asked, String>, Rejection> {
    match connections::judge_request(&app.engine, &Params::parse(query)?).await {
        Ok(asked) => Ok(Ok(asked)),
        Err(Refusal::Redirect(redirect)) => Ok(Err(redirect)),
        Err(Refusal::Page(problem)) => Err(Rejection(problem)),
    }
}

/// What the consent page says of where the answer goes.
fn destination(redirect_uri: &str) -> String {
    let url = Url::parse(redirect_uri).ok();
    let host = url.as_ref().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| url.map_or_else(String::new, |url| format!("an app on your device ({}:)", url.scheme())))
}

/// The source expression (CSP 3 §2.3.1) of a redirect URI: its origin, or its scheme where it has none.
fn form_target(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        Ok(url) if url.origin().is_tuple() => url.origin().ascii_serialization(),
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => String::new(),
    }
}
