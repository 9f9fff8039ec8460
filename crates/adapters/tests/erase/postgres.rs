//! What only PostgreSQL has: schemas, partitions, domains and enums, and writers that wait for a row.

use serde_json::json;
use testkit::database::Kind;

use crate::database::{Database, parse};

#[tokio::test]
async fn schemas_partitions_and_types_of_its_own() {
    let db = Database::new(Kind::Postgres).await;
    db.run(
        "CREATE SCHEMA audit; CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE DOMAIN handle AS VARCHAR(20);
         CREATE TABLE people (id INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, handle handle NOT NULL UNIQUE, code CHAR(8), mood mood NOT NULL,
                              upper TEXT GENERATED ALWAYS AS (upper(code)) STORED);
         CREATE TABLE audit.events (id BIGINT, at TIMESTAMPTZ NOT NULL, person INT NOT NULL REFERENCES people ON DELETE RESTRICT,
                                    data JSONB NOT NULL, tags TEXT[] NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE audit.events_2025 PARTITION OF audit.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
         CREATE TABLE audit.events_2026 PARTITION OF audit.events DEFAULT;
         CREATE VIEW everybody AS SELECT * FROM people;
         CREATE TABLE clicks (person INT, page TEXT) PARTITION BY HASH (person);
         CREATE TABLE clicks_0 PARTITION OF clicks FOR VALUES WITH (MODULUS 2, REMAINDER 0);
         CREATE TABLE clicks_1 PARTITION OF clicks FOR VALUES WITH (MODULUS 2, REMAINDER 1);
         INSERT INTO people (handle, code, mood) VALUES ('zoë', 'Z1', 'sad'), ('adam', 'A2', 'sad');
         INSERT INTO audit.events VALUES (1, '2025-06-01 12:00+02', 1, '{\"a\": 1}', '{x}'), (2, '2026-06-01', 1, '{\"c\": 3}', '{z}'), (3, '2026-06-01', 2, '{\"b\": 2}', '{y}');
         INSERT INTO clicks SELECT 1 + n % 2, 'page' FROM generate_series(1, 20) n;",
    )
    .await;
    let map = json!([
        { "name": "people", "identity": { "handle": "user", "code": "code" } },
        { "name": "audit.events", "owner": { "person": "people.id" },
          "keep": { "columns": [], "ground": "legal-claims", "law": "x", "for": "1y", "from": "at" } },
        { "name": "clicks", "owner": { "person": "people.id" } },
    ]);
    // The instant is 2026-11-22: the event of 2025 is no longer kept.
    let outcome = db.forget(&map, &["user:zoë"]).await;
    assert_eq!(outcome.of("audit.events"), (2, 1, 1, 0));
    assert_eq!(outcome.of("clicks"), (10, 10, 0, 0));
    assert_eq!(outcome.of("people"), (1, 0, 1, 0));
    assert!(outcome.survey.frozen.identities.iter().any(|known| known.value == "Z1"));
    assert_eq!(
        db.rows("SELECT id, person, data, tags FROM audit.events ORDER BY id").await,
        ["2|1|{}|{}", "3|2|{\"b\": 2}|{y}"]
    );
    assert_eq!(db.rows("SELECT * FROM people ORDER BY id").await, ["1|erased-1|-|glad|-", "2|adam|A2      |sad|A2"]);
    assert_eq!(db.rows("SELECT DISTINCT person FROM clicks").await, ["2"]);
}

/// A post that somebody is just writing is waited for and goes along; one that comes later is refused by the database.
#[tokio::test]
async fn a_writer_in_flight_is_waited_for() {
    let db = Database::new(Kind::Postgres).await;
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT);
         CREATE TABLE posts (id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL REFERENCES users ON DELETE RESTRICT);
         INSERT INTO users VALUES (1, 'zoe@example.org');",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
    ]);
    let plan = db.plan(&map).await.unwrap();
    let eraser = db.eraser().await;
    let frozen = eraser.survey(&plan, &parse(&["email:zoe@example.org"])).await.unwrap().frozen;

    let writer = db.client().await;
    writer.batch_execute("BEGIN; INSERT INTO posts VALUES (10, 1)").await.unwrap();
    let erasing = tokio::spawn(async move { eraser.erase(&plan, &frozen).await });
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'moveout' AND wait_event_type = 'Lock'
                   AND datname = current_database()";
    while db.rows(waiting).await != ["1"] {
        assert!(!erasing.is_finished(), "the erasure must wait for the writer");
        tokio::task::yield_now().await;
    }
    writer.batch_execute("COMMIT").await.unwrap();
    let erased = erasing.await.unwrap().unwrap();
    assert_eq!(erased.tables.iter().map(|table| table.erased).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(db.rows("SELECT id FROM posts").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_is_away_or_shut_is_said_in_words_without_its_address() {
    let context = adapters::Context::new(net::Client::new(net::Policy::operator()));
    let there = Database::new(Kind::Postgres).await;
    let elsewhere = there.address().replace("/test_", "/no_such_");
    for (url, words) in [
        ("postgres://zoe:SECRET@127.0.0.1:1/shop".to_owned(), "nothing answers"),
        (elsewhere, "no such database"),
        (format!("{}?sslmode=require", there.address()), "TLS"),
    ] {
        let eraser = adapters::open_eraser(&url.parse().unwrap(), &context).await.unwrap();
        let problem = eraser.catalog().await.unwrap_err();
        assert!(problem.is(&model::codes::erasure::SYSTEM_UNREACHABLE), "{problem:?}");
        assert!(problem.to_string().contains(words) && !format!("{problem:?}").contains("SECRET"), "{problem:?}");
    }
}

/// A policy would show the account a part of the rows, and the rest would pass for erased.
#[tokio::test]
async fn row_level_security_that_hides_rows_blocks() {
    let db = Database::new(Kind::Postgres).await;
    let role = format!("filtered_{}", db.address().rsplit('_').next().unwrap());
    db.run(&format!(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT);
         CREATE TABLE posts (id BIGINT PRIMARY KEY, author_id BIGINT, tenant INT);
         INSERT INTO users VALUES (1, 'zoe@example.org'); INSERT INTO posts VALUES (10, 1, 1), (11, 1, 2);
         CREATE ROLE {role} LOGIN; GRANT ALL ON users, posts TO {role};
         ALTER TABLE posts ENABLE ROW LEVEL SECURITY; CREATE POLICY one_tenant ON posts USING (tenant = 1);"
    ))
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
    ]);
    let plan = db.plan(&map).await.unwrap();
    let address = db.address().replace("postgres@", &format!("{role}@"));
    let context = adapters::Context::new(net::Client::new(net::Policy::operator()));
    let eraser = adapters::open_eraser(&address.parse().unwrap(), &context).await.unwrap();
    let asked = parse(&["email:zoe@example.org"]);
    let frozen = model::plan::Frozen { identities: asked.clone(), ..Default::default() };
    for problem in [
        eraser.survey(&plan, &asked).await.unwrap_err(),
        eraser.erase(&plan, &frozen).await.unwrap_err(),
        eraser.reread(&plan, &frozen).await.unwrap_err(),
    ] {
        assert!(problem.is(&model::codes::erasure::TABLE_UNREADABLE), "{problem}");
        assert!(problem.to_string().contains("posts"), "{problem}");
    }
    assert_eq!(db.rows("SELECT id FROM posts ORDER BY id").await, ["10", "11"]);
    assert_eq!(db.rows("SELECT id FROM users").await, ["1"]);

    // An account that sees everything is not kept from it.
    assert_eq!(db.forget(&map, &["email:zoe@example.org"]).await.of("posts"), (2, 2, 0, 0));
}
