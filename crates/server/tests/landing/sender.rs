//! A landing on a free loopback port, and a sender written from the Generic Importer's README alone: it shares no code with ours.

use std::net::SocketAddr;
use std::path::Path;

use engine::connections::{Grant, authorize_bearer, issue_token};
use engine::landing::{LandedItem, items};
use engine::{Engine, Settings};
use futures_util::TryStreamExt;
use jiff::SignedDuration;
use net::Method;
use server::{App, listen};
use store::{Keys, Store};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

pub const BOUNDARY: &str = "1581c5eb-05d0-42fe-bfb3-472151f366cd";
pub const JOB: &str = "6f0b6a1e-1f5c-4a8e-9d7e-0c4f3f0d2a11";

/// A running landing.
pub struct Landing {
    pub engine: Engine,
    pub address: SocketAddr,
    pub token: String,
    grant: Grant,
    folder: TempDir,
    client: net::Client,
    _serving: DropGuard,
}

/// What a sender sees of an answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: serde_json::Value,
}

impl Answer {
    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}"))
    }

    pub fn error(&self) -> &str {
        assert!(self.body["error_description"].is_string(), "{self:?}");
        self.body["error"].as_str().unwrap()
    }
}

impl Landing {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ambient, _) = testkit::ambient::ambient();
        let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();
        let client = net::Client::new(net::Policy::operator());
        let settings = Settings { public_url: "http://localhost".to_owned(), data: folder.path().to_owned() };
        let engine = Engine::new(store, ambient, client.clone(), settings);
        let scopes = "media:write social-posts:write".parse().unwrap();
        let token = issue_token(&engine, "ada", &scopes, SignedDuration::from_mins(10)).await.unwrap().access_token;
        let grant = authorize_bearer(&engine, &token, "media:write").await.unwrap();

        let listener = listen::bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let address = listener.address();
        let stop = CancellationToken::new();
        tokio::spawn(server::serve(listener, server::router(App::new(engine.clone())), stop.clone()));
        Self { engine, address, token, grant, folder, client, _serving: stop.drop_guard() }
    }

    pub fn account(&self) -> &str {
        &self.grant.account
    }

    /// Mints a token for another scope.
    pub async fn token_for(&self, scope: &str) -> String {
        let scopes = scope.parse().unwrap();
        issue_token(&self.engine, "ada", &scopes, SignedDuration::from_mins(10)).await.unwrap().access_token
    }

    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let url = format!("http://{}/dtp/{path}", self.address);
        let mut request = self.client.request(Method::POST, url).unwrap().body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = net::send(request).await.unwrap();
        let status = response.status().as_u16();
        let body = net::read_limited(response, 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{status}: no JSON"));
        Answer { status, body }
    }

    /// Posts a basic data type, as the README's first example.
    pub async fn post_json(&self, path: &str, json: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("x-dtp-job-id", JOB),
            ("x-dtp-export-service", "Photobook"),
        ];
        self.post_with(path, &headers, json.into()).await
    }

    /// Posts a file-based data type, as the README's second example.
    pub async fn post_related(&self, body: Vec<u8>) -> Answer {
        let (bearer, kind) = (format!("Bearer {}", self.token), format!("multipart/related; boundary={BOUNDARY}"));
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", kind.as_str()),
            ("x-dtp-job-id", JOB),
            ("x-dtp-export-service", "Photobook"),
        ];
        self.post_with("media", &headers, body).await
    }

    pub async fn items(&self) -> Vec<LandedItem> {
        items(&self.engine, self.account(), 0, 1000).await.unwrap()
    }

    pub async fn bytes(&self, id: &str) -> Vec<u8> {
        let opened = engine::landing::open(&self.engine, self.account(), id).await.unwrap().unwrap();
        opened.stream.try_collect::<Vec<_>>().await.unwrap().concat()
    }

    /// Returns every file below the folder of blobs.
    pub fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path.display().to_string()) }
            }
        }
        let mut found = vec![];
        walk(&self.folder.path().join("blobs"), &mut found);
        found
    }
}

/// Wraps a payload as the documentation shows.
pub fn envelope(payload: &str) -> String {
    format!(
        r#"{{"@type":"GenericPayload","schemaSource":".../MediaSerializer.java","apiVersion":"0.1.0","payload":{payload}}}"#
    )
}

pub fn photo(name: &str, album: &str) -> String {
    envelope(&format!(
        r#"{{"@type":"Photo","name":"{name}","albumId":{album},"description":null,"uploadedTime":"2024-11-14T17:21:03.845Z","favoriteInfo":null}}"#
    ))
}

/// Writes a body as OkHttp does: each part with its length, no names.
pub fn related(json: &str, kind: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\r\n{json}\r\n--{BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        json.len(),
        bytes.len()
    )
    .into_bytes();
    body.extend(bytes);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
    body
}

/// Bytes that look like a file's: no pattern, line ends and dashes among them.
pub fn picture(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes: Vec<u8> = (0..size)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect();
    for (at, text) in [(100, "\r\n--"), (200, "\r\n--1581c5eb-05d0-42fe")] {
        if size > at + 40 {
            bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
    }
    bytes
}
