//! What every page shares: rendering, how states look, and the error page.

use askama::Template;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use model::{Code, Problem, Verdict, codes};

use crate::problem::{Explained, Rejection};

/// Renders a page that holds what only one reader may see: it is never cached.
///
/// # Errors
/// `MO-1015` if the template fails, which is a defect.
pub fn render(page: &impl Template) -> Result<Response, Rejection> {
    let html = page
        .render()
        .map_err(|cause| Problem::new(&codes::door::INTERNAL, "the page could not be made").caused_by(cause))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Html(html)).into_response())
}

/// How a state looks: a tone, an icon and a word, never colour alone.
pub struct Look {
    /// `good`, `busy`, `warn`, `bad` or `calm`: a class of the style sheet.
    pub tone: &'static str,
    /// A symbol of `icons.svg`.
    pub icon: &'static str,
    /// The word for people.
    pub word: String,
}

/// Returns how a state of a transfer, an item, an erasure or a system looks; what it does not know looks calm.
pub fn look(state: &impl std::fmt::Display) -> Look {
    let name = state.to_string();
    let (tone, icon, word) = match name.as_str() {
        "received" => ("calm", "clock", "Received"),
        "queued" => ("calm", "clock", "Queued"),
        "pending" => ("calm", "clock", "Not begun"),
        "awaiting_identity" => ("warn", "question", "Waits for proof of identity"),
        "waiting" => ("warn", "clock", "Waiting"),
        "running" => ("busy", "turn", "Running"),
        "sent" => ("busy", "turn", "On its way"),
        "paused" => ("warn", "pause", "Paused"),
        "blocked" => ("bad", "stop", "Blocked"),
        "complete" => ("good", "check", "Complete"),
        "done" => ("good", "check", "Done"),
        "confirmed" => ("good", "check", "Confirmed"),
        "verified_empty" => ("good", "shield", "Erased and verified"),
        "attested" => ("warn", "question", "Attested, not verified"),
        "kept" => ("warn", "archive", "Partly kept by law"),
        "partly_refused" => ("warn", "archive", "Partly refused"),
        "refused" => ("bad", "cross", "Refused"),
        "no_data" => ("good", "shield", "Nothing found"),
        "done_with_failures" => ("warn", "alert", "Done, with failures"),
        "already_there" => ("good", "check", "Was there before"),
        "failed" => ("bad", "cross", "Failed"),
        "uncertain" => ("warn", "question", "Uncertain"),
        "cancelled" => ("calm", "dash", "Cancelled"),
        "expired" => ("calm", "dash", "Expired"),
        _ => return Look { tone: "calm", icon: "dash", word: name },
    };
    Look { tone, icon, word: word.to_owned() }
}

/// Returns the tone in which a problem of this verdict is shown.
pub fn tone(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Retry => "busy",
        Verdict::NeedsUser | Verdict::NeedsPartner => "warn",
        Verdict::Permanent | Verdict::Blocked => "bad",
    }
}

/// Writes an instant for readers without script: to the minute, in UTC.
pub fn utc(at: &Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// Returns `done` of `total` in whole percent, 100 only when nothing is left.
pub fn percent(done: &u64, total: &u64) -> u64 {
    done.saturating_mul(100).checked_div(*total).unwrap_or(0).min(100)
}

/// How far a due date is away.
pub struct Due {
    /// `calm`, `warn` in the last week, `bad` when it is over.
    pub tone: &'static str,
    /// For people, to the day.
    pub words: String,
}

/// Tells how far a due date is away.
pub fn due(at: Timestamp, now: Timestamp) -> Due {
    let days = at.duration_since(now).as_secs().div_euclid(24 * 3600);
    let (tone, words) = match days {
        ..=-2 => ("bad", format!("{} days late", -days - 1)),
        -1 => ("bad", "late since today".to_owned()),
        0 => ("warn", "due today".to_owned()),
        1 => ("warn", "due tomorrow".to_owned()),
        2..=7 => ("warn", format!("due in {days} days")),
        _ => ("calm", format!("due in {days} days")),
    };
    Due { tone, words }
}

/// Writes a number of bytes for people.
pub fn bytes(bytes: &u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let (mut value, mut unit) = (*bytes as f64, 0);
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 9.95 {
        format!("{value:.0} {}", units[unit])
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

/// Writes a count with its thousands apart.
pub fn number(number: &u64) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join("\u{202f}")
}

/// Returns the end of an id, which is random: enough to tell it from its neighbours.
pub fn short(id: &str) -> &str {
    id.char_indices().rev().nth(7).map_or(id, |(start, _)| &id[start..])
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    code: &'a Code,
    detail: &'a str,
}

/// Shows a problem as a page to whoever asks for HTML, and leaves the problem document to programs.
pub(crate) async fn explain_to_people(request: Request, next: Next) -> Response {
    let person = wants_html(request.headers());
    let response = next.run(request).await;
    let Some(Explained { code, detail }) = response.extensions().get::<Explained>().filter(|_| person).cloned() else {
        return response;
    };
    let Ok(html) = (ErrorPage { code, detail: &detail }).render() else { return response };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(parts, html.into())
}

/// Tells whether a browser asks: it names `text/html`, which programs do not.
pub fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|range| range.split(';').next().is_some_and(|kind| kind.trim() == "text/html"))
}

#[cfg(test)]
mod tests {
    use model::erasure::{ErasureState, SystemState};
    use model::transfer::{ItemState, TransferState};

    use super::*;

    #[test]
    fn every_state_has_a_look_of_its_own() {
        let names = [
            ErasureState::ALL.iter().map(|state| state.name()).collect::<Vec<_>>(),
            SystemState::ALL.iter().map(|state| state.name()).collect(),
            TransferState::ALL.iter().map(|state| state.name()).collect(),
            ItemState::ALL.iter().map(|state| state.name()).collect(),
        ]
        .concat();
        for name in names {
            assert_ne!(look(&name).word, name, "{name} is shown as it is stored");
        }
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(
            [bytes(&0), bytes(&999), bytes(&1_000), bytes(&9_990_000), bytes(&12_345_678)].join(" "),
            "0 bytes 999 bytes 1.0 kB 10 MB 12 MB"
        );
        assert_eq!([number(&7), number(&1_234), number(&1_000_000)], ["7", "1\u{202f}234", "1\u{202f}000\u{202f}000"]);
    }

    #[test]
    fn a_due_date_is_late_from_its_moment_on() {
        let at: Timestamp = "2026-12-22T12:00:00Z".parse().unwrap();
        let words = |now: &str| due(at, now.parse().unwrap()).words;
        assert_eq!(words("2026-11-22T12:00:00Z"), "due in 30 days");
        assert_eq!(words("2026-12-22T11:59:59Z"), "due today");
        assert_eq!(words("2026-12-22T12:00:01Z"), "late since today");
        assert_eq!(words("2026-12-25T13:00:00Z"), "3 days late");
    }

    #[test]
    fn progress_ends_only_at_the_end() {
        assert_eq!([percent(&0, &0), percent(&999, &1000), percent(&7, &7), percent(&9, &7)], [0, 99, 100, 100]);
    }
}
