//! The identity map over HTTP: only with a token that an operator minted for it, and without names in addresses.

use axum::body::{Body, to_bytes};
use engine::{Engine, Settings, connections, world};
use http::{Request, StatusCode};
use jiff::SignedDuration;
use store::{Keys, Store};
use tower::ServiceExt;

async fn post(engine: &Engine, path: &str, token: &str, body: &str) -> (StatusCode, serde_json::Value) {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = server::router(server::App::new(engine.clone())).oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn an_apps_server_says_who_is_who() {
    let folder = tempfile::tempdir().unwrap();
    let (ambient, _) = testkit::ambient::ambient();
    let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();
    let settings = Settings { public_url: "https://moveout.example".to_owned(), data: folder.path().to_owned() };
    let engine = Engine::new(store, ambient, net::Client::new(net::Policy::operator()), settings);
    let declared = serde_json::from_str(r#"{"app": [{"name": "shop"}]}"#).unwrap();
    world::apply(&engine, declared, &|secret| Ok(secret.0.clone())).await.unwrap();
    let token = |scope: &'static str| {
        let engine = engine.clone();
        async move {
            let hour = SignedDuration::from_hours(1);
            connections::issue_token(&engine, "shop-server", &scope.parse().unwrap(), hour).await.unwrap().access_token
        }
    };
    let (good, other) = (token("identities:write").await, token("media:write").await);

    let link = "/api/v1/apps/shop/identities";
    let people = r#"{"people": [{"person": "42", "identities": ["asid:1001", "email:zoe@example.org"]}]}"#;
    let (status, answer) = post(&engine, link, &good, people).await;
    assert_eq!((status, answer["linked"].as_u64()), (StatusCode::OK, Some(2)));
    let refused = [
        (link, "nonsense", people, StatusCode::UNAUTHORIZED),
        (link, other.as_str(), people, StatusCode::FORBIDDEN),
        ("/api/v1/apps/nobody/identities", good.as_str(), people, StatusCode::NOT_FOUND),
        (link, good.as_str(), r#"{"people": [{"person": "", "identities": ["asid:1"]}]}"#, StatusCode::BAD_REQUEST),
        (
            link,
            good.as_str(),
            r#"{"people": [{"person": "43", "identities": ["quinn@example.org"]}]}"#,
            StatusCode::BAD_REQUEST,
        ),
        (link, good.as_str(), r#"{"people": [{"person": "secret"#, StatusCode::BAD_REQUEST),
    ];
    for (path, token, body, expected) in refused {
        let (status, answer) = post(&engine, path, token, body).await;
        assert_eq!(status, expected, "{body}: {answer}");
        assert!(!answer.to_string().contains("secret") && !answer.to_string().contains("quinn@"), "{answer}");
    }
    let (status, answer) = post(&engine, &format!("{link}/forget"), &good, r#"{"person": "42"}"#).await;
    assert_eq!((status, answer["forgotten"].as_u64()), (StatusCode::OK, Some(2)));
}
