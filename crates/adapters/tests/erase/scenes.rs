//! Schemas as applications have them: circles, odd names, keys of every kind.

use serde_json::json;

use crate::database::{Database, parse};

pub async fn rows_that_refer_to_their_own_table(db: Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, invited_by BIGINT REFERENCES users (id) ON DELETE RESTRICT);
         CREATE TABLE comments (id BIGINT PRIMARY KEY, user_id BIGINT REFERENCES users (id), parent_id BIGINT REFERENCES comments (id) ON DELETE CASCADE);
         INSERT INTO users VALUES (1, 'zoe@example.org', NULL), (2, 'adam@example.org', 1);
         INSERT INTO comments VALUES (1, 1, NULL), (2, 1, 1), (3, 2, 2), (4, 2, NULL);",
    )
    .await;
    let mut map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "comments", "owner": { "user_id": "users.id" } },
    ]);
    let blockers = db.blockers(&map, &["email:zoe@example.org"]).await;
    assert!(blockers.iter().any(|words| words.contains("users refers to the person by invited_by")), "{blockers:?}");
    assert!(blockers.iter().any(|words| words.contains("comments refers to the person by parent_id")), "{blockers:?}");

    map[0]["container"] = json!({ "invited_by": "users.id", "on_erase": "detach" });
    map[1]["container"] = json!({ "parent_id": "comments.id", "on_erase": "tombstone" });
    let outcome = db.forget(&map, &["email:zoe@example.org"]).await;
    assert_eq!(outcome.of("comments"), (2, 2, 0, 0));
    // Adam's answer stays under the empty place of Zoë's comment; her comment above it is gone.
    assert_eq!(db.rows("SELECT * FROM comments ORDER BY id").await, ["2|-|-", "3|2|2", "4|2|-"]);
    assert_eq!(db.rows("SELECT * FROM users").await, ["2|adam@example.org|-"]);
}

pub async fn tables_in_a_circle(db: Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, avatar BIGINT);
            CREATE TABLE photos (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id))",
    )
    .await;
    if db.is_sqlite() {
        db.run(
            "DROP TABLE users; CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, avatar BIGINT REFERENCES photos (id))",
        )
        .await;
    } else {
        db.run("ALTER TABLE users ADD FOREIGN KEY (avatar) REFERENCES photos (id)").await;
    }
    db.run(
        "INSERT INTO users VALUES (1, 'zoe@example.org', NULL), (2, 'adam@example.org', NULL);
         INSERT INTO photos VALUES (10, 1), (20, 2); UPDATE users SET avatar = id * 10;",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "photos", "owner": { "user_id": "users.id" } },
    ]);
    let outcome = db.forget(&map, &["email:zoe@example.org"]).await;
    assert_eq!((outcome.of("users"), outcome.of("photos")), ((1, 1, 0, 0), (1, 1, 0, 0)));
    assert_eq!(db.rows("SELECT * FROM users").await, ["2|adam@example.org|20"]);
}

pub async fn odd_names(db: Database) {
    db.run(
        "CREATE TABLE \"Größe \"\"der\"\" Kunden\" (\"select\" BIGINT PRIMARY KEY, \"E-Mail; DROP\" TEXT);
         CREATE TABLE \"投稿\" (\"id 'x'\" TEXT PRIMARY KEY, \"作者\" BIGINT);
         INSERT INTO \"Größe \"\"der\"\" Kunden\" VALUES (1, 'O''Brien \"zoë\" \\ $1'), (2, 'adam');
         INSERT INTO \"投稿\" VALUES ('a''; --', 1), ('b', 2);",
    )
    .await;
    let map = json!([
        { "name": "Größe \"der\" Kunden", "identity": { "E-Mail; DROP": "email" } },
        { "name": "投稿", "owner": { "作者": "Größe \"der\" Kunden.select" } },
    ]);
    let outcome = db.forget(&map, &["email:O'Brien \"zoë\" \\ $1"]).await;
    assert_eq!(outcome.of("投稿"), (1, 1, 0, 0));
    assert_eq!(db.rows("SELECT * FROM \"投稿\"").await, ["b|2"]);
}

pub async fn keys_of_several_columns_and_types(db: Database) {
    db.run(
        "CREATE TABLE users (tenant INTEGER, id UUID, email TEXT, PRIMARY KEY (tenant, id));
         CREATE TABLE orders (no VARCHAR(8) PRIMARY KEY, tenant INTEGER, user_id UUID, FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id));
         CREATE TABLE positions (order_no VARCHAR(8), pos SMALLINT, PRIMARY KEY (order_no, pos));
         CREATE TABLE visits (email TEXT, page TEXT);
         INSERT INTO users VALUES (1, '018f0000-0000-7000-8000-00000000000a', 'zoe@example.org'),
                                  (2, '018f0000-0000-7000-8000-00000000000a', 'adam@example.org');
         INSERT INTO orders VALUES ('A-1', 1, '018f0000-0000-7000-8000-00000000000a'), ('A-2', 2, '018f0000-0000-7000-8000-00000000000a');
         INSERT INTO positions VALUES ('A-1', 1), ('A-1', 2), ('A-2', 1);
         INSERT INTO visits VALUES ('zoe@example.org', '/a'), ('zoe@example.org', '/a'), ('adam@example.org', '/a');",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "orders", "owner": { "user_id": "users.id" } },
        { "name": "positions", "owner": { "order_no": "orders.no" } },
        { "name": "visits", "owner": { "email": "users.email" } },
    ]);
    let outcome = db.forget(&map, &["email:zoe@example.org"]).await;
    assert_eq!(outcome.of("positions"), (2, 2, 0, 0));
    // A table without a key, with equal rows.
    assert_eq!(outcome.of("visits"), (2, 2, 0, 0));
    // The same id in another tenant is another person's.
    assert_eq!(db.rows("SELECT no FROM orders").await, ["A-2"]);
    assert_eq!(db.rows("SELECT email FROM users").await, ["adam@example.org"]);
    assert_eq!(db.rows("SELECT email FROM visits").await, ["adam@example.org"]);
}

/// The identity is in a table of logins; the person's row carries only what the login's owner says.
pub async fn a_login_leads_to_its_person(db: Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT);
         CREATE TABLE logins (id BIGINT PRIMARY KEY, user_id BIGINT, asid TEXT);
         CREATE TABLE messages (id BIGINT PRIMARY KEY, sender BIGINT, recipient BIGINT);
         INSERT INTO users VALUES (1, 'zoe@example.org'), (2, 'adam@example.org');
         INSERT INTO logins VALUES (1, 1, 'z1'), (2, 1, 'z1-old'), (3, 2, 'a2');
         INSERT INTO messages VALUES (1, 1, 2), (2, 2, 1), (3, 2, 2);",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "logins", "identity": { "asid": "asid" }, "owner": { "user_id": "users.id" } },
        { "name": "messages", "owner": { "sender": "users.id", "recipient": "users.id" } },
    ]);
    let outcome = db.forget(&map, &["asid:z1"]).await;
    assert_eq!(outcome.of("logins"), (2, 2, 0, 0));
    assert_eq!(outcome.of("messages"), (2, 2, 0, 0));
    assert_eq!(db.rows("SELECT email FROM users").await, ["adam@example.org"]);
    assert_eq!(db.rows("SELECT id FROM messages").await, ["3"]);
    let found: u64 = outcome.survey.tables.iter().map(|table| table.found).sum();
    assert_eq!(found, 5);
}

/// Two persons' stubs live beside each other, whatever must be unique in them.
pub async fn blanks_do_not_collide(db: Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT NOT NULL UNIQUE, phone BIGINT NOT NULL UNIQUE, born DATE NOT NULL);
         CREATE TABLE invoices (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id), note TEXT);
         INSERT INTO users VALUES (1, 'zoe@example.org', 555, '1990-01-01'), (2, 'adam@example.org', 556, '1991-01-01');
         INSERT INTO invoices VALUES (1, 1, 'x'), (2, 2, 'y');",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "invoices", "owner": { "user_id": "users.id" }, "keep": { "columns": [], "ground": "legal-obligation", "law": "x" } },
    ]);
    for email in ["email:zoe@example.org", "email:adam@example.org"] {
        let outcome = db.forget(&map, &[email]).await;
        assert_eq!(outcome.of("users"), (1, 0, 1, 0));
        assert_eq!(outcome.erased.kept[0].until, None);
    }
    assert_eq!(db.rows("SELECT id, email, phone FROM users ORDER BY id").await, ["1|erased-1|-1", "2|erased-2|-2"]);
    assert_eq!(db.rows("SELECT note FROM invoices").await, ["-", "-"]);
}

/// The person's key belongs to a new row by now: what refers to it could be either's, so nothing is erased.
pub async fn a_key_given_away_again_blocks(db: Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT);
         CREATE TABLE posts (id BIGINT PRIMARY KEY, author_id BIGINT);
         INSERT INTO users VALUES (1, 'zoe@example.org'); INSERT INTO posts VALUES (10, 1);",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
    ]);
    let plan = db.plan(&map).await.unwrap();
    let eraser = db.eraser().await;
    let frozen = eraser.survey(&plan, &parse(&["email:zoe@example.org"])).await.unwrap().frozen;
    db.run("DELETE FROM users; INSERT INTO users VALUES (1, 'eve@example.org')").await;
    let problem = eraser.erase(&plan, &frozen).await.unwrap_err();
    assert!(problem.is(&model::codes::erasure::AMBIGUOUS) && problem.to_string().contains("users.id"), "{problem}");
    assert_eq!(db.rows("SELECT id FROM posts").await, ["10"]);
}

pub async fn an_identity_is_matched_as_written(db: Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, asid BIGINT, token UUID);
         INSERT INTO users VALUES (1, 7, '018f0000-0000-7000-8000-00000000000a');",
    )
    .await;
    let map = json!([{ "name": "users", "identity": { "asid": "asid", "token": "token" } }]);
    let plan = db.plan(&map).await.unwrap();
    let eraser = db.eraser().await;
    for other in ["asid:007", "asid:7.0", "asid:seven", "asid:99999999999999999999999", "token:not-a-uuid", "email:7"] {
        let survey = eraser.survey(&plan, &parse(&[other])).await.unwrap();
        assert_eq!(survey.tables[0].found, 0, "{other}");
    }
    assert_eq!(db.forget(&map, &["asid:7"]).await.of("users"), (1, 1, 0, 0));
}

pub async fn addresses_and_numbers_are_matched_however_they_are_written(db: Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(80), mobile TEXT);
         CREATE TABLE letters (address TEXT, sent TEXT);
         INSERT INTO users VALUES (1, 'Zoe@Example.org', '0049 (30) 12-34'), (2, 'zoe@example.com', '030 1234'),
            (3, 'eve@example.org', NULL), (4, 'Eve@example.org', NULL);
         INSERT INTO letters VALUES ('ZOE@example.ORG', 'a'), ('joe@example.org', 'b');",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email", "mobile": "phone" } },
        { "name": "letters", "identity": { "address": "email" }, "owner": { "address": "users.email" } },
    ]);
    let blockers = db.blockers(&map, &["email:eve@example.org"]).await;
    assert!(blockers.iter().any(|words| words.contains("2 rows of users")), "{blockers:?}");
    let plan = db.plan(&map).await.unwrap();
    for other in ["phone:301234", "phone:+49301235", "phone:+4930 1234 5", "email:zoe@example.net"] {
        let survey = db.eraser().await.survey(&plan, &parse(&[other])).await.unwrap();
        assert_eq!(survey.tables.iter().map(|table| table.found).sum::<u64>(), 0, "{other}");
    }
    let outcome = db.forget(&map, &["phone:+49 30 1234"]).await;
    assert_eq!((outcome.of("users"), outcome.of("letters")), ((1, 1, 0, 0), (1, 1, 0, 0)));
    assert_eq!(db.rows("SELECT id FROM users ORDER BY id").await, ["2", "3", "4"]);
    assert_eq!(db.rows("SELECT sent FROM letters").await, ["b"]);
}
