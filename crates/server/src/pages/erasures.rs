//! One erasure as an operator sees it: systems and tables, what is kept, the receipt, and what can be done.

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use engine::erasure;
use http::header;
use model::erasure::{ErasureState, RequestView};
use model::{Problem, codes};

use super::browser::see_other;
use super::layout::{Due, due, render};
use super::operator::{Frame, Operator};
use crate::App;
use crate::form::Form;
use crate::problem::Rejection;

#[derive(Template)]
#[template(path = "erasure.html")]
struct ErasurePage {
    frame: Frame,
    view: RequestView,
    due: Due,
}

/// `GET /erasures/{id}`
pub(super) async fn page(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Rejection> {
    let view = erasure::show(&app.engine, &id).await?;
    let page = ErasurePage { frame: operator.frame, due: due(view.due_at, app.engine.ambient().now()), view };
    Ok(operator.browser.keep(&app, render(&page)?))
}

/// `GET /erasures/{id}/receipt`: the file that `moveout receipt verify` reads
pub(super) async fn receipt(
    State(app): State<App>,
    _operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Rejection> {
    let view = erasure::show(&app.engine, &id).await?;
    Ok(download(&format!("receipt-{}", view.id), view.receipt)?)
}

/// `GET /erasures/{id}/kept-receipt`: the same of what a ground kept, once it is erased
pub(super) async fn kept_receipt(
    State(app): State<App>,
    _operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Rejection> {
    let view = erasure::show(&app.engine, &id).await?;
    Ok(download(&format!("kept-receipt-{}", view.id), view.kept_receipt)?)
}

fn download(name: &str, receipt: Option<serde_json::Value>) -> Result<Response, Problem> {
    let receipt = receipt.ok_or_else(|| Problem::new(&codes::door::NOT_FOUND, "there is no receipt yet"))?;
    let name = format!("attachment; filename=\"{name}.json\"");
    Ok(([(header::CONTENT_DISPOSITION, name), (header::CACHE_CONTROL, "no-store".to_owned())], Json(receipt))
        .into_response())
}

/// `POST /erasures/{id}/{action}`
pub(super) async fn act(
    State(app): State<App>,
    operator: Operator,
    Path((id, action)): Path<(String, String)>,
    Form(form): Form,
) -> Result<Response, Rejection> {
    operator.browser.guard(&app.engine).check(form.get("form")?.unwrap_or_default())?;
    let view = match action.as_str() {
        "approve" => erasure::approve(&app.engine, &id).await?,
        "cancel" => erasure::cancel(&app.engine, &id).await?,
        "pause" => erasure::pause(&app.engine, &id).await?,
        "resume" => erasure::resume(&app.engine, &id).await?,
        _ => return Err(Problem::new(&codes::door::NOT_FOUND, "").into()),
    };
    Ok(see_other(&format!("/erasures/{}", view.id)))
}

/// `POST /emergency/{action}`: the emergency stop, and its end
pub(super) async fn emergency(
    State(app): State<App>,
    operator: Operator,
    Path(action): Path<String>,
    Form(form): Form,
) -> Result<Response, Rejection> {
    operator.browser.guard(&app.engine).check(form.get("form")?.unwrap_or_default())?;
    match action.as_str() {
        "stop" => drop(erasure::stop(&app.engine, "pressed in the console").await?),
        "start" => drop(erasure::start(&app.engine).await?),
        _ => return Err(Problem::new(&codes::door::NOT_FOUND, "").into()),
    }
    Ok(see_other("/"))
}
