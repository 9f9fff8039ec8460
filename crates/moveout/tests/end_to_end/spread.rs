//! One person over a database, a cache, somebody's API and a paper file: forgotten everywhere through the shipped binary.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::api::{Api, Reply};
use testkit::redis::Redis;

use crate::support::{Server, json, run, send};

const WORLD: &str = r#"
[[app]]
name = "shop"

[[system]]
name = "main-db"
adapter = "sqlite"
url = "sqlite:./shop.db"
[[system.table]]
name = "users"
identity = { id = "user", email = "email" }

[[system]]
name = "cache"
adapter = "redis"
url = "REDIS/1"
[[system.location]]
name = "sessions"
pattern = "session:{user}:*"

[[system]]
name = "crm"
adapter = "http"
url = "API/v1/"
secrets = { token = "file:./token" }
[[system.location]]
name = "contact"
erase = { url = "contacts/{email}", headers = { authorization = "Bearer {secret:token}" } }
reread = { url = "contacts?email={email}", headers = { authorization = "Bearer {secret:token}" }, count = "/found" }

[[system]]
name = "paper"
adapter = "manual"
[[system.location]]
name = "files"
task = "Shred the paper file of customer {user}"
assignee = "archive@shop.example"
within = "10d"
"#;

fn shop(folder: &Path, redis: &Redis, api: &Api) {
    let database = rusqlite::Connection::open(folder.join("shop.db")).unwrap();
    let sql = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users VALUES (1, 'anna@example.org'), (11, 'ben@example.org');";
    database.execute_batch(sql).unwrap();
    for key in ["session:1:a", "session:1:b", "session:11:a"] {
        redis.ask(&["-n", "1", "SET", key, "x"]);
    }
    std::fs::write(folder.join("token"), "t0ken\n").unwrap();
    let world = WORLD.replace("REDIS", &redis.url()).replace("API", &api.url());
    std::fs::write(folder.join("world.toml"), world).unwrap();
    let (code, out, err) = run(folder, &["apply", "world.toml", "--data", "data"]);
    assert_eq!(code, 0, "{out}{err}");
}

/// Asks until a request is in this state.
async fn settled(folder: &Path, id: &str, state: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let view = json(folder, &["erasure", "list", "--json", "--data", "data"])[0].clone();
        assert_eq!(view["id"], id);
        if view["state"] == state {
            return view;
        }
        assert!(Instant::now() < deadline, "still {view}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_person_over_four_kinds_of_systems() {
    let here = Arc::new(AtomicBool::new(true));
    let there = here.clone();
    let api = Api::start(move |asked| match (asked.method.as_str(), asked.header("authorization")) {
        (_, token) if token != "Bearer t0ken" => Reply::Answer(401, String::new()),
        ("DELETE", _) => {
            there.store(false, Ordering::SeqCst);
            Reply::Answer(204, String::new())
        }
        _ => Reply::Answer(200, format!("{{\"found\": {}}}", u8::from(there.load(Ordering::SeqCst)))),
    });
    let redis = Redis::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    shop(path, &redis, &api);

    let plan =
        json(path, &["erasure", "plan", "--app", "shop", "--id", "email:anna@example.org", "--json", "--data", "data"]);
    assert_eq!((plan["found"].as_u64(), plan["identities"].as_u64()), (Some(5), Some(2)), "{plan}");

    let ask = [
        "erasure",
        "request",
        "--app",
        "shop",
        "--id",
        "email:anna@example.org",
        "--no-wait",
        "--json",
        "--data",
        "data",
    ];
    let id = json(path, &ask)["id"].as_str().unwrap().to_owned();
    let server = Server::start(path);
    let view = settled(path, &id, "waiting").await;
    assert_eq!(view["reason"]["code"], "MO-2064", "{view}");
    assert_eq!(redis.ask(&["-n", "1", "DBSIZE"]), "1", "Ben's");
    assert!(!here.load(Ordering::SeqCst));
    let left = rusqlite::Connection::open(path.join("shop.db")).unwrap();
    let left: i64 = left.query_row("SELECT sum(id) FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 11);

    // The console and the command line show the task; a crash forgets nothing of it.
    server.kill();
    let server = Server::start(path);
    let page = send("GET", &format!("{}/tasks", server.url), &[("accept", "text/html")], Vec::new()).await;
    assert!(
        page.body.contains("Shred the paper file of customer 1") && page.body.contains("archive@shop.example"),
        "{}",
        page.body
    );
    let tasks = json(path, &["erasure", "task", "list", "--json", "--data", "data"]);
    let task = tasks[0]["id"].as_str().unwrap();
    assert_eq!((tasks[0]["system"].as_str(), tasks[0]["overdue"].as_bool()), (Some("paper"), Some(false)));
    assert_eq!(run(path, &["erasure", "task", "done", "task_0", "--evidence", "x", "--data", "data"]).0, 3);
    json(path, &["erasure", "task", "done", task, "--evidence", "shredded, list 12", "--json", "--data", "data"]);

    let view = settled(path, &id, "complete").await;
    let states: Vec<_> =
        view["systems"].as_array().unwrap().iter().map(|system| system["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["verified_empty", "verified_empty", "verified_empty", "attested"], "{view}");
    assert!(view["systems"][3]["tables"][0]["evidence"]["words"].as_str().unwrap().contains("list 12"));
    let status = format!("{}/deletion/{}", server.url, view["confirmation_code"].as_str().unwrap());
    let public = send("GET", &status, &[("accept", "application/json")], Vec::new()).await.json();
    assert!(public["reason"].as_str().unwrap().contains("vouches"), "{public}");
    assert_eq!(public["systems"][3]["state"], "attested");
    assert!(!public.to_string().contains("list 12"));

    std::fs::write(path.join("receipt.json"), view["receipt"].to_string()).unwrap();
    assert_eq!(run(path, &["receipt", "verify", "receipt.json"]).0, 6, "self-consistent, signer unknown");
    assert!(view["receipt"].to_string().contains("attested") && !view["receipt"].to_string().contains("list 12"));
}
