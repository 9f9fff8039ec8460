//! What only SQLite has: keys that may be null, tables without a row id, and values of any storage class in any column.

use serde_json::json;

use crate::database::Database;

/// SQLite lets a primary key be null unless it is the row id, so several rows may share none.
#[tokio::test]
async fn rows_with_a_null_key_go_too() {
    let db = Database::sqlite();
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
