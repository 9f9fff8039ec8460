//! From a live database to an erased person: scan, review, apply, plan, request; through the shipped binary.

use std::path::Path;

use serde_json::Value;

use crate::support::{json, run};

/// Scans, and returns the draft as JSON. It must leave something to a person, and show none of these values.
pub fn scan(folder: &Path, url: &str, values: &[&str]) -> Value {
    let (exit, out, err) = run(folder, &["adapter", "scan", url, "--json", "--app", "shop", "--system", "main-db"]);
    assert_eq!(exit, 6, "{out}{err}");
    let draft: Value = serde_json::from_str(&out).unwrap();
    for value in values {
        assert!(!out.contains(value), "a sampled value came out: {value}");
    }
    draft
}

pub fn apply(folder: &Path, declaration: &str) {
    std::fs::write(folder.join("world.toml"), declaration).unwrap();
    let (exit, out, err) = run(folder, &["apply", "world.toml", "--data", "data"]);
    assert_eq!(exit, 0, "{out}{err}{declaration}");
}

/// Plays the reviewer: says of every table what happens to others' rows, as the draft offers it.
pub fn decide(draft: &Value, choose: impl Fn(&str, &[&str]) -> String) -> String {
    let mut text = draft["toml"].as_str().unwrap().to_owned();
    for table in draft["tables"].as_array().unwrap() {
        let Some(offered) = table["on_erase"].as_array() else { continue };
        let offered: Vec<&str> = offered.iter().map(|choice| choice.as_str().unwrap()).collect();
        let name = table["map"]["name"].as_str().unwrap();
        let head = format!("name = {}\n", wire::world::write::quoted(name));
        let at = text.find(&head).unwrap();
        let line = at + text[at..].find("\ncontainer = {").unwrap() + 1;
        let end = line + text[line..].find(" }\n").unwrap();
        text.insert_str(end, &format!(", on_erase = \"{}\"", choose(name, &offered)));
    }
    text
}

pub fn named<'a>(draft: &'a Value, table: &str) -> &'a Value {
    let tables = draft["tables"].as_array().unwrap();
    tables.iter().find(|found| found["map"]["name"] == table).unwrap_or_else(|| panic!("{table} is not in {draft}"))
}

fn tables<'a>(draft: &'a Value, member: &str) -> Vec<&'a str> {
    draft[member].as_array().unwrap().iter().map(|open| open["table"].as_str().unwrap()).collect()
}

const SHOP: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, facebook_id TEXT, email TEXT, name TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES users(id), text TEXT);
CREATE TABLE comments (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), post_id INTEGER NOT NULL REFERENCES posts(id), text TEXT);
CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), number TEXT, total INTEGER, issued_at TEXT, address TEXT);
INSERT INTO users VALUES (1, '1001', 'anna@example.org', 'Anna'), (2, '1002', 'ben@example.org', 'Ben'), (3, '1003', 'cem@example.org', 'Cem');
INSERT INTO posts VALUES (10, 1, 'Hello'), (20, 2, 'Moin');
INSERT INTO comments VALUES (100, 1, 20, 'by Anna'), (101, 3, 10, 'by Cem under Anna'), (102, 3, 20, 'by Cem under Ben');
INSERT INTO invoices VALUES (500, 1, 'R-1', 1999, '2026-03-04', 'Street 1');
";

#[test]
fn the_draft_of_a_shop_blocks_until_it_is_decided_and_then_erases_the_person() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let database = rusqlite::Connection::open(here.join("shop.db")).unwrap();
    database.execute_batch(SHOP).unwrap();
    let before = std::fs::read(here.join("shop.db")).unwrap();
    let draft = scan(here, "sqlite:./shop.db", &["example.org", "1001", "Anna", "Street"]);
    assert_eq!(std::fs::read(here.join("shop.db")).unwrap(), before, "a scan changes nothing");
    assert_eq!(
        named(&draft, "users")["map"]["identity"],
        serde_json::json!({ "facebook_id": "asid", "email": "email" })
    );
    assert_eq!((tables(&draft, "undecided"), tables(&draft, "unreachable")), (vec!["comments"], vec![]));
    assert_eq!(draft["indexes"].as_array().unwrap().len(), 6, "{}", draft["indexes"]);

    // Applied unchanged, it erases nothing before it is said what becomes of others' comments.
    apply(here, draft["toml"].as_str().unwrap());
    let request = ["erasure", "request", "--app", "shop", "--id", "asid:1001", "--data", "data", "--json"];
    let (exit, out, _) = run(here, &request);
    let view: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((exit, view["state"].as_str()), (6, Some("blocked")), "{view}");
    assert!(
        view["reason"].to_string().contains("MO-2004") && view["reason"].to_string().contains("comments"),
        "{view}"
    );

    let (exit, out, _) = run(here, &["adapter", "check", "world.toml"]);
    assert!(exit == 6 && out.contains("(MO-2004)") && out.contains("comments"), "{out}");

    // Decided, and with the proposed rule put in force, it erases all but what is kept.
    let decided = decide(&draft, |_, offered| offered[0].to_owned()).replace("\n# keep = ", "\nkeep = ");
    apply(here, &decided);
    let checked = json(here, &["adapter", "check", "main-db", "--data", "data", "--json"]);
    assert_eq!(checked["holds"], true, "{checked}");
    let id = view["id"].as_str().unwrap();
    let view = json(here, &["erasure", "resume", id, "--data", "data", "--json"]);
    assert_eq!(view["state"], "partly_refused", "{view}");
    let rows = |query: &str| -> String {
        database.query_row(query, [], |row| row.get::<_, Option<String>>(0)).unwrap().unwrap_or_default()
    };
    assert_eq!(rows("SELECT group_concat(id) FROM comments"), "102");
    assert_eq!(rows("SELECT group_concat(coalesce(name, '-')) FROM users"), "-,Ben,Cem");
    assert_eq!(rows("SELECT number || total || issued_at || coalesce(address, '') FROM invoices"), "R-119992026-03-04");
}

/// Everything in the database, each row as a text behind the name of its table.
async fn everything(url: &str) -> Vec<String> {
    let union = "SELECT string_agg(format('SELECT %L || x::text FROM %I.%I x', relname || ': ', n.nspname, relname), ' UNION ALL ')
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND n.nspname IN ('public', 'crm')";
    let cluster = testkit::postgres::cluster();
    let query = cluster.texts(url, union).await.unwrap().remove(0);
    cluster.texts(url, &query).await.unwrap()
}

#[tokio::test]
async fn the_draft_of_a_grown_schema_erases_the_person_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let cluster = testkit::postgres::cluster();
    let url = cluster.database().await.unwrap();
    cluster.execute(&url, testkit::schemas::COMMUNITY).await.unwrap();
    cluster.execute(&url, testkit::schemas::COMMUNITY_ON_POSTGRES).await.unwrap();
    let before = everything(&url).await;

    let draft = scan(here, &url, &["example.org", "zoe", "Adam", "192.0.2", "+49"]);
    assert_eq!(tables(&draft, "unreachable"), ["audit_log", "top_authors"], "{}", draft["unreachable"]);
    let people = ["users", "Mitglieder", "logins", "newsletter", "contact_messages"];
    let with_identity: Vec<&str> = draft["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| &table["map"])
        .filter(|map| map["identity"].as_object().is_some_and(|identity| !identity.is_empty()))
        .map(|map| map["name"].as_str().unwrap())
        .collect();
    assert!(people.iter().all(|table| with_identity.contains(table)) && with_identity.len() == 5, "{with_identity:?}");
    assert_eq!(named(&draft, "visits")["map"]["owner"], serde_json::json!({ "user_id": "users.id" }));
    assert_eq!(named(&draft, "products")["part"], "open", "a colleague's product is not hers alone");
    assert_eq!(named(&draft, "tickets")["map"]["owner"], serde_json::json!({ "user_id": "users.id" }));
    for nobodys in ["tenants", "conversations", "categories", "tags", "countries", "schema_migrations"] {
        assert!(draft["nobody"].as_array().unwrap().iter().any(|name| name == nobodys), "{nobodys}");
    }

    apply(here, draft["toml"].as_str().unwrap());
    let person = ["--app", "shop", "--id", "asid:zoe-10158", "--data", "data", "--json"];
    let (exit, out, _) = run(here, &[&["erasure", "plan"], &person[..]].concat());
    assert!(exit == 6 && out.contains("MO-2004"), "undecided: {out}");
    assert_eq!(everything(&url).await, before);

    // A letter to the person goes with what it is about; whatever else can do without it stays.
    let stays = |table: &str, offered: &[&str]| table != "Mahnungen" && offered.contains(&"detach");
    let detach_or_delete =
        |table: &str, offered: &[&str]| if stays(table, offered) { "detach" } else { "delete" }.to_owned();
    let decided = decide(&draft, detach_or_delete);
    apply(here, &decided);
    assert_eq!(json(here, &["adapter", "check", "world.toml", "--json"])["holds"], true);
    rights_are_found_out(here, &url, &decided).await;
    let view = json(here, &[&["erasure", "request"], &person[..]].concat());
    assert_eq!(view["state"], "complete", "{view}");
    let after = everything(&url).await;
    let left: Vec<&String> = after.iter().filter(|row| row.contains("zoe")).collect();
    assert!(
        left.len() == 1 && left[0].starts_with("audit_log: "),
        "only what the draft said is out of reach: {left:?}"
    );
    let adams = |row: &&String| (row.contains("Adam") || row.contains("adam")) && !row.contains("zoe");
    let of_others = |rows: &[String]| rows.iter().filter(adams).count();
    let gone: Vec<&str> = before.iter().filter(|row| !after.contains(row)).map(String::as_str).collect();
    // Adam's row (she had invited him) and his message to her are detached; his words below her post and to her comment are gone.
    assert_eq!(of_others(&before) - of_others(&after), 2, "{gone:?}");
}

/// What an account lacks shows in the check, and not only when somebody asks to be erased.
async fn rights_are_found_out(here: &Path, url: &str, declaration: &str) {
    let grants = "CREATE ROLE scan_reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO scan_reader;
        GRANT UPDATE, DELETE ON users TO scan_reader; ALTER TABLE users ENABLE ROW LEVEL SECURITY";
    testkit::postgres::cluster().execute(url, grants).await.unwrap();
    std::fs::write(here.join("reader.toml"), declaration.replace("postgres://postgres@", "postgres://scan_reader@"))
        .unwrap();
    let (exit, out, err) = run(here, &["adapter", "check", "reader.toml", "--json"]);
    assert_eq!(exit, 6, "{out}{err}");
    let checked: Value = serde_json::from_str(&out).unwrap();
    let points = checked["systems"][0]["checks"].as_array().unwrap();
    let failed = |id: &str, words: &str| {
        let fits = |point: &&Value| {
            point["id"] == id && point["verdict"] == "failed" && point["evidence"].as_str().unwrap().contains(words)
        };
        assert!(points.iter().any(|point| fits(&point) && point["code"] == "MO-2023"), "{id} {words}: {out}");
    };
    failed("rights", "lacks DELETE, row locks (UPDATE) on posts");
    failed("rights", "lacks SELECT, DELETE, row locks (UPDATE) on crm.notes");
    failed("row_security", "users");
    testkit::postgres::cluster().execute(url, "ALTER TABLE users DISABLE ROW LEVEL SECURITY").await.unwrap();
}

#[test]
fn a_folder_is_held_to_its_promises_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("out")).unwrap();
    let checked = json(here, &["adapter", "check", "dir:./out", "--json"]);
    let points = checked["systems"][0]["checks"].as_array().unwrap();
    for id in ["write", "repeats", "short_body", "cut_body", "finish", "read", "content", "clean_up"] {
        assert!(points.iter().any(|point| point["id"] == id && point["verdict"] == "ok"), "{id}: {checked}");
    }
    assert_eq!(std::fs::read_dir(here.join("out")).unwrap().count(), 0);
    let (exit, out, _) = run(here, &["adapter", "check", "sqlite:./nothing.db"]);
    assert!(exit == 6 && out.contains("MO-2006") && !here.join("nothing.db").exists(), "{out}");
}

#[test]
fn every_example_of_a_map_is_one_that_apply_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let adapters = json(here, &["adapter", "list", "--json"]);
    let mut applied = 0;
    for adapter in adapters.as_array().unwrap() {
        let shown = json(here, &["adapter", "show", adapter["name"].as_str().unwrap(), "--json"]);
        let Some(example) = shown["example"].as_str() else { continue };
        if example.contains("[[system]]") {
            let address = address(&shown);
            let declared = example.replace("env:SHOP_DATABASE_URL", &address).replace("env:SHOP_CACHE_URL", &address);
            std::fs::write(here.join("world.toml"), declared).unwrap();
            let (exit, out, err) = run(here, &["apply", "world.toml", "--data", "data"]);
            assert_eq!(exit, 0, "{out}{err}{example}");
            applied += 1;
        }
    }
    assert!(applied >= 2);
    assert_eq!(run(here, &["adapter", "show", "nonsense"]).0, 3);
}

/// An address that the spec of an adapter describes.
fn address(shown: &Value) -> String {
    format!("{}://shop@127.0.0.1/shop", shown["name"].as_str().unwrap())
}
