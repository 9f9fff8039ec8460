//! What people see of a deletion: where it stands, what was kept and why, how to ask for one. No login: the code is the key.

use askama::Template;
use axum::Json;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use model::erasure::{ErasureState, PublicView, SystemState};
use model::{Problem, codes};
use serde::Deserialize;

use super::browser::Browser;
use super::layout::{render, wants_html};
use crate::App;
use crate::form::Form;
use crate::problem::Rejection;
use crate::segment::Segment;

/// Returns the routes of these pages.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/deletion", get(instructions).post(ask))
        .route("/deletion/{code}", get(status))
        .route("/deletion/{code}/cancel", post(cancel))
        .route("/deletion/proof/{token}", get(proof).post(prove))
}

/// The page that a mailed link leads to.
#[derive(Template)]
#[template(path = "deletion_proof.html")]
struct ProofPage {
    token: String,
}

/// `POST /deletion`: asks for the owner of an e-mail address, where the app has a form. The answer is the same whoever it is.
async fn ask(State(app): State<App>, browser: Browser, Form(form): Form) -> Result<Response, Rejection> {
    let field = |name| form.get(name).map(Option::unwrap_or_default);
    let accepted = engine::erasure::ask(&app.engine, field("app")?, field("email")?, browser.address).await?;
    Ok(private(Redirect::to(&format!("/deletion/{}", accepted.confirmation_code)).into_response()))
}

/// `GET /deletion/proof/{token}`: mail readers follow links by themselves, so following one does nothing yet.
async fn proof(Segment(token): Segment) -> Result<Response, Rejection> {
    Ok(private(render(&ProofPage {
        token: token.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect(),
    })?))
}

/// `POST /deletion/proof/{token}`: the person says that it is they
async fn prove(State(app): State<App>, Segment(token): Segment) -> Result<Response, Rejection> {
    let code = engine::erasure::prove(&app.engine, &token).await?;
    Ok(private(Redirect::to(&format!("/deletion/{code}")).into_response()))
}

/// `POST /deletion/{code}/cancel`: the person changes their mind while the request cools off. Whoever has the code may; there
/// is no session that another site could use, and without the code it cannot be asked for.
async fn cancel(State(app): State<App>, Segment(code): Segment, Form(form): Form) -> Result<Response, Rejection> {
    if form.get("sure")? != Some("yes") {
        return Err(Problem::new(&codes::door::FIELD_MISSING, "the box that says that you are sure").into());
    }
    engine::erasure::cancel_by_person(&app.engine, &code).await?;
    Ok(private(Redirect::to(&format!("/deletion/{}", tidy(&code))).into_response()))
}

/// The page of one request.
#[derive(Template)]
#[template(path = "deletion.html")]
struct StatusPage {
    view: PublicView,
    due: String,
    events: Vec<Event>,
}

/// One point of the timeline.
struct Event {
    tone: &'static str,
    icon: &'static str,
    title: String,
    words: String,
    at: Option<Timestamp>,
}

/// How to ask for a deletion, and where to look one up.
#[derive(Template)]
#[template(path = "deletion_instructions.html")]
struct InstructionsPage {
    apps: Vec<AskApp>,
    unknown: bool,
}

/// An app that people can be erased from.
struct AskApp {
    name: String,
    platform: String,
    contact: Option<String>,
    form: bool,
}

#[derive(Deserialize)]
struct LookUp {
    code: Option<String>,
}

/// `GET /deletion/{code}`: for people as a page, for programs as JSON.
async fn status(State(app): State<App>, Segment(code): Segment, headers: HeaderMap) -> Result<Response, Rejection> {
    let person = wants_html(&headers);
    let view = match engine::erasure::public_view(&app.engine, &code).await {
        Ok(view) => view,
        Err(problem) if person && problem.is(&codes::door::CODE_UNKNOWN) => {
            let page = InstructionsPage { apps: apps(&app).await?, unknown: true };
            return Ok(private((StatusCode::NOT_FOUND, render(&page)?).into_response()));
        }
        Err(problem) => return Err(problem.into()),
    };
    if !person {
        return Ok(private(Json(view).into_response()));
    }
    let page = StatusPage { due: relative(app.engine.ambient().now(), view.due_at), events: events(&view), view };
    Ok(private(render(&page)?))
}

/// `GET /deletion`: instructions; with `?code=` the way to its page, for browsers without script.
async fn instructions(State(app): State<App>, Query(look_up): Query<LookUp>) -> Result<Response, Rejection> {
    if let Some(code) = look_up.code.as_deref().map(tidy).filter(|code| !code.is_empty()) {
        return Ok(private(Redirect::to(&format!("/deletion/{code}")).into_response()));
    }
    let page = InstructionsPage { apps: apps(&app).await?, unknown: false };
    render(&page)
}

/// Takes what people paste around a code away: spaces, dashes, capitals, whatever else a code cannot hold.
fn tidy(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().to_ascii_lowercase()
}

async fn apps(app: &App) -> Result<Vec<AskApp>, Problem> {
    let declared = engine::world::apps(&app.engine).await?;
    let mails = app.engine.sends_mail();
    let ask = |app: engine::world::App| AskApp {
        platform: platform_name(&app.declared.platform),
        name: app.declared.name,
        contact: app.declared.contact,
        form: app.declared.form && mails,
    };
    Ok(declared.into_iter().map(ask).collect())
}

/// Says a ground in words: those of GDPR Art. 17(3) as people would, any other as it was declared.
fn ground(declared: &str) -> &str {
    match declared {
        "expression" => "Freedom of expression and information",
        "legal-obligation" => "The law obliges us to keep it",
        "public-health" => "Public health",
        "research" | "archiving" => "Archiving or research in the public interest",
        "legal-claims" => "It is needed for legal claims",
        other => other,
    }
}

fn platform_name(platform: &str) -> String {
    match platform {
        "meta" => "Facebook, Instagram or Threads".to_owned(),
        other => other.to_owned(),
    }
}

/// Keeps an answer about one person out of caches, search engines and referrers.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    response
}

/// Tells how far away a day is.
fn relative(now: Timestamp, then: Timestamp) -> String {
    let hours = then.duration_since(now).as_hours();
    match (hours / 24, hours) {
        (days, _) if days > 1 => format!("in {days} days"),
        (_, hours) if hours > 1 => format!("in {hours} hours"),
        (_, hours) if hours >= 0 => "very soon".to_owned(),
        (0, _) => "today".to_owned(),
        (-1, _) => "a day ago".to_owned(),
        (days, _) => format!("{} days ago", -days),
    }
}

/// Tells the story of a request: received, each system, the end.
fn events(view: &PublicView) -> Vec<Event> {
    let mut events = vec![Event {
        tone: "good",
        icon: "check",
        title: "Received".to_owned(),
        words: "Your request was recorded, and cannot be lost.".to_owned(),
        at: Some(view.received_at),
    }];
    for system in &view.systems {
        let look = super::layout::look(&system.state);
        events.push(Event {
            tone: look.tone,
            icon: look.icon,
            title: format!("{}: {}", system.label, said(system.state)),
            words: system.reason.clone().unwrap_or_default(),
            at: None,
        });
    }
    let (tone, icon, title) = match view.state {
        ErasureState::Complete => ("good", "shield", "Finished: everything is erased"),
        ErasureState::PartlyRefused => ("good", "shield", "Finished: erased, except for what must be kept"),
        ErasureState::NoData => ("good", "shield", "Finished: nothing about you was found"),
        ErasureState::Refused => ("warn", "dash", "Finished: nothing was erased"),
        ErasureState::Cancelled => ("calm", "dash", "Taken back"),
        ErasureState::Expired => ("calm", "dash", "Expired"),
        _ => ("calm", "clock", "Not finished yet"),
    };
    events.push(Event { tone, icon, title: title.to_owned(), words: String::new(), at: view.finished_at });
    if view.kept_erased_at.is_some() {
        let title = match view.kept.is_empty() {
            true => "What had to be kept is erased",
            false => "Some of what had to be kept is erased",
        };
        let words = "Its time was over. Every place was read again afterwards.".to_owned();
        events.push(Event { tone: "good", icon: "shield", title: title.to_owned(), words, at: view.kept_erased_at });
    }
    events
}

fn said(state: SystemState) -> &'static str {
    match state {
        SystemState::Pending => "not begun",
        SystemState::Running => "being erased",
        SystemState::VerifiedEmpty => "erased and verified",
        SystemState::Attested => "erased, as somebody vouches",
        SystemState::Kept => "erased, except for what must be kept",
        SystemState::Blocked => "stopped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_code_is_tidied() {
        assert_eq!(tidy(" ABCD-efgh 2345\u{a0}"), "abcdefgh2345");
        assert_eq!(tidy("../../x?y"), "xy");
    }

    #[test]
    fn a_day_is_told_from_here() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let table = [
            ("2026-12-22T12:00:00Z", "in 30 days"),
            ("2026-11-23T11:00:00Z", "in 23 hours"),
            ("2026-11-22T12:30:00Z", "very soon"),
            ("2026-11-22T09:00:00Z", "today"),
            ("2026-11-20T12:00:00Z", "2 days ago"),
        ];
        for (then, words) in table {
            assert_eq!(relative(now, then.parse().unwrap()), words);
        }
    }
}
