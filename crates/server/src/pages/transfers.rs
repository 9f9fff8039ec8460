//! One transfer: its sum, its problems grouped by reason, and what an operator can do about them.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::transfer::{self, Retry};
use model::transfer::{ItemState, TransferState};
use model::{Problem, codes};

use super::browser::see_other;
use super::console::TransferRow;
use super::layout::render;
use super::operator::{Frame, Operator};
use crate::App;
use crate::form::Form;
use crate::problem::Rejection;

#[derive(Template)]
#[template(path = "transfer.html")]
struct TransferPage {
    frame: Frame,
    row: TransferRow,
    actions: Vec<Action>,
}

struct Action {
    name: &'static str,
    words: &'static str,
    look: &'static str,
}

/// `GET /transfers/{id}`
pub(super) async fn page(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Rejection> {
    let row = TransferRow::new(transfer::show(&app.engine, &id).await?);
    let page = TransferPage { frame: operator.frame, actions: actions(&row), row };
    Ok(operator.browser.keep(&app, render(&page)?))
}

/// `POST /transfers/{id}/{action}`
pub(super) async fn act(
    State(app): State<App>,
    operator: Operator,
    Path((id, action)): Path<(String, String)>,
    Form(form): Form,
) -> Result<Response, Rejection> {
    operator.browser.guard(&app.engine).check(form.get("form")?.unwrap_or_default())?;
    match action.as_str() {
        "pause" => transfer::pause(&app.engine, &id).await?,
        "resume" => transfer::resume(&app.engine, &id).await?,
        "cancel" => transfer::cancel(&app.engine, &id).await?,
        "retry" => drop(transfer::retry(&app.engine, &id, Retry::Unwritten).await?),
        _ => return Err(Problem::new(&codes::door::NOT_FOUND, "").into()),
    }
    Ok(see_other(&format!("/transfers/{id}")))
}

/// Offers what makes sense in this state.
fn actions(row: &TransferRow) -> Vec<Action> {
    use TransferState::{Cancelled, Done, DoneWithFailures, Failed, Paused, Queued, Running, Waiting};
    let pause = Action { name: "pause", words: "Pause", look: "quiet" };
    let resume = Action { name: "resume", words: "Continue", look: "" };
    let cancel = Action { name: "cancel", words: "Cancel", look: "danger" };
    let retry = Action { name: "retry", words: "Try again what was not written", look: "" };
    let again =
        row.view.problems.iter().any(|problem| matches!(problem.state, ItemState::Failed | ItemState::Uncertain));
    match row.view.state {
        Queued | Running => vec![pause, cancel],
        Paused | Waiting => vec![resume, cancel],
        Done | DoneWithFailures | Failed if again => vec![retry],
        Done | DoneWithFailures | Failed | Cancelled => Vec::new(),
    }
}
