//! What a person granted, and taking it back.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::connections::{self, Account, Connection};
use wire::oauth::{Scopes, scope_in_words};

use super::browser::{Browser, see_other};
use super::layout::render;
use super::login;
use crate::App;
use crate::form::Form;
use crate::problem::Rejection;

#[derive(Template)]
#[template(path = "connections.html")]
struct ConnectionsPage<'a> {
    account: &'a Account,
    connections: Vec<Shown>,
    form: String,
}

struct Shown {
    connection: Connection,
    allows: Vec<String>,
}

/// `GET /connections`
pub(super) async fn list(State(app): State<App>, browser: Browser) -> Result<Response, Rejection> {
    let Some(account) = &browser.account else { return login::show(&app, &browser, "/connections", None) };
    let connections = connections::connections(&app.engine, &account.id).await?.into_iter().map(|connection| {
        let scopes: Scopes = connection.scopes.split(' ').collect();
        Shown { allows: scopes.iter().map(|scope| scope_in_words(scope).to_owned()).collect(), connection }
    });
    let page =
        ConnectionsPage { account, connections: connections.collect(), form: browser.guard(&app.engine).token() };
    Ok(browser.keep(&app, render(&page)?))
}

/// `POST /connections/{id}/revoke`
pub(super) async fn revoke(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(form): Form,
) -> Result<Response, Rejection> {
    let Some(account) = &browser.account else { return login::show(&app, &browser, "/connections", None) };
    browser.guard(&app.engine).check(form.get("form")?.unwrap_or_default())?;
    connections::withdraw(&app.engine, &account.id, &id).await?;
    Ok(see_other("/connections"))
}
