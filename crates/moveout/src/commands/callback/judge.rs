//! What the platform expects of an answer, point by point.

use net::header::HeaderMap;
use url::Url;
use wire::callback::Answer;

use model::check::Checks;

/// Judges the answer to the callback; returns it if it can be read.
pub fn answer(checks: &mut Checks, status: u16, headers: &HeaderMap, body: &str) -> Option<Answer> {
    checks.must("status", status == 200, format!("HTTP {status}"));
    let media_type = media_type(headers);
    checks.should("content_type", media_type == "application/json", media_type);
    let Some(answer) = wire::callback::parse(body) else {
        let shown: String = body.chars().filter(|c| !c.is_control()).take(200).collect();
        checks.must("body", false, format!("there is no url and confirmation_code in it: {shown}"));
        return None;
    };
    checks.must("body", true, "url and confirmation_code are there");
    checks.should(
        "json",
        answer.is_json,
        if answer.is_json { "JSON" } else { "not JSON: names or strings lack \"quotes\"" },
    );
    let code = &answer.confirmation_code;
    let plain = !code.is_empty() && code.chars().all(|c| c.is_ascii_alphanumeric());
    checks.must("confirmation_code", plain, format!("{} characters, letters and digits only: {plain}", code.len()));
    let scheme = Url::parse(&answer.url).map(|url| url.scheme().to_owned()).unwrap_or_default();
    checks.must("url", matches!(scheme.as_str(), "https" | "http"), "an absolute URL");
    checks.should("url_https", scheme == "https", format!("its scheme is {scheme:?}; the platform demands https"));
    Some(answer)
}

/// Judges the status page that a person is sent to.
pub fn page(checks: &mut Checks, status: u16, headers: &HeaderMap, body: &str) {
    checks.must("page", status == 200, format!("HTTP {status}"));
    let media_type = media_type(headers);
    checks.must("page_readable", media_type == "text/html" || media_type == "text/plain", media_type);
    checks.should("page_words", body.trim().len() > 20, format!("{} bytes", body.len()));
    // The address is a capability: it must not travel on with the visitor.
    let policy = headers.get("referrer-policy").and_then(|value| value.to_str().ok()).unwrap_or_default();
    checks.should("page_referrer", policy == "no-referrer", format!("Referrer-Policy: {policy}"));
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
