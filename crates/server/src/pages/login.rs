//! Signing in and out.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use engine::connections;
use http::StatusCode;
use model::{Problem, codes};
use wire::oauth::Params;

use super::browser::{Browser, see_other, set_session};
use super::layout::render;
use crate::App;
use crate::form::Form;
use crate::problem::Rejection;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    next: &'a str,
    form: String,
    problem: Option<&'a Problem>,
}

/// Shows the sign-in form; afterwards the browser goes on to `next`, a path of ours.
pub(crate) fn show(app: &App, browser: &Browser, next: &str, problem: Option<&Problem>) -> Result<Response, Rejection> {
    let page = LoginPage { next: ours(next), form: browser.guard(&app.engine).token(), problem };
    let mut response = render(&page)?;
    if let Some(problem) = problem {
        *response.status_mut() = StatusCode::from_u16(problem.code.status).unwrap_or(StatusCode::FORBIDDEN);
        if let Some(seconds) = problem.retry_after {
            response.headers_mut().insert(http::header::RETRY_AFTER, seconds.into());
        }
    }
    Ok(browser.keep(app, response))
}

/// `GET /login`
pub(super) async fn form(
    State(app): State<App>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, Rejection> {
    let params = Params::parse(&query.unwrap_or_default())?;
    let next = params.get("next")?.unwrap_or("/connections");
    if browser.account.is_some() {
        return Ok(see_other(ours(next)));
    }
    show(&app, &browser, next, None)
}

/// `POST /login`
pub(super) async fn sign_in(State(app): State<App>, browser: Browser, Form(form): Form) -> Result<Response, Rejection> {
    let next = form.get("next")?.unwrap_or("/connections");
    browser.guard(&app.engine).check(form.get("form")?.unwrap_or_default())?;
    let (name, password) = (form.get("name")?.unwrap_or_default(), form.get("password")?.unwrap_or_default());
    match connections::sign_in(&app.engine, name, password, browser.address).await {
        Ok(signed_in) => {
            let mut response = see_other(ours(next));
            set_session(&app, &mut response, &signed_in.cookie, signed_in.seconds);
            Ok(response)
        }
        Err(problem) if problem.is(&codes::landing::LOGIN_FAILED) || problem.is(&codes::door::TOO_MANY_REQUESTS) => {
            show(&app, &browser, next, Some(&problem))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /logout`
pub(super) async fn sign_out(
    State(app): State<App>,
    browser: Browser,
    Form(form): Form,
) -> Result<Response, Rejection> {
    browser.guard(&app.engine).check(form.get("form")?.unwrap_or_default())?;
    if let Some(session) = &browser.session {
        connections::sign_out(&app.engine, session).await?;
    }
    let mut response = see_other("/login");
    set_session(&app, &mut response, "", 0);
    Ok(response)
}

/// Keeps a path of ours; anything that could lead elsewhere becomes the start page.
fn ours(next: &str) -> &str {
    let safe = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if safe { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::ours;

    #[test]
    fn signing_in_leads_nowhere_else() {
        for elsewhere in ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "", "evil"] {
            assert_eq!(ours(elsewhere), "/", "{elsewhere:?}");
        }
        assert_eq!(ours("/oauth/authorize?a=b//c"), "/oauth/authorize?a=b//c");
    }
}
