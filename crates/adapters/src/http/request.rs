//! From a described call and a person to a request. Values never change what is asked: each is encoded for where it stands.

use std::time::Duration;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use model::call::{Call, Json, Method};
use model::template::Template;
use model::{Problem, Result, codes};
use net::{RequestBuilder, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;
use url::form_urlencoded::Serializer;

use super::Http;
use crate::locations::Person;

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// What a value in a URL keeps: the unreserved characters of RFC 3986 §2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What a repeated request is recognised by where the API supports it (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Makes the request of a call.
///
/// # Errors
/// `MO-2061` if the call cannot be made of what is declared.
pub(super) fn build(http: &Http, call: &Call, otherwise: Method, person: &Person<'_>) -> Result<RequestBuilder> {
    let url = url(http, &call.url, person)?;
    let method = match call.method.unwrap_or(otherwise) {
        Method::Get => net::Method::GET,
        Method::Post => net::Method::POST,
        Method::Put => net::Method::PUT,
        Method::Patch => net::Method::PATCH,
        Method::Delete => net::Method::DELETE,
    };
    let mut request = http.net.request(method.clone(), url.as_str())?.timeout(TIMEOUT);
    request = request.header(header::ACCEPT, "application/json, */*;q=0.5");
    for (name, value) in &call.headers {
        request = request.header(name, with_secrets(http, value)?);
    }
    let body = body(call, person);
    if method == net::Method::POST || method == net::Method::PATCH {
        // The same question gets the same key, so that one whose answer was lost can be asked again.
        let text = [method.as_str(), url.as_str(), body.as_ref().map_or("", |(_, body)| body)].join("\n");
        let key = HEXLOWER.encode(&digest::digest(&digest::SHA256, text.as_bytes()).as_ref()[..16]);
        request = request.header(IDEMPOTENCY_KEY, key);
    }
    Ok(match body {
        Some((media_type, body)) => request.header(header::CONTENT_TYPE, media_type).body(body),
        None => request,
    })
}

fn url(http: &Http, template: &Template, person: &Person<'_>) -> Result<Url> {
    let path = person.fill_parts(template, str::to_owned, |value| utf8_percent_encode(value, ENCODED).to_string());
    let url = http.base.join(&path).ok().filter(|url| url.origin() == http.base.origin());
    url.ok_or_else(|| unusable("the call's url does not lead to the system's own address"))
}

fn body(call: &Call, person: &Person<'_>) -> Option<(&'static str, String)> {
    let json = |json: &Json| ("application/json", json.fill(&|template: &Template| person.fill(template)).to_string());
    let form = |form: &std::collections::BTreeMap<String, Template>| {
        let mut serializer = Serializer::new(String::new());
        serializer.extend_pairs(form.iter().map(|(name, template)| (name, person.fill(template))));
        ("application/x-www-form-urlencoded", serializer.finish())
    };
    call.json.as_ref().map(json).or_else(|| call.form.as_ref().map(form))
}

/// Puts secrets where `{secret:NAME}` stands.
fn with_secrets(http: &Http, value: &str) -> Result<header::HeaderValue> {
    const OPENING: &str = "{secret:";
    let (mut written, mut rest) = (String::new(), value);
    while let Some((before, behind)) = rest.split_once(OPENING) {
        let (name, after) = behind.split_once('}').ok_or_else(|| unusable("a header has {secret: without its '}'"))?;
        let secret =
            http.secrets.get(name).ok_or_else(|| unusable("a header names a secret that the system has not"))?;
        written.push_str(before);
        written.push_str(secret.expose());
        rest = after;
    }
    written.push_str(rest);
    let mut header =
        header::HeaderValue::from_str(&written).map_err(|_| unusable("a secret cannot stand in a header"))?;
    header.set_sensitive(true);
    Ok(header)
}

fn unusable(detail: &str) -> Problem {
    Problem::new(&codes::erasure::LOCATION_UNREADABLE, detail)
}
