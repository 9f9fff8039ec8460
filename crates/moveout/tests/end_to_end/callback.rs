//! A person is forgotten: the callback, the status page, the rows, the receipt, all through the shipped binary.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Answer, Server, json, run, send};

const WORLD: &str = r#"
[[app]]
name = "shop"
platform = "meta"
secrets = ["file:./secret"]
contact = "privacy@shop.example"
complain_to = "the data protection authority"

[[system]]
name = "main-db"
label = "Shop database"
adapter = "sqlite"
url = "sqlite:./shop.db"
backups_kept = "35d"

[[system.table]]
name = "users"
identity = { facebook_id = "asid", email = "email" }
[[system.table]]
name = "posts"
owner = { author_id = "users.id" }
[[system.table]]
name = "comments"
owner = { user_id = "users.id" }
container = { post_id = "posts.id", on_erase = "delete" }
[[system.table]]
name = "invoices"
owner = { user_id = "users.id" }
keep = { columns = ["number", "total", "issued_at"], ground = "legal-obligation", law = "HGB §257 (4)", for = "8y", from = "issued_at", round = "year_end" }
"#;

/// Anna (id 1) has posts, comments and an invoice; Ben (2) has no invoice; Cem (3) comments on Anna's post.
const SHOP: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, facebook_id TEXT, email TEXT, name TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES users(id), text TEXT);
CREATE TABLE comments (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), post_id INTEGER NOT NULL REFERENCES posts(id), text TEXT);
CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), number TEXT, total INTEGER, issued_at TEXT, address TEXT);
INSERT INTO users VALUES (1, '1001', 'anna@example.org', 'Anna'), (2, '1002', 'ben@example.org', 'Ben'), (3, '1003', 'cem@example.org', 'Cem');
INSERT INTO posts VALUES (10, 1, 'Hello'), (11, 1, 'Again'), (20, 2, 'Moin');
INSERT INTO comments VALUES (100, 1, 20, 'by Anna'), (101, 3, 10, 'by Cem under Anna'), (102, 3, 20, 'by Cem under Ben');
INSERT INTO invoices VALUES (500, 1, 'R-1', 1999, '2026-03-04', 'Street 1');
";

/// Writes down a shop with its database, its secret and its declaration.
pub fn build_shop(folder: &Path, more: &str) {
    let database = rusqlite::Connection::open(folder.join("shop.db")).unwrap();
    database.execute_batch(SHOP).unwrap();
    database.execute_batch(more).unwrap();
    std::fs::write(folder.join("secret"), "app secret of the shop\n").unwrap();
    std::fs::write(folder.join("world.toml"), WORLD).unwrap();
}

pub fn shop(folder: &Path, more: &str) {
    build_shop(folder, more);
    let (code, out, err) = run(folder, &["apply", "world.toml", "--data", "data"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("/callbacks/shop/deletion") && out.contains("/deletion"), "the URLs to paste: {out}");
}

pub fn count(folder: &Path, query: &str) -> i64 {
    rusqlite::Connection::open(folder.join("shop.db")).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

pub fn sign(folder: &Path, user: &str) -> String {
    let (code, out, err) = run(folder, &["callback", "sign", "--secret-file", "secret", "--user-id", user]);
    assert_eq!(code, 0, "{err}");
    out.trim().to_owned()
}

pub async fn post(server: &Server, signed_request: &str) -> Answer {
    let form = format!("signed_request={signed_request}");
    let url = format!("{}/callbacks/shop/deletion", server.url);
    send("POST", &url, &[("content-type", "application/x-www-form-urlencoded")], form.into_bytes()).await
}

pub async fn status(server: &Server, code: &str) -> serde_json::Value {
    let url = format!("{}/deletion/{code}", server.url);
    let answer = send("GET", &url, &[("accept", "application/json")], Vec::new()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// Asks the status page until the request has come to rest.
pub async fn settled(server: &Server, code: &str) -> serde_json::Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let page = status(server, code).await;
        if !matches!(page["state"].as_str().unwrap(), "received" | "running" | "waiting") {
            return page;
        }
        assert!(Instant::now() < deadline, "still {page}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_callback_erases_the_person_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path(), "");
    let server = Server::start(folder.path());
    let signed = sign(folder.path(), "1001");

    let answer = post(&server, &signed).await;
    assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, "application/json"));
    let code = answer.json()["confirmation_code"].as_str().unwrap().to_owned();
    assert_eq!(answer.json()["url"], format!("{}/deletion/{code}", server.url));
    assert!(code.len() == 26 && code.chars().all(|c| c.is_ascii_alphanumeric()), "{code}");

    let page = settled(&server, &code).await;
    assert_eq!(page["state"], "partly_refused", "{page}");
    assert_eq!(page["systems"][0]["label"], "Shop database");
    assert_eq!(page["kept"][0]["law"], "HGB §257 (4)");
    assert_eq!(page["kept"][0]["until"].as_str().unwrap()[..4], *"2034");
    assert_eq!(page["kept"][0]["complain_to"], "the data protection authority");
    assert!(page.to_string().find("Anna").is_none() && page["systems"][0].get("tables").is_none(), "{page}");

    assert_eq!(
        count(
            folder.path(),
            "SELECT count(*) FROM users WHERE facebook_id IS NOT NULL OR email IS NOT NULL OR name IS NOT NULL"
        ),
        2
    );
    assert_eq!(count(folder.path(), "SELECT count(*) FROM posts"), 1);
    assert_eq!(count(folder.path(), "SELECT count(*) FROM comments WHERE id = 102"), 1);
    assert_eq!(count(folder.path(), "SELECT count(*) FROM comments"), 1);
    assert_eq!(count(folder.path(), "SELECT count(*) FROM invoices WHERE number = 'R-1' AND address IS NULL"), 1);

    // The same bytes get the same code, after a restart too; a forged signature gets none.
    assert_eq!(post(&server, &signed).await.json()["confirmation_code"], *code);
    server.kill();
    let server = Server::start(folder.path());
    assert_eq!(post(&server, &signed).await.json()["confirmation_code"], *code);
    let forged = signed.replacen(signed.chars().next().unwrap(), if signed.starts_with('A') { "B" } else { "A" }, 1);
    let refused = post(&server, &forged).await;
    assert_eq!((refused.status, refused.json()["code"].as_str().unwrap().to_owned()), (400, "MO-1001".to_owned()));

    // The page for people says the same, without script and without being found by search engines.
    let html = send("GET", &format!("{}/deletion/{code}", server.url), &[("accept", "text/html")], Vec::new()).await;
    assert!(html.body.contains("HGB §257 (4)") && html.body.contains("Shop database"), "{}", html.body);
    assert_eq!(html.headers["referrer-policy"], "no-referrer");
    assert!(html.headers["x-robots-tag"].to_str().unwrap().contains("noindex"));

    // The receipt holds, and one changed byte is found.
    let shown = json(folder.path(), &["erasure", "show", &code, "--json", "--data", "data"]);
    assert_eq!(shown["state"], "partly_refused");
    let tables = shown["systems"][0]["tables"].as_array().unwrap();
    assert!(tables.iter().all(|table| table["remaining"] == 0), "{tables:?}");
    let receipt = serde_json::to_string(&shown["receipt"]).unwrap();
    std::fs::write(folder.path().join("receipt.json"), &receipt).unwrap();
    let (exit, out, err) = run(folder.path(), &["receipt", "verify", "receipt.json"]);
    assert_eq!(exit, 6, "{out}{err}");
    assert!(format!("{out}{err}").contains("signer unknown"), "{out}{err}");
    std::fs::write(folder.path().join("receipt.json"), receipt.replacen("\"erased\":2", "\"erased\":3", 1)).unwrap();
    let (exit, out, err) = run(folder.path(), &["receipt", "verify", "receipt.json"]);
    assert_eq!(exit, 1, "{out}{err}");
}

#[tokio::test]
async fn a_table_outside_the_map_and_a_missing_one_block_and_nothing_is_erased() {
    let table = [
        (
            "CREATE TABLE devices (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id)); INSERT INTO devices VALUES (1, 1);",
            "devices",
        ),
        ("ALTER TABLE comments RENAME TO remarks;", "comments"),
    ];
    for (change, named) in table {
        let folder = tempfile::tempdir().unwrap();
        shop(folder.path(), change);
        let arguments = ["erasure", "request", "--app", "shop", "--id", "asid:1001", "--json", "--data", "data"];
        let (exit, out, err) = run(folder.path(), &arguments);
        assert_eq!(exit, 6, "{out}{err}");
        let view: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(view["state"], "blocked");
        assert!(view["reason"].to_string().contains(named), "{}", view["reason"]);
        assert_eq!(count(folder.path(), "SELECT count(*) FROM users WHERE name = 'Anna'"), 1);
        assert_eq!(count(folder.path(), "SELECT count(*) FROM posts"), 3);
        assert_eq!(count(folder.path(), "SELECT count(*) FROM invoices WHERE address IS NOT NULL"), 1);
    }
}

#[tokio::test]
async fn bad_input_is_answered_with_a_code_and_the_server_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path(), "");
    let server = Server::start(folder.path());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let deletion = format!("{}/callbacks/shop/deletion", server.url);
    let (nobody, unknown) =
        (format!("{}/callbacks/nobody/deletion", server.url), format!("{}/deletion/{}", server.url, "a".repeat(26)));
    let json = [("content-type", "application/json")];
    let long = [b"signed_request=".to_vec(), vec![b'a'; 65 * 1024]].concat();
    let table = [
        (&deletion, &form, b"other=1".to_vec(), 400, "MO-1005"),
        (&deletion, &form, b"signed_request=nonsense".to_vec(), 400, "MO-1002"),
        (&deletion, &form, long, 413, "MO-1007"),
        (&deletion, &json, b"{}".to_vec(), 415, "MO-1008"),
        (&nobody, &form, b"signed_request=a.b".to_vec(), 404, "MO-1006"),
        (&unknown, &form, Vec::new(), 404, "MO-1010"),
    ];
    for (url, headers, body, status, code) in table {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let headers = [headers[0], ("accept", "application/json")];
        let answer = send(method, url, &headers, body).await;
        assert_eq!((answer.status, answer.json()["code"].as_str().unwrap_or_default()), (status, code), "{url}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{url}");
        for member in ["type", "title", "detail", "next", "error", "error_description"] {
            assert!(answer.json()[member].is_string(), "{url}: no {member} in {}", answer.body);
        }
    }
    assert_eq!(post(&server, &sign(folder.path(), "1002")).await.status, 200);
}
