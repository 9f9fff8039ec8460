//! People who have more rows than one transaction may touch.

use model::erasure::TableResult;
use model::plan::Frozen;
use serde_json::json;
use testkit::database::Kind;

use crate::database::{Database, parse};

/// Rows with these ids, in the words of the database.
fn numbers(db: &Database, from: u64, to: u64) -> String {
    match db.kind() {
        Kind::Postgres => format!("(SELECT generate_series({from}, {to}) AS n) AS numbers"),
        Kind::Mariadb => format!("(SELECT seq AS n FROM seq_{from}_to_{to}) AS numbers"),
        Kind::Sqlite => format!(
            "(WITH RECURSIVE s(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT n FROM s) AS numbers"
        ),
    }
}

/// Zoë has 101,000 comments, most of them answers to her own; Adam answered one of them, and wrote elsewhere.
async fn forum(db: &Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT);
         CREATE TABLE posts (id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL REFERENCES users (id) ON DELETE RESTRICT);
         CREATE TABLE comments (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
             parent_id BIGINT REFERENCES comments (id) ON DELETE RESTRICT);
         CREATE INDEX comments_user ON comments (user_id); CREATE INDEX comments_parent ON comments (parent_id);
         INSERT INTO users VALUES (1, 'zoe@example.org'), (2, 'adam@example.org'); INSERT INTO posts VALUES (1, 1), (2, 2);",
    )
    .await;
    db.run(&format!("INSERT INTO comments SELECT n, 1, NULL FROM {}", numbers(db, 1, 80_000))).await;
    db.run(&format!("INSERT INTO comments SELECT n, 1, n - 80000 FROM {}", numbers(db, 80_001, 101_000))).await;
    db.run("INSERT INTO comments VALUES (200001, 2, 80001), (200002, 2, 200001), (200003, 2, NULL)").await;
}

fn of(tables: &[TableResult]) -> &TableResult {
    tables.iter().find(|table| table.name == "comments").unwrap()
}

async fn more_rows_than_one_transaction_touches(db: Database) {
    forum(&db).await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
        { "name": "comments", "owner": { "user_id": "users.id" }, "container": { "parent_id": "comments.id", "on_erase": "delete" } },
    ]);
    let (plan, eraser) = (db.plan(&map).await.unwrap(), db.eraser().await);
    let survey = eraser.survey(&plan, &parse(&["email:zoe@example.org"])).await.unwrap();
    assert!(survey.in_batches && survey.blockers.is_empty(), "{:?}", survey.blockers);
    assert!(of(&survey.tables).found >= 101_000, "{:?}", survey.tables);
    assert!(survey.frozen.keys["comments.id"].len() <= 40_000, "memory does not grow with the person");

    // A process that dies between two goes begins again with what was frozen first.
    let first = eraser.erase(&plan, &survey.frozen).await.unwrap();
    assert!(first.more && of(&first.tables).erased > 10_000, "{:?}", first.tables);
    assert_eq!(db.count("users").await, 2, "the person's own row goes last");
    assert!(eraser.reread(&plan, &survey.frozen).await.unwrap().iter().any(|table| table.remaining > 0));
    let (mut erased, mut frozen, mut more) = (of(&first.tables).erased, survey.frozen.clone(), true);
    while more {
        let next = eraser.erase(&plan, &frozen).await.unwrap();
        erased += of(&next.tables).erased;
        (frozen, more) = (next.frozen, next.more);
    }
    assert_eq!(erased, 101_002);
    assert!(eraser.reread(&plan, &frozen).await.unwrap().iter().all(|table| table.remaining == 0));
    assert_eq!(db.rows("SELECT id, user_id FROM comments").await, ["200003|2"]);
    assert_eq!(
        (db.rows("SELECT id FROM users").await, db.rows("SELECT id FROM posts").await),
        (vec!["2".to_owned()], vec!["2".to_owned()])
    );
}

/// Rows that stay would come up in every batch.
async fn what_is_kept_is_not_erased_in_batches(db: Database) {
    forum(&db).await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
        { "name": "comments", "owner": { "user_id": "users.id" }, "container": { "parent_id": "comments.id", "on_erase": "delete" },
          "keep": { "columns": ["id"], "ground": "legal-claims", "law": "x" } },
    ]);
    let plan = db.plan(&map).await.unwrap();
    let frozen = Frozen { identities: parse(&["email:zoe@example.org"]), ..Frozen::default() };
    let problem = db.eraser().await.erase(&plan, &frozen).await.unwrap_err();
    assert!(problem.is(&model::codes::erasure::TOO_MANY_ROWS) && problem.to_string().contains("comments"), "{problem}");
    assert_eq!(db.count("comments").await, 101_003);
}

#[tokio::test]
async fn on_sqlite() {
    more_rows_than_one_transaction_touches(Database::new(Kind::Sqlite).await).await;
    what_is_kept_is_not_erased_in_batches(Database::new(Kind::Sqlite).await).await;
}

#[tokio::test]
async fn on_postgres() {
    more_rows_than_one_transaction_touches(Database::new(Kind::Postgres).await).await;
}

/// The whole way takes a minute there; what differs is that statements name a thousand rows each.
#[tokio::test]
async fn on_mariadb() {
    what_is_kept_is_not_erased_in_batches(Database::new(Kind::Mariadb).await).await;
}
