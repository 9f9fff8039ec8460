//! The shop of the documentation: users, posts, comments, and invoices that the law keeps.

use adapters::Spec;
use model::plan::Frozen;
use serde_json::{Value, json};

use crate::database::{Database, parse};

const ZOE: &[&str] = &["asid:z1"];

fn map() -> Value {
    json!([
        { "name": "users", "identity": { "facebook_id": "asid", "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
        { "name": "comments", "owner": { "user_id": "users.id" }, "container": { "post_id": "posts.id", "on_erase": "delete" } },
        { "name": "invoices", "owner": { "user_id": "users.id" },
          "keep": { "columns": ["number", "total", "issued_at"], "ground": "legal-obligation", "law": "HGB §257 (4)",
                    "for": "8y", "from": "issued_at", "round": "year_end" } },
    ])
}

/// Zoë is 1, Adam is 2. Adam commented on Zoë's post, Zoë on Adam's; each has an invoice.
async fn shop(db: &Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, facebook_id TEXT, email TEXT NOT NULL UNIQUE, name TEXT);
         CREATE TABLE posts (id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL REFERENCES users (id), body TEXT NOT NULL);
         CREATE TABLE comments (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id),
                                post_id BIGINT REFERENCES posts (id), body TEXT);
         CREATE TABLE invoices (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id), number TEXT NOT NULL,
                                total BIGINT, issued_at DATE NOT NULL, address TEXT NOT NULL, phone TEXT);
         CREATE INDEX posts_author ON posts (author_id);
         INSERT INTO users VALUES (1, 'z1', 'zoe@example.org', 'Zoë'), (2, 'a2', 'adam@example.org', 'Adam');
         INSERT INTO posts VALUES (10, 1, 'mine'), (20, 2, 'his');
         INSERT INTO comments VALUES (100, 1, 20, 'Zoë on Adam'), (101, 2, 10, 'Adam on Zoë'), (102, 2, 20, 'Adam on Adam');
         INSERT INTO invoices VALUES (1000, 1, 'R1', 5, '2024-03-05', 'Street 1', '555'), (2000, 2, 'R2', 7, '2024-04-05', 'Street 2', '556');",
    )
    .await;
}

async fn everything(db: &Database) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["users", "posts", "comments", "invoices"] {
        rows.extend(db.rows(&format!("SELECT '{table}', x.* FROM {table} x ORDER BY id")).await);
    }
    rows
}

pub async fn the_example_of_the_map(db: Database) {
    shop(&db).await;
    let outcome = db.forget(&map(), ZOE).await;
    assert_eq!(outcome.of("comments"), (2, 2, 0, 0));
    assert_eq!(outcome.of("posts"), (1, 1, 0, 0));
    assert_eq!(outcome.of("invoices"), (1, 0, 1, 0));
    assert_eq!(outcome.of("users"), (1, 0, 1, 0));
    let learned: Vec<_> = outcome.survey.frozen.identities.iter().map(|known| known.value.as_str()).collect();
    assert_eq!(learned, ["z1", "zoe@example.org"]);

    let invoice = &outcome.erased.kept[0];
    assert_eq!(invoice.what, "invoices: number, total, issued_at");
    assert_eq!(invoice.until.unwrap().to_string(), "2032-12-31T23:59:59Z");
    assert!(outcome.erased.kept[1].what.starts_with("users: id alone"));
    assert_eq!(
        everything(&db).await,
        [
            "users|1|-|erased-1|-",
            "users|2|a2|adam@example.org|Adam",
            "posts|20|2|his",
            "comments|102|2|20|Adam on Adam",
            "invoices|1000|1|R1|5|2024-03-05||-",
            "invoices|2000|2|R2|7|2024-04-05|Street 2|556",
        ]
    );
}

pub async fn others_comments_go_stay_or_block(db: Database) {
    shop(&db).await;
    let mut declared = map();
    declared[2]["container"] = json!({ "post_id": "posts.id" });
    let before = everything(&db).await;
    let blockers = db.blockers(&declared, ZOE).await;
    assert!(
        blockers.len() == 1 && blockers[0].starts_with("MO-2004") && blockers[0].contains("comments"),
        "{blockers:?}"
    );
    assert_eq!(everything(&db).await, before);

    declared[2]["container"] = json!({ "post_id": "posts.id", "on_erase": "tombstone" });
    let outcome = db.forget(&declared, ZOE).await;
    assert_eq!(outcome.of("posts"), (1, 1, 0, 0));
    assert_eq!(db.rows("SELECT * FROM posts WHERE id = 10").await, ["10|1|"]);
    assert_eq!(db.rows("SELECT * FROM comments WHERE id = 101").await, ["101|2|10|Adam on Zoë"]);

    // Adam's comments under his own post go with him, Zoë's tombstone goes when nothing hangs on it any more.
    declared[2]["container"] = json!({ "post_id": "posts.id", "on_erase": "detach" });
    db.run("INSERT INTO users VALUES (3, 'e3', 'eve@example.org', 'Eve'); INSERT INTO comments VALUES (103, 3, 20, 'Eve on Adam')").await;
    db.forget(&declared, &["asid:a2"]).await;
    assert_eq!(db.rows("SELECT * FROM comments ORDER BY id").await, ["103|3|-|Eve on Adam"]);
}

pub async fn what_is_kept_goes_when_its_time_is_over(db: Database) {
    shop(&db).await;
    // The identities are shredded by then: the keys of what stayed find it.
    let frozen = Frozen { keys: db.forget(&map(), ZOE).await.erased.staying, ..Frozen::default() };
    let mut plan = db.plan(&map()).await.unwrap();
    plan.as_of = Some("2033-01-01T00:00:00Z".parse().unwrap());
    let eraser = db.eraser().await;
    let open = eraser.reread(&plan, &frozen).await.unwrap();
    assert_eq!(open.iter().map(|table| table.remaining).sum::<u64>(), 1, "{open:?}");
    let erased = eraser.erase(&plan, &frozen).await.unwrap();
    assert!(erased.kept.is_empty(), "{erased:?}");
    assert!(eraser.reread(&plan, &frozen).await.unwrap().iter().all(|table| table.remaining + table.kept == 0));
    assert_eq!(db.rows("SELECT id FROM users").await, ["2"]);
    assert_eq!(db.rows("SELECT id FROM invoices").await, ["2000"]);
}

pub async fn a_shared_identity_blocks(db: Database) {
    shop(&db).await;
    db.run(
        "CREATE TABLE members (id BIGINT PRIMARY KEY, email TEXT, asid TEXT);
         INSERT INTO members VALUES (1, 'home@example.org', 'm1'), (2, 'home@example.org', 'm2')",
    )
    .await;
    let mut declared = map();
    declared
        .as_array_mut()
        .unwrap()
        .push(json!({ "name": "members", "identity": { "email": "email", "asid": "asid" } }));
    // Also where the request names only one of them: their shared address leads to the other.
    for identity in ["email:home@example.org", "asid:m1"] {
        let blockers = db.blockers(&declared, &[identity]).await;
        assert!(blockers.iter().all(|words| words.starts_with("MO-2005") && words.contains("members")), "{blockers:?}");
        assert_eq!(blockers.len(), 1);
        assert!(!blockers[0].contains("home@"), "no values in errors");
    }
    assert_eq!(db.rows("SELECT count(*) FROM members").await, ["2"]);
}

pub async fn strangers_block_with_and_without_a_foreign_key(db: Database) {
    shop(&db).await;
    db.run(
        "CREATE TABLE logins (id BIGINT PRIMARY KEY, who BIGINT REFERENCES users (id) ON DELETE CASCADE);
         CREATE TABLE newsletter (id BIGINT PRIMARY KEY, email TEXT);
         CREATE TABLE audit (id BIGINT PRIMARY KEY, user_id BIGINT);
         INSERT INTO logins VALUES (1, 2); INSERT INTO newsletter VALUES (1, 'adam@example.org'); INSERT INTO audit VALUES (1, 2);",
    )
    .await;
    let before = everything(&db).await;
    let mut declared = map();
    assert_eq!(db.blockers(&declared, ZOE).await, Vec::<String>::new(), "rows of others do not block");

    db.run("INSERT INTO logins VALUES (3, 1); INSERT INTO newsletter VALUES (3, 'zoe@example.org'); INSERT INTO audit VALUES (3, 1)")
        .await;
    let blockers = db.blockers(&declared, ZOE).await;
    assert_eq!(blockers.len(), 3, "{blockers:?}");
    for at in [
        "logins refers to the person by who",
        "newsletter refers to the person by email",
        "audit refers to the person by user_id",
    ] {
        assert!(blockers.iter().any(|words| words.starts_with("MO-2003") && words.contains(at)), "{blockers:?}");
    }
    assert_eq!(everything(&db).await, before);

    for (name, column) in [("logins", "who"), ("audit", "user_id")] {
        let table = json!({ "name": name, "owner": { column: "users.id" } });
        declared.as_array_mut().unwrap().push(table);
    }
    declared.as_array_mut().unwrap().push(json!({ "name": "newsletter", "identity": { "email": "email" } }));
    db.forget(&declared, ZOE).await;
    for table in ["logins", "newsletter", "audit"] {
        assert_eq!(db.rows(&format!("SELECT id FROM {table}")).await, ["1"], "{table}");
    }
}

/// Failure test A: a mapped table that is gone is never taken for an empty one.
pub async fn a_renamed_table_blocks(db: Database) {
    shop(&db).await;
    let plan = db.plan(&map()).await.unwrap();
    db.run("ALTER TABLE comments RENAME TO remarks").await;
    let reasons = db.plan(&map()).await.unwrap_err();
    assert!(reasons.len() == 1 && reasons[0].starts_with("MO-2001") && reasons[0].contains("comments"), "{reasons:?}");

    // Nor where it goes between planning and erasing.
    let eraser = db.eraser().await;
    let frozen = model::plan::Frozen { identities: parse(ZOE), ..Default::default() };
    let before = db.rows("SELECT * FROM users ORDER BY id").await;
    for problem in [
        eraser.survey(&plan, &parse(ZOE)).await.unwrap_err(),
        eraser.erase(&plan, &frozen).await.unwrap_err(),
        eraser.reread(&plan, &frozen).await.unwrap_err(),
    ] {
        assert!(problem.is(&model::codes::erasure::TABLE_MISSING), "{problem}");
    }
    assert_eq!(db.rows("SELECT * FROM users ORDER BY id").await, before);
}

/// Failure test B: nothing is half done, and the same request completes when the cause is mended.
pub async fn a_refusal_rolls_back_and_a_second_try_completes(db: Database) {
    for (verb, table) in [("DELETE", "posts"), ("UPDATE", "invoices")] {
        let db = db.another().await;
        shop(&db).await;
        db.refuse(verb, table).await;
        let before = everything(&db).await;
        let plan = db.plan(&map()).await.unwrap();
        let eraser = db.eraser().await;
        let survey = eraser.survey(&plan, &parse(ZOE)).await.unwrap();
        let problem = eraser.erase(&plan, &survey.frozen).await.unwrap_err();
        assert!(problem.is(&model::codes::erasure::ERASE_REFUSED), "{problem:?}");
        assert!(problem.to_string().contains(table) && !format!("{problem:?}").contains("SECRET"), "{problem:?}");
        assert_eq!(everything(&db).await, before);
        assert!(eraser.reread(&plan, &survey.frozen).await.unwrap().iter().any(|table| table.remaining > 0));

        db.allow(table).await;
        let outcome = db.carry_out(&plan, ZOE).await;
        assert_eq!(outcome.of("posts"), (1, 1, 0, 0));
    }
}

/// Failure test C: somebody removed the person's own row; what the request froze still finds the rest.
pub async fn children_are_found_when_the_person_is_gone(db: Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT);
         CREATE TABLE posts (id BIGINT PRIMARY KEY, author_id BIGINT);
         CREATE TABLE photos (id BIGINT PRIMARY KEY, post_id BIGINT);
         INSERT INTO users VALUES (1, 'zoe@example.org'); INSERT INTO posts VALUES (10, 1), (20, 2);
         INSERT INTO photos VALUES (100, 10), (101, 11), (200, 20);",
    )
    .await;
    let map = json!([
        { "name": "users", "identity": { "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
        { "name": "photos", "owner": { "post_id": "posts.id" } },
    ]);
    db.run("INSERT INTO posts VALUES (11, 1)").await;
    let plan = db.plan(&map).await.unwrap();
    let eraser = db.eraser().await;
    let frozen = eraser.survey(&plan, &parse(&["email:zoe@example.org"])).await.unwrap().frozen;
    db.run("DELETE FROM users WHERE id = 1; DELETE FROM posts WHERE id = 10").await;
    let remaining = eraser.reread(&plan, &frozen).await.unwrap();
    assert_eq!(
        remaining.iter().map(|table| (table.name.as_str(), table.remaining)).collect::<Vec<_>>(),
        [("photos", 2), ("posts", 1), ("users", 0)]
    );
    eraser.erase(&plan, &frozen).await.unwrap();
    assert!(eraser.reread(&plan, &frozen).await.unwrap().iter().all(|table| table.remaining == 0));
    assert_eq!(db.rows("SELECT id FROM posts").await, ["20"]);
    assert_eq!(db.rows("SELECT id FROM photos").await, ["200"]);
}

pub async fn rows_added_meanwhile_are_found_by_reading_again(db: Database) {
    shop(&db).await;
    let plan = db.plan(&map()).await.unwrap();
    let eraser = db.eraser().await;
    let survey = eraser.survey(&plan, &parse(ZOE)).await.unwrap();
    db.run("INSERT INTO posts VALUES (11, 1, 'between survey and erase'); INSERT INTO comments VALUES (105, 2, 11, 'there too')").await;
    let erased = eraser.erase(&plan, &survey.frozen).await.unwrap();
    assert_eq!(erased.tables.iter().find(|table| table.name == "posts").unwrap().erased, 2);
    db.run("INSERT INTO posts VALUES (12, 1, 'between erase and reread'); UPDATE invoices SET phone = '555' WHERE id = 1000").await;
    let reread = eraser.reread(&plan, &erased.frozen).await.unwrap();
    let remaining = |name: &str| reread.iter().find(|table| table.name == name).unwrap().remaining;
    assert_eq!((remaining("posts"), remaining("invoices"), remaining("users")), (1, 1, 0));
    eraser.erase(&plan, &erased.frozen).await.unwrap();
    assert!(eraser.reread(&plan, &erased.frozen).await.unwrap().iter().all(|table| table.remaining == 0));
    assert_eq!(db.rows("SELECT id FROM posts").await, ["20"]);
}

#[tokio::test]
async fn a_missing_file_is_never_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    let spec: Spec = format!("sqlite:{}", path.display()).parse().unwrap();
    let context = adapters::Context::new(net::Client::new(net::Policy::operator()));
    let eraser = adapters::open_eraser(&spec, &context).await.unwrap();
    let problem = eraser.catalog().await.unwrap_err();
    assert!(problem.is(&model::codes::erasure::SYSTEM_UNREACHABLE), "{problem}");
    assert!(!path.exists());
}
