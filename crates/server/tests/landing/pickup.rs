//! The platform picks up what has landed: by cursor, with the bytes, and nothing of another account.

use engine::connections::issue_token;
use jiff::SignedDuration;
use net::{Method, StatusCode, header};

use crate::sender::{Landing, envelope, photo, picture, related};

async fn get(landing: &Landing, token: &str, path: &str) -> net::Response {
    let client = net::Client::new(net::Policy::operator());
    let url = format!("http://{}/api/v1/inbox{path}", landing.address);
    net::send(client.request(Method::GET, url).unwrap().bearer_auth(token)).await.unwrap()
}

async fn json(landing: &Landing, token: &str, path: &str) -> serde_json::Value {
    let body = net::read_limited(get(landing, token, path).await, 1 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn the_platform_follows_the_cursor_and_fetches_the_bytes() {
    let landing = Landing::start().await;
    let token = landing.token_for("inbox:read").await;
    let bytes = picture(1, 200_000);
    let sent = landing.post_related(related(&photo("one.png", "null"), "image/png", &bytes)).await;
    let album = envelope(r#"{"@type":"Album","id":"a1","name":"Norway"}"#);
    landing.post_json("media", &album).await;

    let first = json(&landing, &token, "?limit=1").await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["items"][0]["id"]), (1, &sent.body["id"]));
    let next = first["next"].as_u64().unwrap();
    let second = json(&landing, &token, &format!("?after={next}")).await;
    assert_eq!(second["items"][0]["item"]["fields"]["name"], "Norway");
    let end = second["next"].as_u64().unwrap();
    assert_eq!(json(&landing, &token, &format!("?after={end}")).await["next"], end);

    let content = get(&landing, &token, &format!("/{}/content", sent.id())).await;
    assert_eq!(content.headers()[header::CONTENT_TYPE], "image/png");
    assert_eq!(net::read_limited(content, 1 << 20).await.unwrap(), bytes);
    let transfers = json(&landing, &token, "/transfers").await;
    assert_eq!((&transfers[0]["service"], &transfers[0]["progress"]), (&"Photobook".into(), &"receiving".into()));
    assert_eq!(transfers[0]["types"]["photos"]["bytes"], 200_000);
}

#[tokio::test]
async fn another_account_or_another_scope_sees_nothing() {
    let landing = Landing::start().await;
    let sent = landing.post_related(related(&photo("one.png", "null"), "image/png", b"png")).await;
    assert_eq!(get(&landing, &landing.token, "").await.status(), StatusCode::FORBIDDEN);
    let scopes = "inbox:read".parse().unwrap();
    let other = issue_token(&landing.engine, "bob", &scopes, SignedDuration::from_mins(10)).await.unwrap().access_token;
    assert_eq!(json(&landing, &other, "").await["items"], serde_json::json!([]));
    let content = get(&landing, &other, &format!("/{}/content", sent.id())).await;
    assert_eq!(content.status(), StatusCode::NOT_FOUND);
}
