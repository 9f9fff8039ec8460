//! Posts a signed_request as the platform does, and looks at what comes back.

use std::time::Duration;

use model::erasure::ErasureState;
use net::{Client, Method, header};
use serde_json::json;

use super::judge;
use crate::context::Context;
use crate::exit::ExitCode;
use model::check::Checks;

/// How much of a status page we read.
const MAX_PAGE: usize = 4 * 1024 * 1024;
/// How long we wait between two looks at the status.
const PAUSE: Duration = Duration::from_millis(500);

/// Posts it, judges the answer and the status page, and follows the state until it comes to rest or time is over.
pub async fn run(url: &str, signed_request: &str, follow: Duration, context: &Context) -> anyhow::Result<ExitCode> {
    let client = context.net();
    let form = format!("signed_request={}", signed_request.replace('=', "%3D"));
    let request =
        client.request(Method::POST, url)?.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
    let response = net::send(request).await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = net::read_limited(response, wire::callback::MAX_TEXT).await?;

    let mut checks = Checks::default();
    let answer = judge::answer(&mut checks, status, &headers, &String::from_utf8_lossy(&body));
    let mut state = None;
    if let Some(answer) = &answer {
        let (status, headers, body) = get(&client, &answer.url, "text/html").await?;
        judge::page(&mut checks, status, &headers, &body);
        state = settle(&client, &answer.url, follow).await?;
    }
    let value = json!({
        "url": answer.as_ref().map(|answer| &answer.url),
        "confirmation_code": answer.as_ref().map(|answer| &answer.confirmation_code),
        "state": state,
        "accepted": checks.hold(),
        "checks": checks,
    });
    context.out.result(&value, || {
        let mut words = checks.words();
        if let Some(answer) = &answer {
            words
                .push_str(&format!("\nStatus page: {}\nConfirmation code: {}\n", answer.url, answer.confirmation_code));
        }
        if let Some(state) = state {
            words.push_str(&format!("State: {state}\n"));
        }
        words
    })?;
    Ok(if checks.hold() { ExitCode::Ok } else { ExitCode::NotHeld })
}

async fn get(client: &Client, url: &str, accept: &str) -> anyhow::Result<(u16, header::HeaderMap, String)> {
    let response = net::send(client.request(Method::GET, url)?.header(header::ACCEPT, accept)).await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = net::read_limited(response, MAX_PAGE).await?;
    Ok((status, headers, String::from_utf8_lossy(&body).into_owned()))
}

/// Follows the state while it moves; `None` where the page tells programs nothing, as most people's do not.
async fn settle(client: &Client, url: &str, follow: Duration) -> anyhow::Result<Option<ErasureState>> {
    let mut waited = Duration::ZERO;
    loop {
        let (status, _, body) = get(client, url, "application/json").await?;
        let state = (status == 200).then(|| serde_json::from_str::<serde_json::Value>(&body).ok()).flatten();
        let state: Option<ErasureState> = state.and_then(|view| view["state"].as_str()?.parse().ok());
        let moves = matches!(state, Some(ErasureState::Received | ErasureState::Running));
        if !moves || waited >= follow {
            return Ok(state);
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
}
