//! The demo: the whole product in one command, which a power failure at any moment only interrupts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::scan::{apply, decide, named, scan};
use crate::support::{json, moveout};

const DEMO: [&str; 5] = ["demo", "--headless", "--json", "--data", "data"];

/// Starts the demo and returns when it says what begins with `until`.
fn start(folder: &Path, until: &str) -> Child {
    let mut child =
        moveout().current_dir(folder).args(DEMO).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.by_ref().map(Result::unwrap).any(|line| line.starts_with(until));
    assert!(said, "the demo never says {until:?}");
    // Whoever does not read a pipe to its end stops the writer one day.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn kill(mut child: Child) {
    // SIGKILL: the process has no say.
    child.kill().unwrap();
    child.wait().unwrap();
}

fn written(view: &Value) -> u64 {
    let types = view["types"].as_object().unwrap().values();
    types.map(|tally| tally["written"].as_u64().unwrap()).sum()
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn count(database: &Connection, sql: &str) -> u64 {
    database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
}

/// Checks what the demo promises, wherever it was interrupted before.
fn assert_whole(folder: &Path, outcome: &Value) {
    let transfer = &outcome["transfer"];
    assert_eq!((transfer["state"].as_str(), transfer["difference"].as_i64()), (Some("done"), Some(0)), "{transfer}");
    let tally = |name: &str, member: &str| transfer["types"][name][member].as_u64().unwrap();
    let moved = |name: &str| tally(name, "written") + tally(name, "already_there");
    assert_eq!((moved("posts"), tally("posts", "read")), (240, 240));
    assert_eq!((moved("albums"), tally("albums", "read")), (2, 2));
    assert!(moved("photos") >= 60 && moved("photos") == tally("photos", "read"), "{transfer}");
    assert_eq!((tally("likes", "refused"), tally("bookmarks", "refused")), (60, 25), "no vertical takes them");

    // What landed is what was sent: nothing lacks, nothing is there twice.
    let store = open(&folder.join("data/moveout.db"));
    let mut landed: BTreeMap<String, u64> = BTreeMap::new();
    let mut statement =
        store.prepare("SELECT data_type, COUNT(*) FROM landed_item WHERE placeholder = 0 GROUP BY data_type").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        landed.insert(row.get(0).unwrap(), row.get::<_, i64>(1).unwrap().unsigned_abs());
    }
    let sent: BTreeMap<String, u64> = ["albums", "photos", "posts"].map(|name| (name.to_owned(), moved(name))).into();
    assert_eq!(landed, sent);

    let erasure = &outcome["erasure"];
    assert_eq!(erasure["state"], "partly_refused", "{erasure}");
    assert_eq!(erasure["kept"][0]["ground"], "legal-obligation");
    assert!(outcome["status_url"].as_str().unwrap().contains(erasure["confirmation_code"].as_str().unwrap()));
    let shop = open(&folder.join("data/demo/shop.db"));
    assert_eq!(count(&shop, "SELECT COUNT(*) FROM posts WHERE author_id = 4711"), 0);
    assert_eq!(count(&shop, "SELECT COUNT(*) FROM comments WHERE user_id = 4711 OR post_id / 100 = 4711"), 0);
    assert_eq!(count(&shop, "SELECT COUNT(*) FROM users WHERE facebook_id = '10158000004711'"), 0);
    assert_eq!(count(&shop, "SELECT COUNT(*) FROM users WHERE id <> 4711"), 9_999, "everybody else is there");
    assert_eq!(count(&shop, "SELECT COUNT(*) FROM invoices WHERE id / 10 = 4711 AND delivery_address IS NULL"), 3);

    let receipt = std::fs::read(outcome["receipt"].as_str().unwrap()).unwrap();
    let receipt = wire::receipt::Receipt::parse(&receipt).unwrap();
    assert_eq!(receipt.verify(None).unwrap(), wire::receipt::Verification::SelfConsistent);
}

#[test]
fn killed_at_any_moment_the_same_command_ends_with_difference_0_and_nothing_doubled() {
    let folder = tempfile::tempdir().unwrap();
    kill(start(folder.path(), "Making"));
    kill(start(folder.path(), "Moving out"));
    // In the middle of the transfer, as another process sees it.
    let child = start(folder.path(), "Moving out");
    let list = || json(folder.path(), &["transfer", "list", "--json", "--data", "data"]);
    while list()[0]["types"].is_null() || written(&list()[0]) <= 20 {}
    kill(child);
    kill(start(folder.path(), "Being forgotten"));
    let outcome = json(folder.path(), &DEMO);
    assert_whole(folder.path(), &outcome);

    // Once it has ended, it stays as it is.
    let again = json(folder.path(), &DEMO);
    assert_whole(folder.path(), &again);
    for member in ["transfer", "erasure", "confirmation_code"] {
        assert_eq!(again[member], outcome[member], "{member}");
    }
    the_shop_is_drafted_and_forgets_another(folder.path());
}

/// A scan of the shop drafts the map that the demo was made with, and erases somebody else by it.
fn the_shop_is_drafted_and_forgets_another(folder: &Path) {
    let draft = scan(folder, "sqlite:./data/demo/shop.db", &["person1", "Harbour", "Wie schön"]);
    let map = |table: &str| draft_map(&draft, table);
    assert_eq!(map("users"), serde_json::json!([{ "facebook_id": "asid", "email": "email" }, {}, null]));
    assert_eq!(map("posts"), serde_json::json!([{}, { "author_id": "users.id" }, null]));
    for table in ["comments", "likes"] {
        assert_eq!(map(table), serde_json::json!([{}, { "user_id": "users.id" }, { "post_id": "posts.id" }]));
    }
    let kept = &named(&draft, "invoices")["keep"]["columns"];
    assert_eq!(*kept, serde_json::json!(["number", "total", "issued_at"]));

    apply(folder, &decide(&draft, |_, offered| offered[0].to_owned()));
    let request = ["erasure", "request", "--app", "shop", "--id", "asid:10158000000008", "--data", "data", "--json"];
    assert_eq!(json(folder, &request)["state"], "complete");
    let shop = open(&folder.join("data/demo/shop.db"));
    for (table, column) in [("users", "id"), ("posts", "author_id"), ("comments", "user_id"), ("invoices", "user_id")] {
        assert_eq!(count(&shop, &format!("SELECT COUNT(*) FROM {table} WHERE {column} = 8")), 0, "{table}");
    }
    assert_eq!(count(&shop, "SELECT COUNT(*) FROM users WHERE id NOT IN (8, 4711)"), 9_998);
}

fn draft_map(draft: &Value, table: &str) -> Value {
    let map = &named(draft, table)["map"];
    serde_json::json!([map["identity"], map["owner"], map["container"]])
}
