//! The operator's own systems hear of changes, through the shipped binary.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use testkit::receiver::{Manner, Receiver};
use wire::signed_request::{Payload, sign};
use wire::webhook::{self, Headers};

use crate::support::{Server, json, run, send};

const SECRET: &str = "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZA==";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_reaches_the_declared_receiver_and_a_deaf_one_is_shown() {
    let (crm, deaf) = (Receiver::start().await, Receiver::start().await);
    deaf.behave([Manner::Status(404); 50]);
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let hook = |name: &str, url: &str| {
        format!(
            "[[webhook]]\nname = '{name}'\nurl = '{url}'\nsecrets = ['file:./whsec']\nevents = ['erasure.*']\nallow = ['127.0.0.0/8']\n"
        )
    };
    let app = "[[app]]\nname = 'shop'\nsecrets = ['file:./secret']\non_callback = 'review'\n";
    let world = [app, &hook("crm", &crm.url), &hook("deaf", &deaf.url)].concat();
    for (name, text) in [("whsec", SECRET), ("secret", "app secret"), ("world.toml", &world)] {
        std::fs::write(here.join(name), text).unwrap();
    }
    let (exit, out, err) = run(here, &["apply", "world.toml", "--data", "data"]);
    assert!(exit == 0 && out.contains("webhook crm created"), "{out}{err}");

    let server = Server::start(here);
    let payload = Payload { user_id: "4711".to_owned(), issued_at: None, expires: None, profile_id: None };
    let signed = sign(&payload, &wire::signed_request::Secret::new("app secret").unwrap()).unwrap();
    let url = format!("{}/callbacks/shop/deletion", server.url);
    let form = format!("signed_request={signed}").into_bytes();
    let answer = send("POST", &url, &[("content-type", "application/x-www-form-urlencoded")], form).await;
    let code = answer.json()["confirmation_code"].clone();

    crm.has_received(1).await;
    let told = crm.received().remove(0);
    let header = |name: &str| told.headers[name].clone();
    let headers = Headers {
        id: header(webhook::ID),
        timestamp: header(webhook::TIMESTAMP),
        signature: header(webhook::SIGNATURE),
    };
    let sent = Timestamp::from_second(headers.timestamp.parse().unwrap()).unwrap();
    webhook::verify(&headers, &told.body, &[webhook::Secret::parse(SECRET).unwrap()], sent).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["confirmation_code"]), (&"erasure.waiting".into(), &code));
    assert!(!body.to_string().contains("4711"));

    deaf.has_received(1).await;
    let list = || json(here, &["webhook", "list", "--json", "--data", "data"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut shown = list();
    while shown[1]["reason"].is_null() || shown[0]["taken"] != 1 {
        assert!(Instant::now() < deadline, "{shown}");
        shown = list();
    }
    assert_eq!(
        (&shown[1]["name"], &shown[1]["waiting"], &shown[1]["reason"]["code"]),
        (&"deaf".into(), &1.into(), &"MO-8001".into())
    );
    let (_, out, _) = run(here, &["doctor", "--data", "data"]);
    assert!(out.contains("deaf: 1 notices wait") && out.contains("MO-8001"), "{out}");
    let (exit, _, err) = run(here, &["webhook", "test", "deaf", "--data", "data"]);
    assert!(exit == 1 && err.contains("404"), "{exit} {err}");
    deaf.behave([]);
    assert_eq!(json(here, &["webhook", "retry", "deaf", "--json", "--data", "data"])["notices"], 1);
    json(here, &["webhook", "test", "crm", "--json", "--data", "data"]);
    assert_eq!(run(here, &["webhook", "retry", "nobody", "--data", "data"]).0, 3);
}
