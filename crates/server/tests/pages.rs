//! What every page and every answer keeps to: headers, caching, errors in the reader's form, who sees the console; and health.

use axum::body::Body;
use engine::connections::{self, Role};
use engine::{Engine, Settings};
use http::{HeaderMap, Request, StatusCode, header};
use jiff::Timestamp;
use server::{App, Facing};
use store::{Keys, Store};
use tower::ServiceExt;

struct Site {
    engine: Engine,
    facing: Facing,
    folder: tempfile::TempDir,
}

impl Site {
    async fn open(public_url: &str, local_only: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ambient, _) = testkit::ambient::ambient();
        let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();
        let settings = Settings { public_url: public_url.to_owned(), data: folder.path().to_owned() };
        let engine = Engine::new(store, ambient, net::Client::new(net::Policy::operator()), settings);
        Self { engine, facing: Facing { local_only, ..Facing::default() }, folder }
    }

    async fn get(&self, path: &str, headers: &[(header::HeaderName, &str)]) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let router = server::router(App::with(self.engine.clone(), self.facing.clone()));
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, parts.headers, String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[tokio::test]
async fn errors_come_in_the_form_that_the_reader_asked_for() {
    let site = Site::open("https://moveout.example", false).await;
    let (status, headers, text) = site.get("/nothing", &[]).await;
    assert_eq!(
        (status, headers[header::CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::NOT_FOUND, "application/problem+json")
    );
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["code"], &document["error"]), (&"MO-1012".into(), &"not_found".into()));

    let (status, headers, text) = site.get("/nothing", &[(header::ACCEPT, "text/html,*/*;q=0.8")]).await;
    assert!(status == StatusCode::NOT_FOUND && headers[header::CONTENT_TYPE] == "text/html; charset=utf-8");
    assert!(text.contains("There is nothing at this address") && text.contains("MO-1012"), "{text}");
    for name in ["content-security-policy", "referrer-policy", "x-content-type-options", "strict-transport-security"] {
        assert!(headers.contains_key(name), "{name}");
    }
    assert!(!headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("unsafe"));
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_the_hash_of_their_content() {
    let site = Site::open("http://127.0.0.1:8080", true).await;
    let (_, _, page) = site.get("/login", &[(header::ACCEPT, "text/html")]).await;
    let style = page.split("href=\"").find(|rest| rest.starts_with("/assets/moveout.css")).unwrap();
    let style = style.split('"').next().unwrap();
    let (status, headers, _) = site.get(style, &[]).await;
    assert!(status == StatusCode::OK && headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    let tag = headers[header::ETAG].to_str().unwrap();
    assert_eq!(site.get(style, &[(header::IF_NONE_MATCH, tag)]).await.0, StatusCode::NOT_MODIFIED);
    let (_, headers, _) = site.get("/assets/moveout.css?v=other", &[]).await;
    assert_eq!(headers[header::CACHE_CONTROL], "no-cache", "the content of another address may change");
    assert_eq!(site.get("/assets/..%2fCargo.toml", &[]).await.0, StatusCode::NOT_FOUND);
}

/// The policy forbids inline script and style: a page that holds some would be broken in every browser.
#[test]
fn no_template_holds_inline_script_or_style() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for inline in [" style=", "<style", "<script>", " onclick=", " onsubmit=", " onload=", "javascript:", "|safe"] {
            assert!(!text.contains(inline), "{}: {inline}", path.display());
        }
    }
}

#[tokio::test]
async fn the_console_is_for_operators_or_open_on_this_machine_until_there_is_one() {
    let browser = |host| [(header::ACCEPT, "text/html"), (header::HOST, host)];
    let local = Site::open("http://127.0.0.1:8080", true).await;
    let (status, _, text) = local.get("/", &browser("127.0.0.1:8080")).await;
    assert!(status == StatusCode::OK && text.contains("open to whoever uses this machine"), "{status} {text}");
    for host in ["rebound.example", "moveout.example:8080", "127.0.0.1.evil.example"] {
        assert_eq!(local.get("/", &browser(host)).await.0, StatusCode::FORBIDDEN, "{host}");
    }
    let forwarded = [(header::HOST, "127.0.0.1:8080"), (header::VIA, "1.1 proxy"), (header::ACCEPT, "text/html")];
    assert_eq!(local.get("/", &forwarded).await.0, StatusCode::FORBIDDEN, "a proxy's visitors are not on this machine");
    for (url, local_only) in [("https://moveout.example", true), ("http://127.0.0.1:8080", false)] {
        let site = Site::open(url, local_only).await;
        let (status, _, text) = site.get("/", &browser("127.0.0.1:8080")).await;
        assert!(status == StatusCode::FORBIDDEN && text.contains("MO-4027"), "{url}: {text}");
    }

    connections::add_account(&local.engine, "root", Role::Operator, "correct horse battery").await.unwrap();
    connections::add_account(&local.engine, "zoe", Role::Person, "correct horse battery").await.unwrap();
    let (status, headers, _) = local.get("/transfers/x?y=1", &browser("127.0.0.1:8080")).await;
    assert_eq!(
        (status, headers[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/login?next=%2Ftransfers%2Fx%3Fy%3D1")
    );
    for (name, expected) in [("zoe", StatusCode::FORBIDDEN), ("root", StatusCode::OK)] {
        let session = connections::sign_in(&local.engine, name, "correct horse battery", None).await.unwrap();
        let cookie = format!("moveout-session={}", session.cookie);
        let (status, _, text) = local.get("/", &[(header::ACCEPT, "text/html"), (header::COOKIE, &cookie)]).await;
        assert_eq!(status, expected, "{name}: {text}");
    }
}

#[tokio::test]
async fn a_server_says_how_it_is() {
    let mut site = Site::open("https://moveout.example", false).await;
    site.facing.security_contact = Some("mailto:security@moveout.example".to_owned());
    assert_eq!(site.get("/healthz", &[]).await.0, StatusCode::OK);
    assert_eq!(site.get("/readyz", &[]).await.0, StatusCode::OK);
    site.facing.stopping.cancel();
    let (status, _, text) = site.get("/readyz", &[]).await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && text.contains("MO-1017"), "{text}");
    assert_eq!(site.get("/healthz", &[]).await.0, StatusCode::OK, "a stopping server is alive");

    let (_, headers, text) = site.get("/.well-known/security.txt", &[]).await;
    assert_eq!(headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert!(text.starts_with("Contact: mailto:security@moveout.example\n"), "{text}");
    let expires = text.lines().find_map(|line| line.strip_prefix("Expires: ")).unwrap();
    let days = expires.parse::<Timestamp>().unwrap().duration_since(site.engine.ambient().now()).as_hours() / 24;
    assert!((1..365).contains(&days), "RFC 9116 §2.5.5: in the future, and less than a year: {days}");
    drop(site.folder);
}

#[tokio::test]
async fn metrics_count_by_route_and_never_by_path() {
    let site = Site::open("https://moveout.example", false).await;
    let router = server::router(App::new(site.engine.clone()));
    let send = async |request: Request<Body>| {
        let response = router.clone().oneshot(request).await.unwrap();
        String::from_utf8(axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().into()).unwrap()
    };
    send(Request::get("/deletion/aaaaaaaaaaaaaaaaaaaaaaaaaa").body(Body::empty()).unwrap()).await;
    let metrics = send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let expected = "moveout_http_requests_total{method=\"GET\",route=\"/deletion/{code}\",status=\"404\"} 1";
    assert!(metrics.contains(expected), "{metrics}");
    assert!(
        metrics.contains("moveout_http_refusals_total{route=\"/deletion/{code}\",code=\"MO-1010\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("moveout_job_oldest_due_seconds 0") && metrics.ends_with("# EOF\n"), "{metrics}");
    for line in [
        "moveout_store_operations_total{operation=\"status\",outcome=\"done\"} 1",
        "moveout_store_operation_retries_total{operation=\"status\"} 0",
        "moveout_store_operation_seconds_total{operation=\"status\"} 0.",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    assert!(!metrics.contains("aaaaaaaaaaaaaa"), "a confirmation code is a capability");
}
