//! What only SQLite has: keys that may be null, tables without a row id, and values of any storage class in any column.

use serde_json::json;
use testkit::database::Kind;

use crate::database::Database;

/// SQLite lets a primary key be null unless it is the row id, so several rows may share none.
#[tokio::test]
async fn rows_with_a_null_key_go_too() {
    let db = Database::new(Kind::Sqlite).await;
    db.run(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
         CREATE TABLE posts (id TEXT PRIMARY KEY, author_id INTEGER, body TEXT);
         CREATE TABLE likes (rowid INTEGER, post TEXT, user_id INTEGER, PRIMARY KEY (post, user_id));
         CREATE TABLE visits (user_id INTEGER, page TEXT, PRIMARY KEY (user_id, page)) WITHOUT ROWID;
         CREATE TABLE hidden (rowid TEXT, oid TEXT, _rowid_ TEXT PRIMARY KEY, user_id INTEGER);
         INSERT INTO users VALUES (1, 'zoe@example.org'), (2, 'adam@example.org');
         INSERT INTO posts VALUES (NULL, 1, 'a'), (NULL, 1, 'b'), ('p', 1, 'c'), (NULL, 2, 'd');
         INSERT INTO likes VALUES (7, NULL, 1), (7, NULL, 2);
         INSERT INTO visits VALUES (1, '/'), (2, '/');
         INSERT INTO hidden VALUES ('x', 'y', 'k', 1), ('x', 'y', NULL, 2);",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
        { "name": "likes", "owner": { "user_id": "users.id" } },
        { "name": "visits", "owner": { "user_id": "users.id" } },
        { "name": "hidden", "owner": { "user_id": "users.id" } },
    ]);
    let outcome = db.forget(&map, &["email:zoe@example.org"]).await;
    assert_eq!(outcome.of("posts"), (3, 3, 0, 0));
    for table in ["likes", "visits", "hidden"] {
        assert_eq!(outcome.of(table), (1, 1, 0, 0), "{table}");
        assert_eq!(db.rows(&format!("SELECT user_id FROM {table}")).await, ["2"], "{table}");
    }
    assert_eq!(db.rows("SELECT body FROM posts").await, ["d"]);

    // Where not even the row id can be named, a row without a key is said, not left out.
    let plan = db.plan(&map).await.unwrap();
    let adam = crate::database::parse(&["email:adam@example.org"]);
    let problem = db.eraser().await.survey(&plan, &adam).await.unwrap_err();
    assert!(
        problem.is(&model::codes::erasure::TABLE_UNREADABLE) && problem.to_string().contains("hidden"),
        "{problem}"
    );
}

/// A column holds whatever the application bound, not what its declared type says.
#[tokio::test]
async fn values_of_any_storage_class_are_found() {
    for (declared, stored, asked) in [
        ("REAL", "1001.0", "1001"),
        ("REAL", "x'31303031'", "1001"),
        ("TEXT", "x'31303031'", "1001"),
        ("BLOB", "x'31303031'", "1001"),
        ("BLOB", "1001.0", "1001"),
        ("INTEGER", "x'31303031'", "1001"),
        ("INTEGER", "1e20", "99999999999999999999"),
        ("DECIMAL(20)", "1e20", "99999999999999999999"),
        ("NUMERIC", "x'31303031'", "1001"),
    ] {
        let db = Database::new(Kind::Sqlite).await;
        db.run(&format!(
            "CREATE TABLE users (id BINARY(16) PRIMARY KEY, facebook_id {declared});
             CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id UUID);
             CREATE TABLE notes (id INTEGER PRIMARY KEY, author_id TEXT);
             CREATE TABLE marks (id INTEGER PRIMARY KEY, author_id BIGINT);
             INSERT INTO users VALUES (x'00ff01', {stored}), (x'00ff02', 1002);
             INSERT INTO posts VALUES (1, x'00ff01'), (2, x'00ff02'), (3, NULL);
             INSERT INTO notes SELECT * FROM posts; INSERT INTO marks SELECT * FROM posts;"
        ))
        .await;
        let map = json!([
            { "name": "users", "identity": { "facebook_id": "asid" } },
            { "name": "posts", "owner": { "author_id": "users.id" } },
            { "name": "notes", "owner": { "author_id": "users.id" } },
            { "name": "marks", "owner": { "author_id": "users.id" } },
        ]);
        let outcome = db.forget(&map, &[&format!("asid:{asked}")]).await;
        for table in ["users", "posts", "notes", "marks"] {
            assert_eq!(outcome.of(table), (1, 1, 0, 0), "{table}: {stored} in {declared}");
        }
        assert_eq!(db.rows("SELECT id FROM posts").await, ["2", "3"]);
        assert_eq!(db.rows("SELECT facebook_id FROM users").await.len(), 1);
    }
}
