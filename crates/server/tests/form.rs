//! The public form: a mailed link proves who asks. The mail server is a real one, started here; the database is the app's.

#![expect(clippy::disallowed_methods, reason = "the tests look whether the mail catcher answers")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use engine::{Engine, Settings, erasure, jobs, world};
use http::{HeaderMap, Request, StatusCode};
use jiff::SignedDuration;
use model::erasure::ErasureState;
use model::world::SecretRef;
use net::{MailServer, Mailer, Security};
use store::{Keys, Store};
use testkit::ambient::ManualClock;
use tower::ServiceExt;

/// aiosmtpd, which prints every mail that it is handed.
struct Catcher {
    child: Child,
    port: u16,
    printed: Arc<Mutex<String>>,
}

impl Catcher {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("/usr/bin/python3")
            .args(["-u", "-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")])
            .args(["-c", "aiosmtpd.handlers.Debugging", "stdout"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = Arc::new(Mutex::new(String::new()));
        let (lines, all) = (BufReader::new(child.stdout.take().unwrap()).lines(), printed.clone());
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| all.lock().unwrap().push_str(&(line + "\n")))
        });
        let catcher = Self { child, port, printed };
        catcher.until("it answers", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        catcher
    }

    fn mailer(&self) -> Mailer {
        let from = "Privacy <privacy@shop.example>".to_owned();
        let server =
            MailServer { host: "127.0.0.1".to_owned(), port: self.port, security: Security::Plain, login: None, from };
        Mailer::new(server).unwrap()
    }

    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}: never, but {}", self.printed.lock().unwrap());
            std::thread::yield_now();
        }
    }

    /// Returns the path of the last link that was mailed, when so many were.
    fn link(&self, count: usize) -> String {
        self.until("a link", || {
            let printed = self.printed.lock().unwrap();
            // Long lines are folded for transport.
            let text = printed.replace("=\n", "");
            let links: Vec<&str> =
                text.split("https://moveout.example").filter(|rest| rest.starts_with("/deletion/proof/")).collect();
            let whole = links.last().filter(|_| links.len() == count && printed.contains("END MESSAGE"))?;
            whole.split_whitespace().next().map(str::to_owned)
        })
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct House {
    folder: tempfile::TempDir,
    engine: Engine,
    clock: Arc<ManualClock>,
    catcher: Catcher,
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("shop.db");
        let people =
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users VALUES (1, 'zoe@example.org');";
        rusqlite::Connection::open(&database).unwrap().execute_batch(people).unwrap();
        let (ambient, clock) = testkit::ambient::ambient();
        let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();
        let settings = Settings { public_url: "https://moveout.example".to_owned(), data: folder.path().to_owned() };
        let catcher = Catcher::start();
        let engine = Engine::new(store, ambient, net::Client::new(net::Policy::operator()), settings)
            .with_mailer(Some(catcher.mailer()));
        let declared = serde_json::json!({
            "app": [{"name": "shop", "form": true}, {"name": "closed"}],
            "system": [{"name": "db", "adapter": "sqlite", "url": format!("sqlite:{}", database.display()),
                "table": [{"name": "users", "identity": {"email": "email"}}]}],
        });
        let resolve = |secret: &SecretRef| Ok(secret.0.clone());
        world::apply(&engine, serde_json::from_value(declared).unwrap(), &resolve).await.unwrap();
        Self { folder, engine, clock, catcher }
    }

    async fn send(&self, method: &str, path: &str, form: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html");
        let request = request.body(Body::from(form.to_owned())).unwrap();
        let response = server::router(server::App::new(self.engine.clone())).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        (parts.status, parts.headers, body)
    }

    /// Asks by the form and does what is due; returns the code.
    async fn ask(&self, email: &str) -> String {
        let (status, headers, body) = self.send("POST", "/deletion", &format!("app=shop&email={email}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
        jobs::drain(&self.engine).await.unwrap();
        headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned()
    }

    async fn state(&self, code: &str) -> ErasureState {
        jobs::drain(&self.engine).await.unwrap();
        erasure::public_view(&self.engine, code).await.unwrap().state
    }

    fn people(&self) -> i64 {
        let database = rusqlite::Connection::open(self.folder.path().join("shop.db")).unwrap();
        database.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap()
    }
}

#[tokio::test]
async fn nothing_is_erased_before_the_mailed_link_was_followed_and_confirmed() {
    let house = House::open().await;
    let (_, _, form) = house.send("GET", "/deletion", "").await;
    assert!(form.contains("name=\"email\"") && form.contains("value=\"shop\"") && !form.contains("value=\"closed\""));
    let code = house.ask("Zoe%40Example.org").await;
    assert_eq!(house.state(&code).await, ErasureState::AwaitingIdentity);
    let link = house.catcher.link(1);
    let mail = house.catcher.printed.lock().unwrap().clone();
    assert!(mail.contains("Zoe@Example.org") && mail.contains("From: Privacy <privacy@shop.example>"), "{mail}");

    // Mail readers follow links by themselves.
    let (status, headers, page) = house.send("GET", &link, "").await;
    assert_eq!((status, headers["referrer-policy"].to_str().unwrap()), (StatusCode::OK, "no-referrer"));
    assert!(page.contains("method=\"post\""), "{page}");
    assert_eq!((house.state(&code).await, house.people()), (ErasureState::AwaitingIdentity, 1));
    assert_eq!(house.send("POST", "/deletion/proof/guessed", "").await.0, StatusCode::GONE);

    let (status, headers, _) = house.send("POST", &link, "").await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (StatusCode::SEE_OTHER, &*format!("/deletion/{code}")));
    assert_eq!((house.state(&code).await, house.people()), (ErasureState::Complete, 0));
    assert_eq!(house.send("POST", &link, "").await.0, StatusCode::GONE, "a link is good once");
}

#[tokio::test]
async fn a_proof_that_never_comes_ends_the_request_and_nobody_joins_it() {
    let house = House::open().await;
    let code = house.ask("zoe%40example.org").await;
    let link = house.catcher.link(1);
    // Somebody who is known asks for the same person: their request does not wait for a proof.
    let identities = vec!["email:zoe@example.org".parse().unwrap()];
    let other = erasure::request(&house.engine, "shop", identities, "cli").await.unwrap();
    assert_ne!(other.confirmation_code, code);
    house.clock.advance(SignedDuration::from_hours(71));
    assert_eq!(house.state(&code).await, ErasureState::AwaitingIdentity);
    house.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(house.state(&code).await, ErasureState::Expired);
    assert_eq!(house.send("POST", &link, "").await.0, StatusCode::GONE);
}

#[tokio::test]
async fn the_form_is_throttled_and_tells_nothing() {
    let house = House::open().await;
    for asked in ["app=closed&email=zoe%40example.org", "app=nobody&email=zoe%40example.org"] {
        assert_eq!(house.send("POST", "/deletion", asked).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(house.send("POST", "/deletion", "app=shop&email=zoe").await.0, StatusCode::BAD_REQUEST);
    for _ in 0..3 {
        house.ask("zoe%40example.org").await;
    }
    let (status, headers, _) = house.send("POST", "/deletion", "app=shop&email=ZOE%40example.org").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!(headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 3600);
    let nobody = house.ask("nobody%40example.org").await;
    assert_eq!(house.state(&nobody).await, ErasureState::AwaitingIdentity, "as for somebody who is known");
}
