//! Redirect URIs: compared letter by letter, and what is appended to them.

use model::{Problem, Result, codes};
use url::{Host, Url};

/// Tells whether the presented URI is the registered one, letter by letter (RFC 9700 §4.1.3).
///
/// A public client on loopback chooses its port when it starts, so there the port may differ (RFC 8252 §7.3).
pub fn uri_matches(registered: &str, presented: &str, public: bool) -> bool {
    if registered == presented {
        return true;
    }
    let without_port = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        let loopback = match url.host()? {
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
            Host::Domain(_) => false,
        };
        // A text that the parser had to mend is not compared loosely.
        let exact = url.as_str() == text;
        (loopback && exact && url.scheme() == "http" && url.set_port(None).is_ok()).then(|| url.to_string())
    };
    public && without_port(registered).is_some_and(|base| without_port(presented) == Some(base))
}

/// Returns where the browser goes with a code (RFC 6749 §4.1.2, RFC 9207 §2).
///
/// # Errors
/// `MO-4012` if the registered URI is no URL.
pub fn success_redirect(uri: &str, code: &str, state: Option<&str>, issuer: &str) -> Result<String> {
    append(uri, &[("code", Some(code)), ("state", state), ("iss", Some(issuer))])
}

/// Returns where the browser goes with an error (RFC 6749 §4.1.2.1, RFC 9207 §2).
///
/// # Errors
/// `MO-4012` if the registered URI is no URL.
pub fn error_redirect(uri: &str, problem: &Problem, state: Option<&str>, issuer: &str) -> Result<String> {
    // error_description allows printable ASCII without quote and backslash (RFC 6749 §4.1.2.1).
    let words = format!("{}: {}. {}", problem.code, problem.code.title, problem.detail);
    let words: String = words.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
    append(
        uri,
        &[
            ("error", Some(problem.code.error)),
            ("error_description", Some(&words)),
            ("state", state),
            ("iss", Some(issuer)),
        ],
    )
}

fn append(uri: &str, pairs: &[(&str, Option<&str>)]) -> Result<String> {
    let mut url = Url::parse(uri).map_err(|cause| {
        Problem::new(&codes::landing::REDIRECT_MISMATCH, "the registered redirect URI is no URL").caused_by(cause)
    })?;
    url.query_pairs_mut().extend_pairs(pairs.iter().filter_map(|(name, value)| value.map(|value| (*name, value))));
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_match_letter_by_letter_but_for_the_loopback_port_of_public_clients() {
        let table = [
            ("https://a.example/cb", "https://a.example/cb", false, true),
            ("https://a.example/cb", "https://a.example/cb/", true, false),
            ("https://a.example/cb", "https://a.example/cb?x=1", true, false),
            ("https://a.example/cb", "https://A.example/cb", true, false),
            ("https://a.example/cb", "https://a.example:444/cb", true, false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true, true),
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", false, false),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", true, true),
            ("http://127.0.0.1/cb", "http://127.0.0.1:2/other", true, false),
            ("http://[::1]/cb", "http://[::1]:2/cb", true, true),
            ("http://localhost/cb", "http://localhost:2/cb", true, false),
            ("http://127.0.0.1/cb", "http://127.0.0.1@evil.example/cb", true, false),
            ("http://127.0.0.1/cb", "http://u@127.0.0.1:2/cb", true, false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:2/x/../cb", true, false),
            ("http://127.0.0.1/cb", "http://127.0.0.2:2/cb", true, false),
        ];
        for (registered, presented, public, expected) in table {
            assert_eq!(
                uri_matches(registered, presented, public),
                expected,
                "{registered} {presented} public={public}"
            );
        }
    }

    #[test]
    fn what_is_appended_keeps_the_query_and_cannot_break_out() {
        let back =
            success_redirect("https://a.example/cb?keep=1", "c", Some("a&code=b#c"), "https://i.example").unwrap();
        assert_eq!(back, "https://a.example/cb?keep=1&code=c&state=a%26code%3Db%23c&iss=https%3A%2F%2Fi.example");
    }
}
