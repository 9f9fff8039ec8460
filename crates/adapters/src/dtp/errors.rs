//! What an endpoint's answers and a source's failures mean for the transfer.

use model::{Problem, codes};
use net::StatusCode;
use serde::Deserialize;

pub(super) use crate::body::{length_changed, unreadable};

/// How many characters of the endpoint's own words are kept.
const MAX_WORDS: usize = 300;

/// The error document of a Generic Importer endpoint.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorDocument {
    error: String,
    error_description: String,
}

/// Turns an answer that is no success into a problem; its verdict decides what the transfer does.
pub(super) fn refusal(status: StatusCode, retry_after: Option<u64>, body: &[u8], token: &str) -> Problem {
    let document: ErrorDocument = serde_json::from_slice(body).unwrap_or_default();
    let code = match (status.as_u16(), document.error.as_str()) {
        (401, _) | (403, "insufficient_scope") => &codes::transfer::TOKEN_REFUSED,
        (413, "destination_full") => &codes::transfer::DESTINATION_FULL,
        (408 | 425 | 429 | 500.., _) => &codes::transfer::DESTINATION_FAILED,
        _ => &codes::transfer::ITEM_REFUSED,
    };
    let words = [document.error, document.error_description].map(|words| presentable(&words, token)).join(" ");
    let detail = format!("it answered {} {}", status.as_u16(), words.trim());
    Problem::new(code, detail.trim_end()).after(retry_after)
}

/// Bounds the endpoint's words, and drops them if they repeat our token.
fn presentable(words: &str, token: &str) -> String {
    if !token.is_empty() && words.contains(token) {
        return String::new();
    }
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use model::Verdict;

    use super::*;

    #[test]
    fn every_answer_has_its_verdict_and_never_our_token() {
        let table = [
            (401, r#"{"error":"invalid_token"}"#, &codes::transfer::TOKEN_REFUSED, Verdict::NeedsUser),
            (403, r#"{"error":"insufficient_scope"}"#, &codes::transfer::TOKEN_REFUSED, Verdict::NeedsUser),
            (413, r#"{"error":"destination_full"}"#, &codes::transfer::DESTINATION_FULL, Verdict::NeedsUser),
            (413, r#"{"error":"invalid_request"}"#, &codes::transfer::ITEM_REFUSED, Verdict::Permanent),
            (429, "", &codes::transfer::DESTINATION_FAILED, Verdict::Retry),
            (503, "<html>", &codes::transfer::DESTINATION_FAILED, Verdict::Retry),
            (404, "not json", &codes::transfer::ITEM_REFUSED, Verdict::Permanent),
            (302, "", &codes::transfer::ITEM_REFUSED, Verdict::Permanent),
        ];
        for (status, body, code, verdict) in table {
            let problem = refusal(StatusCode::from_u16(status).unwrap(), Some(7), body.as_bytes(), "s3cret");
            assert!(problem.is(code) && problem.verdict() == verdict, "{status}: {problem}");
            assert_eq!(problem.retry_after, Some(7));
        }
        let chatty =
            format!(r#"{{"error":"bad","error_description":"the token s3cret {}"}}"#, "is no good ".repeat(1000));
        let problem = refusal(StatusCode::BAD_REQUEST, None, chatty.as_bytes(), "s3cret");
        assert_eq!(problem.detail, "it answered 400 bad");
        let problem = refusal(StatusCode::BAD_REQUEST, None, chatty.as_bytes(), "other");
        assert!(problem.detail.len() < 400 && problem.detail.contains("is no good"));
    }
}
