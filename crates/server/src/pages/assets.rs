//! The style sheet, script and pictures of our pages: in the binary, cached for ever under the hash of their content.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use model::{Problem, codes};
use rust_embed::RustEmbed;

use crate::problem::Rejection;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// File name → the first 16 hexadecimal digits of its SHA-256.
static VERSIONS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    Files::iter()
        .filter_map(|name| {
            let hash = Files::get(&name)?.metadata.sha256_hash();
            Some((name.into_owned(), data_encoding::HEXLOWER.encode(&hash[..8])))
        })
        .collect()
});

/// Returns the address of an asset; it changes with the content, so that browsers may keep it for ever.
pub fn href(name: &str) -> String {
    let version = VERSIONS.get(name).map_or("", String::as_str);
    format!("/assets/{name}?v={version}")
}

/// `GET /assets/{name}`
pub(super) async fn serve(Path(name): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let (Some(file), Some(version)) = (Files::get(&name), VERSIONS.get(&name)) else {
        return Rejection(Problem::new(&codes::door::NOT_FOUND, "")).into_response();
    };
    let etag = format!("\"{version}\"");
    // An address without the current version may name another content tomorrow.
    let kept = if query.is_some_and(|query| query == format!("v={version}")) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let caching = [(header::CACHE_CONTROL, kept.to_owned()), (header::ETAG, etag.clone())];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let kind = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    (caching, [(header::CONTENT_TYPE, kind)], file.data).into_response()
}
