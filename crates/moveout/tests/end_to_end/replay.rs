//! A backup of the application's database is restored, and the person who was erased since is erased again.

use std::path::Path;
use std::process::Command;

use testkit::postgres::cluster;

use crate::callback::{count, shop};
use crate::support::{json, run};

/// Erases a person through the binary and returns the request.
fn erase(here: &Path, identity: &str) -> serde_json::Value {
    json(here, &["erasure", "request", "--app", "shop", "--id", identity, "--data", "data", "--json"])
}

/// Asks for a replay, which must end with this exit code.
fn replay(here: &Path, since: &str, more: &[&str], exit: i32) -> serde_json::Value {
    let arguments = [&["erasure", "replay", "--since", since, "--data", "data", "--json"], more].concat();
    let (code, out, err) = run(here, &arguments);
    assert_eq!(code, exit, "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

/// The moment just now, as the ledger's clock says: the request before it has ended, the next has not begun.
fn now(here: &Path) -> String {
    let taken = json(here, &["backup", "now.tar", "--data", "data", "--json"]);
    std::fs::remove_file(here.join("now.tar")).unwrap();
    taken["taken_at"].as_str().unwrap().to_owned()
}

#[test]
fn a_copied_sqlite_database() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    shop(here, "");
    erase(here, "asid:1003");
    let since = now(here);
    std::fs::copy(here.join("shop.db"), here.join("shop.backup")).unwrap();
    let first = erase(here, "asid:1001");
    assert_eq!(first["state"], "partly_refused");
    let after = |table: &str| count(here, &format!("SELECT count(*) FROM {table}"));
    let left = ["users", "posts", "comments", "invoices"].map(after);

    std::fs::copy(here.join("shop.backup"), here.join("shop.db")).unwrap();
    assert_eq!(count(here, "SELECT count(*) FROM users WHERE name = 'Anna'"), 1, "she is back");
    let looked = replay(here, &since, &["--dry-run"], 0);
    assert!(
        looked["requests"][0]["found"].as_u64().unwrap() > 0 && looked["requests"][0]["request"].is_null(),
        "{looked}"
    );
    assert_eq!(count(here, "SELECT count(*) FROM users WHERE name = 'Anna'"), 1, "a look changes nothing");

    let replayed = replay(here, &since, &[], 0);
    assert_eq!(replayed["requests"].as_array().unwrap().len(), 1, "{replayed}");
    assert_eq!(
        (&replayed["requests"][0]["first"], &replayed["requests"][0]["state"]),
        (&first["id"], &"partly_refused".into())
    );
    assert_eq!(["users", "posts", "comments", "invoices"].map(after), left);
    assert_eq!(count(here, "SELECT count(*) FROM users WHERE name = 'Anna' OR facebook_id = '1001'"), 0);
    assert_eq!(count(here, "SELECT count(*) FROM invoices WHERE number = 'R-1' AND address IS NULL"), 1, "kept");
    let again = replay(here, &since, &[], 0);
    assert_eq!(again["requests"][0]["request"], replayed["requests"][0]["request"], "the second time nothing is made");

    let shown = json(
        here,
        &["erasure", "show", replayed["requests"][0]["request"].as_str().unwrap(), "--data", "data", "--json"],
    );
    assert_eq!((&shown["replays"], &shown["door"]), (&first["id"], &"replay".into()));
    std::fs::write(here.join("receipt"), shown["receipt"].to_string()).unwrap();
    std::fs::write(here.join("key"), run(here, &["ledger", "key", "--data", "data"]).1).unwrap();
    let verified = json(here, &["receipt", "verify", "receipt", "--key", "key", "--json"]);
    assert_eq!(verified["leaf"]["replays"], first["id"]);
    assert_eq!(run(here, &["erasure", "replay", "--since", "yesterday", "--data", "data"]).0, 2);
}

const WORLD: &str = r#"
[[app]]
name = "shop"
secrets = ["file:./secret"]
[[system]]
name = "main-db"
adapter = "postgres"
url = "file:./url"
[[system.table]]
name = "users"
identity = { facebook_id = "asid" }
[[system.table]]
name = "posts"
owner = { author_id = "users.id" }
"#;

const SHOP: &str = "
CREATE TABLE users (id BIGINT PRIMARY KEY, facebook_id TEXT UNIQUE, name TEXT);
CREATE TABLE posts (id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL REFERENCES users (id), text TEXT);
INSERT INTO users VALUES (1, '1001', 'Anna'), (2, '1002', 'Ben');
INSERT INTO posts VALUES (10, 1, 'Hello'), (20, 2, 'Moin');
";

#[tokio::test]
async fn a_dumped_postgres_database() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let url = cluster().database().await.unwrap();
    cluster().execute(&url, SHOP).await.unwrap();
    for (file, text) in [("secret", "app secret"), ("url", &url), ("world.toml", WORLD)] {
        std::fs::write(here.join(file), text).unwrap();
    }
    let applied = run(here, &["apply", "world.toml", "--data", "data"]);
    assert_eq!(applied.0, 0, "{}{}", applied.1, applied.2);
    let since = now(here);
    let psql = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let output = command.current_dir(here).args(arguments).args(["--dbname", &url]).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    psql("pg_dump", &["--clean", "--if-exists", "--file", "shop.sql"]);
    let rows = || {
        psql(
            "psql",
            &[
                "--tuples-only",
                "--no-align",
                "--command",
                "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM posts)",
            ],
        )
    };
    assert_eq!(erase(here, "asid:1001")["state"], "complete");
    assert_eq!(rows(), "1|1");
    psql("psql", &["--quiet", "--set", "ON_ERROR_STOP=1", "--file", "shop.sql"]);
    assert_eq!(rows(), "2|2", "the restore brings her back");
    let replayed = replay(here, &since, &[], 0);
    assert_eq!(replayed["requests"][0]["state"], "complete", "{replayed}");
    assert_eq!(rows(), "1|1");
}
