//! What a described HTTP call must mean.

use model::call::{Call, Check, Method, Remote};

use super::check::{Complaints, says_something};

/// Headers that the connection or the body decides.
const OURS: &[&str] = &["host", "content-length", "content-type", "transfer-encoding", "connection", "idempotency-key"];

pub(super) fn check(remote: &Remote, complaints: &mut Complaints) {
    call(&remote.erase, "erase", complaints);
    complaints.unless(remote.erase.method != Some(Method::Get), || "erase: a GET erases nothing".to_owned());
    complaints.unless(remote.erase.count.is_none(), || "erase: only what is read is counted".to_owned());
    match &remote.check {
        Check::Reread(reread) => {
            call(reread, "reread", complaints);
            let reads = matches!(reread.method, None | Some(Method::Get | Method::Post));
            complaints.unless(reads, || "reread: it is a GET, or a POST that searches".to_owned());
        }
        Check::Attested(why) => complaints.unless(says_something(why), || "attested does not say why".to_owned()),
    }
}

fn call(call: &Call, name: &str, complaints: &mut Complaints) {
    complaints.unless(!call.templates().iter().all(|(_, template)| template.kinds().is_empty()), || {
        format!("{name}: it has no placeholder, so it would ask the same for everybody")
    });
    let url = call.url.to_string();
    complaints.unless(!url.starts_with("//") && !url.contains("://"), || {
        format!("{name}: url is relative to the system's address")
    });
    complaints
        .unless(call.json.is_none() || call.form.is_none(), || format!("{name}: json and form exclude each other"));
    for (header, value) in &call.headers {
        let plain = !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        complaints.unless(plain && !OURS.contains(&header.to_ascii_lowercase().as_str()), || {
            format!("{name}: the header {header:?} cannot be set")
        });
        complaints.unless(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), || {
            format!("{name}: the value of the header {header:?} is not plain ASCII")
        });
    }
    for status in call.success.iter().chain(&call.not_found) {
        complaints.unless((200..600).contains(status), || format!("{name}: {status} is no status of an answer"));
    }
    complaints.unless(!call.success.is_empty(), || format!("{name}: success names no status"));
    complaints.unless(!call.success.iter().any(|status| call.not_found.contains(status)), || {
        format!("{name}: a status means success or not_found, not both")
    });
    complaints
        .unless(call.count.as_deref().is_none_or(|pointer| pointer.is_empty() || pointer.starts_with('/')), || {
            format!("{name}: count is a JSON pointer like \"/results\"")
        });
}
