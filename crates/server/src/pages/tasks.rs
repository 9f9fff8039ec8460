//! What others have still to do for erasures: processors that must report, colleagues who must act.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::erasure::{self, TaskView};

use super::browser::see_other;
use super::layout::{Due, due, render};
use super::operator::{Frame, Operator};
use crate::App;
use crate::form::Form;
use crate::problem::Rejection;

#[derive(Template)]
#[template(path = "tasks.html")]
struct TasksPage {
    frame: Frame,
    rows: Vec<(TaskView, Due)>,
}

/// `GET /tasks`
pub(super) async fn page(State(app): State<App>, operator: Operator) -> Result<Response, Rejection> {
    let now = app.engine.ambient().now();
    let open = erasure::open_tasks(&app.engine).await?;
    let rows = open.into_iter().map(|task| (due(task.due_at, now), task)).map(|(due, task)| (task, due)).collect();
    let page = TasksPage { frame: operator.frame, rows };
    Ok(operator.browser.keep(&app, render(&page)?))
}

/// `POST /tasks/{id}/done`
pub(super) async fn done(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Form(form): Form,
) -> Result<Response, Rejection> {
    operator.browser.guard(&app.engine).check(form.get("form")?.unwrap_or_default())?;
    erasure::finish_task(&app.engine, &id, form.get("evidence")?.unwrap_or_default()).await?;
    Ok(see_other("/tasks"))
}
