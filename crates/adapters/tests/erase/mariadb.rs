//! What only MySQL and MariaDB have: texts that compare without regard to case, rows without a name of their own,
//! engines without transactions, and types that fill values up.

use mysql_async::prelude::Queryable;
use serde_json::json;
use testkit::database::Kind;

use crate::database::{Database, parse};

/// The default comparison takes zoe, ZOE, zoé and "zoe " for one. They are four people.
#[tokio::test]
async fn nobody_is_taken_for_somebody_who_is_written_alike() {
    for collation in ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "latin1_german1_ci", "utf8mb3_general_ci"] {
        let db = Database::new(Kind::Mariadb).await;
        db.run(&format!(
            "CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40) COLLATE {collation}, KEY (name));
             CREATE TABLE notes (id INT PRIMARY KEY, author VARCHAR(40) COLLATE {collation}, KEY (author));
             INSERT INTO users VALUES (1, 'zoe'), (2, 'ZOE'), (3, 'zoé'), (4, 'zoe ');
             INSERT INTO notes SELECT * FROM users;"
        ))
        .await;
        let map = json!([
            { "name": "users", "identity": { "name": "user" } },
            { "name": "notes", "owner": { "author": "users.name" } },
        ]);
        let outcome = db.forget(&map, &["user:zoe"]).await;
        assert_eq!((outcome.of("users"), outcome.of("notes")), ((1, 1, 0, 0), (1, 1, 0, 0)), "{collation}");
        assert_eq!(db.rows("SELECT id FROM users ORDER BY id").await, ["2", "3", "4"], "{collation}");
        assert_eq!(db.rows("SELECT id FROM notes ORDER BY id").await, ["2", "3", "4"], "{collation}");
        // What the column's character set cannot even hold is nobody.
        let (plan, eraser) = (db.plan(&map).await.unwrap(), db.eraser().await);
        for other in ["user:投稿", "user:Zoe", "user:zo%", "user:\u{1F600}"] {
            assert_eq!(eraser.survey(&plan, &parse(&[other])).await.unwrap().tables[0].found, 0, "{other}");
        }
    }
}

/// A foreign key compares as its columns do: what refers to her in other letters refers to her, and would go along unseen.
#[tokio::test]
async fn a_foreign_key_in_other_letters_leads_to_the_same_row() {
    let db = Database::new(Kind::Mariadb).await;
    db.run(
        "CREATE TABLE users (name VARCHAR(40) PRIMARY KEY, email VARCHAR(190));
         CREATE TABLE posts (id INT PRIMARY KEY, author VARCHAR(40), FOREIGN KEY (author) REFERENCES users (name) ON DELETE CASCADE);
         CREATE TABLE photos (id INT PRIMARY KEY, post_id INT);
         CREATE TABLE drafts (id INT PRIMARY KEY, author VARCHAR(40));
         INSERT INTO users VALUES ('zoe', 'zoe@example.org'), ('adam', 'adam@example.org');
         INSERT INTO posts VALUES (1, 'ZOE'), (2, 'zoé'), (3, 'adam'); INSERT INTO photos VALUES (10, 1), (20, 2), (30, 3);
         INSERT INTO drafts VALUES (100, 'zoe'), (200, 'ZOE');",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email", "name": "user" } },
        { "name": "posts", "owner": { "author": "users.name" } },
        { "name": "photos", "owner": { "post_id": "posts.id" } },
        { "name": "drafts", "owner": { "author": "users.name" } },
    ]);
    let plan = db.plan(&map).await.unwrap();
    let other = db.eraser().await.survey(&plan, &parse(&["user:ZOE"])).await.unwrap();
    assert!(other.tables.iter().all(|table| table.found == 0), "an identity is what it is: {:?}", other.tables);
    let outcome = db.forget(&map, &["user:zoe"]).await;
    assert_eq!(
        (outcome.of("posts"), outcome.of("photos"), outcome.of("drafts")),
        ((2, 2, 0, 0), (2, 2, 0, 0), (1, 1, 0, 0))
    );
    assert_eq!(db.rows("SELECT id FROM photos UNION ALL SELECT id FROM drafts").await, ["30", "200"]);
}

#[tokio::test]
async fn values_of_every_type_are_found_and_blanked() {
    let db = Database::new(Kind::Mariadb).await;
    db.run(
        "CREATE TABLE users (id BINARY(16) PRIMARY KEY, asid INT(10) UNSIGNED ZEROFILL NOT NULL UNIQUE, token VARBINARY(40),
             mood ENUM('it''s fine', 'sad') NOT NULL, data JSON NOT NULL, flags BIT(4) NOT NULL, seen DATETIME(3) NOT NULL,
             digits DECIMAL(20,0) NOT NULL, code CHAR(12) NOT NULL UNIQUE, raw BINARY(12) NOT NULL UNIQUE, ip INET6 NOT NULL,
             born YEAR NOT NULL, wage DECIMAL(9,2) NOT NULL, rest TIME(2) NOT NULL, next INT UNSIGNED AS (asid + 1) STORED);
         CREATE TABLE posts (id BIGINT UNSIGNED PRIMARY KEY, author BINARY(16) NOT NULL, FOREIGN KEY (author) REFERENCES users (id));
         CREATE TABLE invoices (id INT PRIMARY KEY, author BINARY(16) NOT NULL REFERENCES users (id), note VARCHAR(190));
         CREATE TABLE marks (asid BIGINT, pos TIMESTAMP(6), PRIMARY KEY (asid, pos));
         INSERT INTO users (id, asid, token, mood, data, flags, seen, digits, code, raw, ip, born, wage, rest) VALUES
             (x'00ff01', 7, 'tok-z', 'sad', '{\"a\": 1}', b'0101', '2026-01-02 03:04:05.678', 99999999999999999999, 'Z1', 'z', '::1', 1990, 12.50, '08:00:00.25'),
             (x'00ff02', 8, 'tok-a', 'sad', '{\"a\": 2}', b'0110', '2026-01-02 03:04:05.678', 5, 'A2', 'a', '::2', 1991, 12.50, '08:00:00.25');
         INSERT INTO posts SELECT 18446744073709551600 + asid, id FROM users; INSERT INTO invoices SELECT asid, id, 'x' FROM users;
         INSERT INTO marks SELECT asid, '2026-01-02 03:04:05.678901' FROM users;",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "asid": "asid", "token": "token", "digits": "digits", "code": "code" } },
        { "name": "posts", "owner": { "author": "users.id" } },
        { "name": "marks", "identity": { "asid": "asid" } },
        { "name": "invoices", "owner": { "author": "users.id" }, "keep": { "columns": [], "ground": "legal-obligation", "law": "x" } },
    ]);
    for (identity, id) in [("digits:99999999999999999999", "00FF01"), ("token:tok-a", "00FF02")] {
        let outcome = db.forget(&map, &[identity]).await;
        for (table, counts) in
            [("users", (1, 0, 1, 0)), ("posts", (1, 1, 0, 0)), ("marks", (1, 1, 0, 0)), ("invoices", (1, 0, 1, 0))]
        {
            assert_eq!(outcome.of(table), counts, "{identity}: {table}");
        }
        let left = format!(
            "SELECT token, mood, data, flags + 0, seen, ip, born, wage, rest, note FROM users u JOIN invoices ON author = u.id WHERE HEX(u.id) LIKE '{id}%'"
        );
        assert_eq!(db.rows(&left).await, ["-|it's fine|{}|0|1970-01-01 00:00:01.000|::|1970|0.00|00:00:00.00|-"]);
    }
    // Two stubs live beside each other, whatever must be unique in them.
    assert_eq!(
        db.rows("SELECT count(DISTINCT asid), count(DISTINCT code), count(DISTINCT raw) FROM users").await,
        ["2|2|2"]
    );
}

/// What is erased travels in the clear only where the address does not ask for more.
#[tokio::test]
async fn a_server_is_trusted_by_the_authority_that_the_address_names() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, testkit::mariadb::server().certificate()).unwrap();
    let db = Database::new(Kind::Mariadb).await;
    let context = adapters::Context::new(net::Client::new(net::Policy::operator()));
    let open = async |more: &str| {
        let spec = format!("{}?require_ssl=true{more}", db.address()).parse().unwrap();
        adapters::open_eraser(&spec, &context).await.unwrap().catalog().await
    };
    assert!(open(&format!("&ssl_ca={}", authority.display())).await.is_ok());
    // A certificate that nobody vouches for is no certificate.
    let problem = open("").await.unwrap_err();
    assert!(
        problem.is(&model::codes::erasure::SYSTEM_UNREACHABLE) && problem.to_string().contains("TLS"),
        "{problem:?}"
    );
}

/// Rows without a key are named by all that they say; a unique index on columns that are never null names them too.
#[tokio::test]
async fn rows_without_a_primary_key_are_named_by_what_they_say() {
    let db = Database::new(Kind::Mariadb).await;
    db.run(
        "CREATE TABLE users (id INT, email VARCHAR(190) NOT NULL, name VARCHAR(190), UNIQUE KEY (email));
         CREATE TABLE visits (email VARCHAR(190), page TEXT, at DATETIME NULL);
         INSERT INTO users VALUES (1, 'zoe@example.org', NULL), (2, 'adam@example.org', NULL);
         INSERT INTO visits VALUES ('zoe@example.org', '/', NULL), ('zoe@example.org', '/', NULL), ('zoe@example.org', NULL, '2026-01-01'),
             ('Zoe@example.org', '/', NULL), ('adam@example.org', '/', NULL);",
    )
    .await;
    let catalog = db.eraser().await.catalog().await.unwrap();
    assert_eq!(catalog.table("users").unwrap().primary_key, ["email"]);
    assert!(catalog.table("visits").unwrap().primary_key.is_empty());
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "visits", "owner": { "email": "users.email" } },
    ]);
    assert_eq!(db.forget(&map, &["email:zoe@example.org"]).await.of("visits"), (3, 3, 0, 0));
    assert_eq!(db.rows("SELECT email FROM visits ORDER BY email").await, ["adam@example.org", "Zoe@example.org"]);
}

/// What cannot be rolled back, or stays in a history, is never taken for erased.
#[tokio::test]
async fn tables_that_cannot_be_erased_from_for_good_block() {
    let db = Database::new(Kind::Mariadb).await;
    db.run(
        "CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(190));
         CREATE TABLE posts (id INT PRIMARY KEY, author_id INT) ENGINE = MyISAM;
         CREATE TABLE prices (id INT PRIMARY KEY, user_id INT) WITH SYSTEM VERSIONING;",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
        { "name": "prices", "owner": { "user_id": "users.id" } },
    ]);
    let reasons = db.plan(&map).await.unwrap_err();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(
        reasons[0].starts_with("MO-2024") && reasons[0].contains("posts") && reasons[0].contains("MyISAM"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("MO-2024") && reasons[1].contains("prices") && reasons[1].contains("history"),
        "{reasons:?}"
    );
    db.run("ALTER TABLE posts ENGINE = InnoDB; ALTER TABLE prices DROP SYSTEM VERSIONING").await;
    db.plan(&map).await.unwrap();
}

#[tokio::test]
async fn partitions_views_and_other_databases() {
    let (db, there) = (Database::new(Kind::Mariadb).await, Database::new(Kind::Mariadb).await);
    let (here, other) = (db.address().rsplit('/').next().unwrap(), there.address().rsplit('/').next().unwrap());
    db.run(&format!(
        "CREATE TABLE people (id INT PRIMARY KEY, handle VARCHAR(40) UNIQUE);
         CREATE TABLE clicks (id INT, at DATE, person INT, PRIMARY KEY (id, at)) PARTITION BY RANGE COLUMNS (at)
             (PARTITION old VALUES LESS THAN ('2026-01-01'), PARTITION new VALUES LESS THAN (MAXVALUE));
         CREATE VIEW everybody AS SELECT * FROM people;
         CREATE SEQUENCE numbers;
         CREATE TABLE {other}.logins (id INT PRIMARY KEY, person INT, CONSTRAINT mine FOREIGN KEY (PERSON) REFERENCES {here}.people (ID) ON DELETE CASCADE);
         CREATE TABLE {other}.clicks (id INT PRIMARY KEY, person INT);
         INSERT INTO people VALUES (1, 'zoë'), (2, 'adam'); INSERT INTO {other}.logins VALUES (1, 1), (2, 2);
         INSERT INTO clicks VALUES (1, '2025-05-05', 1), (2, '2026-05-05', 1), (3, '2026-05-05', 2);"
    ))
    .await;
    let mut map = json!([
        { "name": "people", "identity": { "handle": "user" } },
        { "name": "clicks", "owner": { "person": "people.id" } },
    ]);
    let catalog = db.eraser().await.catalog().await.unwrap();
    let names: Vec<&str> = catalog.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["clicks", "people", &format!("{other}.logins")]);
    // Another database that refers to this one is seen; one that does not is somebody else's.
    let blockers = db.blockers(&map, &["user:zoë"]).await;
    assert!(
        blockers.len() == 1 && blockers[0].starts_with("MO-2003") && blockers[0].contains("logins"),
        "{blockers:?}"
    );
    map.as_array_mut().unwrap().push(json!({ "name": format!("{other}.logins"), "owner": { "person": "people.id" } }));
    let outcome = db.forget(&map, &["user:zoë"]).await;
    assert_eq!((outcome.of("clicks"), outcome.of(&format!("{other}.logins"))), ((2, 2, 0, 0), (1, 1, 0, 0)));
    assert_eq!(db.rows(&format!("SELECT id FROM clicks UNION ALL SELECT id FROM {other}.logins")).await, ["3", "2"]);
}

const SHOP: &str = "CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(190));
     CREATE TABLE posts (id INT PRIMARY KEY, author_id INT NOT NULL REFERENCES users (id) ON DELETE RESTRICT, body VARCHAR(190));
     INSERT INTO users VALUES (1, 'zoe@example.org'); INSERT INTO posts VALUES (9, 1, 'x')";
const WAITING: &str = "SELECT count(*) FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p
     ON p.ID = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' AND p.DB = DATABASE()";

fn shop_map() -> serde_json::Value {
    json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
    ])
}

/// A post that somebody is just writing is waited for and goes along.
#[tokio::test]
async fn a_writer_in_flight_is_waited_for() {
    let db = Database::new(Kind::Mariadb).await;
    db.run(SHOP).await;
    let (plan, eraser) = (db.plan(&shop_map()).await.unwrap(), db.eraser().await);
    let frozen = eraser.survey(&plan, &parse(&["email:zoe@example.org"])).await.unwrap().frozen;
    let mut writer = testkit::mariadb::server().connect(db.address()).await.unwrap();
    writer.query_drop("BEGIN; INSERT INTO posts VALUES (10, 1, 'y')").await.unwrap();
    let erasing = tokio::spawn(async move { eraser.erase(&plan, &frozen).await });
    db.wait_for(WAITING, "1").await;
    writer.query_drop("COMMIT").await.unwrap();
    let erased = erasing.await.unwrap().unwrap();
    assert_eq!(erased.tables.iter().map(|table| table.erased).collect::<Vec<_>>(), [2, 1]);
}

/// Whoever loses a deadlock is told to try again; nothing was erased.
#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let db = Database::new(Kind::Mariadb).await;
    db.run(SHOP).await;
    db.run("CREATE TABLE ballast (id INT PRIMARY KEY)").await;
    let (plan, eraser) = (db.plan(&shop_map()).await.unwrap(), db.eraser().await);
    let frozen = eraser.survey(&plan, &parse(&["email:zoe@example.org"])).await.unwrap().frozen;
    let mut writer = testkit::mariadb::server().connect(db.address()).await.unwrap();
    // The one who has changed less is rolled back.
    writer
        .query_drop(
            "BEGIN; INSERT INTO ballast SELECT * FROM seq_1_to_500; UPDATE posts SET body = 'changed' WHERE id = 9",
        )
        .await
        .unwrap();
    let (trying, given, known) = (eraser.clone(), plan.clone(), frozen.clone());
    let erasing = tokio::spawn(async move { trying.erase(&given, &known).await });
    db.wait_for(WAITING, "1").await;
    writer.query_drop("UPDATE users SET email = 'zoe@example.org' WHERE id = 1; COMMIT").await.unwrap();
    let problem = erasing.await.unwrap().unwrap_err();
    assert!(problem.is(&model::codes::erasure::SYSTEM_BUSY), "{problem:?}");
    assert_eq!(problem.verdict(), model::Verdict::Retry);
    assert_eq!(db.rows("SELECT body FROM posts").await, ["changed"]);
    eraser.erase(&plan, &frozen).await.unwrap();
    assert_eq!(db.rows("SELECT body FROM posts").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_is_away_or_shut_is_said_in_words_without_its_address() {
    let context = adapters::Context::new(net::Client::new(net::Policy::operator()));
    let there = Database::new(Kind::Mariadb).await.address().to_owned();
    for (url, words) in [
        ("mysql://zoe:SECRET@127.0.0.1:1/shop".to_owned(), "nothing answers"),
        (there.replace("/test_", "/no_such_"), "no such database"),
        (there.replace("secret@", "SECRET@"), "user or password"),
    ] {
        let eraser = adapters::open_eraser(&url.parse().unwrap(), &context).await.unwrap();
        let problem = eraser.catalog().await.unwrap_err();
        assert!(problem.is(&model::codes::erasure::SYSTEM_UNREACHABLE), "{problem:?}");
        assert!(problem.to_string().contains(words) && !format!("{problem:?}").contains("SECRET"), "{problem:?}");
    }
}

/// What a draft of the map is made from, and what a look at rights says.
#[tokio::test]
async fn a_look_changes_nothing_and_sees_what_stands_around() {
    let db = Database::new(Kind::Mariadb).await;
    db.run(SHOP).await;
    db.run("CREATE VIEW everybody AS SELECT * FROM users; CREATE TRIGGER noted AFTER DELETE ON posts FOR EACH ROW SET @gone = OLD.id").await;
    let context = adapters::Context::new(net::Client::new(net::Policy::operator()));
    let inspector = adapters::open_inspector(&db.address().parse().unwrap(), &context).await.unwrap();
    let catalog = inspector.catalog().await.unwrap();
    let around = inspector.surroundings(&catalog).await.unwrap();
    assert_eq!(
        (around.views, around.triggers[0].table.as_str(), around.rows["posts"].number()),
        (vec!["everybody".to_owned()], "posts", 1)
    );
    let users = catalog.table("users").unwrap();
    assert!(inspector.sample("users", &users.columns).await.unwrap()["email"].has(adapters::inspect::Shape::Email));
    let rights = inspector.rights(&["users".to_owned()]).await.unwrap()["users"];
    assert!(rights.select && rights.update && rights.delete && rights.lock, "{rights:?}");
    assert_eq!(inspector.create_index("a.b", &["c`d".to_owned()]), "CREATE INDEX `c``d` ON `a`.`b` (`c``d`);");
    assert_eq!(db.count("posts").await, 1);
}
