//! The callback and the status page, as the platform, a program and a person meet them. The engine behind is the real one.

use std::sync::Mutex;

use axum::body::{Body, to_bytes};
use engine::{Engine, Settings, jobs, world};
use http::{HeaderMap, Method, Request, StatusCode, header};
use model::world::SecretRef;
use store::{Keys, Store};
use tower::ServiceExt;
use wire::signed_request::{self, Payload, Secret};

const SECRET: &str = "the app's secret";
const FORM: &str = "application/x-www-form-urlencoded";

/// One answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

struct House {
    _folder: tempfile::TempDir,
    engine: Engine,
    store: Store,
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ambient, _) = testkit::ambient::ambient();
        let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();
        let settings = Settings { public_url: "https://moveout.example".to_owned(), data: folder.path().to_owned() };
        let engine = Engine::new(store.clone(), ambient, net::Client::new(net::Policy::operator()), settings);
        let declared = r#"{"app": [{"name": "shop", "secrets": ["env:S"], "contact": "privacy@shop.example"},
            {"name": "bare"}, {"name": "calm", "secrets": ["env:S"], "cool_off": "3d"}]}"#;
        let resolve = |_: &SecretRef| Ok(SECRET.to_owned());
        world::apply(&engine, serde_json::from_str(declared).unwrap(), &resolve).await.unwrap();
        Self { _folder: folder, engine, store }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(header::HeaderName, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = server::router(server::App::new(self.engine.clone())).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, &[(header::CONTENT_TYPE, FORM)], body.as_bytes().to_vec()).await
    }

    async fn get(&self, path: &str, accept: &str) -> Answer {
        self.send(Method::GET, path, &[(header::ACCEPT, accept)], Vec::new()).await
    }
}

fn signed(user_id: &str) -> String {
    let payload = Payload { user_id: user_id.to_owned(), issued_at: None, expires: None, profile_id: None };
    signed_request::sign(&payload, &Secret::new(SECRET).unwrap()).unwrap()
}

#[tokio::test]
async fn a_callback_is_answered_as_the_platform_wants_and_its_code_works_at_once() {
    let house = House::open().await;
    let body = format!("signed_request={}", signed("10158"));
    let answer = house.post("/callbacks/shop/deletion", &body).await;
    assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "application/json"));
    assert_eq!(answer.json().as_object().unwrap().len(), 2);
    let code = answer.json()["confirmation_code"].as_str().unwrap().to_owned();
    assert_eq!(answer.json()["url"], format!("https://moveout.example/deletion/{code}"));
    assert_eq!(house.post("/callbacks/shop/deletion", &body).await.json(), answer.json());

    let mut waiting = house.get(&format!("/deletion/{code}"), "application/json").await.json();
    assert_eq!(waiting["confirmation_code"], code);
    waiting["confirmation_code"] = "[code]".into();
    insta::assert_json_snapshot!(waiting, @r#"
        {
          "backups_until": null,
          "confirmation_code": "[code]",
          "contact": "privacy@shop.example",
          "due_at": "2026-12-22T12:00:00Z",
          "finished_at": null,
          "kept": [],
          "reason": "Your request has arrived and is recorded. The work begins in a moment.",
          "received_at": "2026-11-22T12:00:00Z",
          "state": "received",
          "systems": []
        }
        "#);

    jobs::drain(&house.engine).await.unwrap();
    let page = house.get(&format!("/deletion/{}", code.to_uppercase()), "text/html").await;
    assert_eq!(page.status, StatusCode::OK);
    for (name, value) in
        [("referrer-policy", "no-referrer"), ("cache-control", "no-store"), ("x-robots-tag", "noindex, nofollow")]
    {
        assert_eq!(page.headers[name], value);
    }
    assert!(page.body.contains("A safety check stopped the work"), "no system is declared: {}", page.body);
    assert!(page.body.contains("privacy@shop.example") && page.body.contains("http-equiv=\"refresh\""));
    assert!(!page.body.contains("10158") && !page.body.contains("MO-2010"));
}

#[tokio::test]
async fn a_withdrawal_of_access_is_recorded_and_erases_nothing() {
    let house = House::open().await;
    let body = format!("signed_request={}", signed("10158"));
    let deletion = house.post("/callbacks/shop/deletion", &body).await.json();
    let withdrawn = house.post("/callbacks/shop/deauthorize", &body).await.json();
    assert_ne!(withdrawn["confirmation_code"], deletion["confirmation_code"]);
    jobs::drain(&house.engine).await.unwrap();
    let path = format!("/deletion/{}", withdrawn["confirmation_code"].as_str().unwrap());
    let view = house.get(&path, "application/json").await.json();
    assert_eq!(view["state"], "refused");
    assert!(view["reason"].as_str().unwrap().contains("withdrew"), "{view}");
}

#[tokio::test]
async fn bad_input_has_its_own_words_and_code() {
    let house = House::open().await;
    let forged = signed("10158").replacen('.', "A.", 1);
    let large = format!("signed_request={}", "a".repeat(64 * 1024));
    let table = [
        ("wrong signature", "/callbacks/shop/deletion", FORM, format!("signed_request={forged}")),
        ("no signed_request", "/callbacks/shop/deletion", FORM, "signed_request=nonsense".to_owned()),
        ("missing field", "/callbacks/shop/deletion", FORM, "other=1".to_owned()),
        ("empty field", "/callbacks/shop/deauthorize", FORM, "signed_request=".to_owned()),
        ("unknown app", "/callbacks/nobody/deletion", FORM, format!("signed_request={}", signed("1"))),
        ("app without secret", "/callbacks/bare/deletion", FORM, format!("signed_request={}", signed("1"))),
        ("too large", "/callbacks/shop/deletion", FORM, large),
        ("json", "/callbacks/shop/deletion", "application/json", "{}".to_owned()),
        ("multipart", "/callbacks/shop/deletion", "multipart/form-data; boundary=x", String::new()),
        ("no text", "/callbacks/%ff/deletion", FORM, format!("signed_request={}", signed("1"))),
    ];
    let mut seen = Vec::new();
    for (what, path, kind, body) in table {
        let answer = house.send(Method::POST, path, &[(header::CONTENT_TYPE, kind)], body.into_bytes()).await;
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{what}");
        let json = answer.json();
        assert_eq!(json["status"], answer.status.as_u16());
        seen.push(format!("{what}: {} {} {} ({})", json["status"], json["code"], json["title"], json["detail"]));
    }
    insta::assert_snapshot!(seen.join("\n"), @r#"
    wrong signature: 400 "MO-1001" "The signature does not match" ("none of the app's secrets made it")
    no signed_request: 400 "MO-1002" "The signed_request is not well formed" ("there is no '.' between its parts")
    missing field: 400 "MO-1005" "A required field is missing" ("the form field signed_request")
    empty field: 400 "MO-1005" "A required field is missing" ("the form field signed_request")
    unknown app: 404 "MO-1006" "No app of this name is declared" ("the address names an app that is not declared")
    app without secret: 500 "MO-1011" "The app has no usable secret" ("no secret is declared")
    too large: 413 "MO-1007" "The body is larger than this door takes" ("this door takes 65536 bytes")
    json: 415 "MO-1008" "This door does not take that content type" ("send application/x-www-form-urlencoded")
    multipart: 415 "MO-1008" "This door does not take that content type" ("send application/x-www-form-urlencoded")
    no text: 404 "MO-1012" "There is nothing at this address" ("")
    "#);
    let good = house.post("/callbacks/shop/deletion", &format!("signed_request={}", signed("1"))).await;
    assert_eq!(good.status, StatusCode::OK, "the door goes on");
}

#[tokio::test]
async fn more_than_can_be_looked_at_is_told_to_come_again() {
    let house = House::open().await;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO inbox (id, app, door, confirmation_code, payload, received_at)
        SELECT 'a' || i, 'shop', 'callback', 'c' || i, x'00', 0 FROM n";
    house.store.write("test.fill", move |tx| Box::pin(async move { tx.exec(fill, &[]).await })).await.unwrap();
    let body = format!("signed_request={}", signed("10158"));
    let answer = house.post("/callbacks/shop/deletion", &body).await;
    assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (StatusCode::TOO_MANY_REQUESTS, "MO-1009"));
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn the_person_takes_a_request_back_while_it_cools_off() {
    let house = House::open().await;
    let answer = house.post("/callbacks/calm/deletion", &format!("signed_request={}", signed("10158"))).await.json();
    let page = format!("/deletion/{}", answer["confirmation_code"].as_str().unwrap());
    jobs::drain(&house.engine).await.unwrap();
    let shown = house.get(&page, "text/html").await.body;
    assert!(shown.contains("Changed your mind?") && shown.contains(&format!("action=\"{page}/cancel\"")), "{shown}");
    let looked_at = house.get(&format!("{page}/cancel"), "text/html").await;
    assert_eq!(looked_at.status, StatusCode::METHOD_NOT_ALLOWED, "whoever only looks takes nothing back");
    assert_eq!(house.post(&format!("{page}/cancel"), "").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(house.get(&page, "application/json").await.json()["state"], "waiting");
    assert_eq!(house.post(&format!("{page}/cancel"), "sure=yes").await.headers["location"], page);
    assert_eq!(house.get(&page, "application/json").await.json()["state"], "cancelled");
    assert_eq!(house.post(&format!("{page}/cancel"), "sure=yes").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_unknown_code_is_explained_to_people_and_to_programs() {
    let house = House::open().await;
    let unknown = format!("/deletion/{}", "a".repeat(26));
    let person = house.get(&unknown, "text/html").await;
    assert_eq!(person.status, StatusCode::NOT_FOUND);
    assert!(person.body.contains("MO-1010") && person.body.contains("name=\"code\""), "{}", person.body);
    assert!(!person.body.contains(&"a".repeat(26)), "the code is not repeated");
    let program = house.get(&unknown, "application/json").await;
    assert_eq!(
        (program.status, program.json()["code"].as_str().unwrap().to_owned()),
        (StatusCode::NOT_FOUND, "MO-1010".to_owned())
    );

    let form = house.get("/deletion", "text/html").await;
    assert!(form.body.contains("privacy@shop.example") && form.body.contains("shop"), "{}", form.body);
    let found = house.get("/deletion?code=ABCD-1234", "text/html").await;
    assert_eq!(
        (found.status, &found.headers["location"]),
        (StatusCode::SEE_OTHER, &"/deletion/abcd1234".parse().unwrap())
    );
}

/// What was logged.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_the_person_nor_the_code_reaches_the_log() {
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Log).finish();
    tracing::subscriber::set_global_default(log).unwrap();
    let house = House::open().await;
    let answer = house.post("/callbacks/shop/deletion", &format!("signed_request={}", signed("765432109876"))).await;
    let code = answer.json()["confirmation_code"].as_str().unwrap().to_owned();
    jobs::drain(&house.engine).await.unwrap();
    house.get(&format!("/deletion/{code}"), "text/html").await;
    house.post("/callbacks/shop/deletion", "signed_request=AAAA.765432109876").await;
    tracing::info!("the log is captured");

    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log is captured"));
    assert!(!log.contains(&code) && !log.contains("765432109876"), "{log}");
}
