//! A schema as large applications have it: more than forty tables with circles, keys of several columns, tables that
//! refer to themselves, `ON DELETE RESTRICT` everywhere, names in quotes and in other scripts, partitions and a view.
//!
//! The note of every row says whose it is: `zoe`, or `zoe: by adam` where it is Adam's and hangs on something of Zoë's.

use serde_json::{Value, json};
use testkit::database::Kind;

use crate::database::Database;

struct Person {
    name: &'static str,
    tenant: u64,
    id: u64,
}

/// Eve has Zoë's id in another tenant.
const PEOPLE: [Person; 3] = [
    Person { name: "zoe", tenant: 1, id: 1 },
    Person { name: "adam", tenant: 1, id: 2 },
    Person { name: "eve", tenant: 2, id: 1 },
];

/// The schema in the words of one database: a line may be for some alone.
fn schema(kind: Kind) -> String {
    let tags: &[&str] = match kind {
        Kind::Sqlite => &["--sqlite"],
        Kind::Postgres => &["--server", "--postgres"],
        Kind::Mariadb => &["--server", "--mariadb"],
    };
    let line = |line: &'static str| match line.strip_prefix("--") {
        None => Some(line),
        Some(_) => line.split_once(' ').filter(|(tag, _)| tags.contains(tag)).map(|(_, rest)| rest),
    };
    include_str!("forty.sql").lines().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// What a person has by themselves.
fn own(person: &Person, place: u64) -> String {
    let (Person { name, tenant, id }, b) = (person, (place + 1) * 100);
    let who = format!("{tenant}, {id}");
    let mut sql = format!("INSERT INTO photos VALUES ({b}, {who}, '{name}'), ({b} + 1, {who}, '{name}');");
    let owned = [
        ("logins", format!("{b}, {who}, 'asid-{name}'")),
        ("profiles", format!("{who}, 'bio'")),
        ("\"Straßen & Orte\"", format!("{b}, {who}, 'Straße 1'")),
        ("\"order\"", format!("{b}, {who}, {b}")),
        ("\"order-lines\"", format!("{b}, 1, 1")),
        ("\"order-lines\"", format!("{b}, 2, 1")),
        ("payment_methods", format!("{b}, {who}")),
        ("payments", format!("{b}, {b}, {b}")),
        ("refunds", format!("{b}, {b}")),
        ("shipments", format!("{b}, 1")),
        ("shipment_events", format!("{b}, 1, 1")),
        ("shipment_events", format!("{b}, 1, 2")),
        ("posts", format!("{b}, {who}, NULL")),
        ("post_revisions", format!("{b}, 1")),
        ("post_revisions", format!("{b}, 2")),
        ("post_tags", format!("{b}, 1")),
        ("comments", format!("{b}, {b}, {who}, NULL")),
        ("comments", format!("{b} + 1, {b}, {who}, {b}")),
        ("votes", format!("{b}, {who}")),
        ("reactions", format!("{b}, {who}")),
        ("albums", format!("{b}, {who}, {b}")),
        ("album_photos", format!("{b}, {b} + 1")),
        ("participants", format!("1, {who}")),
        ("messages", format!("{b}, 1, {who}")),
        ("attachments", format!("{b}, {b}")),
        ("sessions", format!("'token-{name}', {who}")),
        ("devices", format!("{b}, {who}")),
        ("push_tokens", format!("{b}, 'push'")),
        ("\"通知\"", format!("{b}, {who}, '本文'")),
        ("audit_log", format!("{b}, '2025-05-05', '{name}@example.org'")),
        ("audit_log", format!("{b}, '2026-05-05', '{name}@example.org'")),
        ("page_views", format!("'{name}@example.org', '/'")),
        ("page_views", format!("'{name}@example.org', '/'")),
        ("newsletter", format!("'{name}@example.org'")),
        ("tickets", format!("{b}, '{name}@example.org'")),
        ("tickets", format!("{b} + 1, '{name}@example.org'")),
        ("ticket_messages", format!("{b}, 1")),
        ("team_members", format!("{tenant}, {who}")),
        ("invitations", format!("{b}, {who}, 'friend@example.org'")),
    ];
    sql.extend(owned.map(|(table, values)| format!("INSERT INTO {table} VALUES ({values}, '{name}');")));
    sql + &format!(
        "UPDATE users SET avatar_id = {b} WHERE tenant_id = {tenant} AND id = {id}; UPDATE posts SET current_rev = 2 WHERE id = {b};"
    )
}

/// What hangs on what others have: Zoë is Adam's manager, leads their team, and her photo is the cover of his album.
const TOGETHER: &str = "
    UPDATE users SET manager_id = 1 WHERE tenant_id = 1 AND id = 2; UPDATE albums SET cover_id = 101 WHERE id = 200;
    INSERT INTO friendships VALUES (1, 1, 2, 'zoe: and adam'), (1, 2, 2, 'adam');
    INSERT INTO comments VALUES (250, 100, 1, 2, NULL, 'zoe: by adam'), (350, 100, 2, 1, 250, 'zoe: by eve'), (150, 200, 1, 1, NULL, 'zoe'),
        (251, 200, 1, 2, 150, 'zoe: by adam'), (252, 300, 1, 2, 300, 'adam'), (351, 300, 2, 1, NULL, 'eve');
    INSERT INTO reactions VALUES (250, 2, 1, 'zoe: by eve'), (252, 2, 1, 'adam: by eve'), (351, 1, 1, 'zoe');
    INSERT INTO votes VALUES (100, 2, 1, 'zoe: by eve'), (300, 1, 2, 'adam');
    INSERT INTO album_photos VALUES (200, 100, 'zoe: by adam');
    INSERT INTO message_reads VALUES (100, 1, 2, 'zoe: by adam'), (200, 1, 1, 'zoe'), (200, 2, 1, 'adam: by eve'), (300, 2, 1, 'eve');";

async fn fill(db: &Database) {
    db.run(&schema(db.kind())).await;
    let mut sql = "INSERT INTO tenants VALUES (1, 'all'), (2, 'all'); INSERT INTO categories VALUES (1, NULL, 'all'), (2, 1, 'all');
        INSERT INTO products VALUES (1, 2, 'all'); INSERT INTO tags VALUES (1, 'all'); INSERT INTO conversations VALUES (1, 'all');"
        .to_owned();
    for Person { name, tenant, id } in &PEOPLE {
        sql += &format!("INSERT INTO users VALUES ({tenant}, {id}, '{name}@example.org', NULL, NULL, '{name}');");
    }
    sql += "INSERT INTO teams VALUES (1, 1, 1, 'all'), (2, 2, 1, 'all');";
    for (place, person) in PEOPLE.iter().enumerate() {
        sql += &own(person, place as u64);
    }
    db.run(&(sql + TOGETHER)).await;
}

fn map() -> Value {
    let mut tables = vec![
        json!({ "name": "users", "identity": { "email": "email" }, "container": { "manager_id": "users.id", "on_erase": "detach" } }),
        json!({ "name": "logins", "identity": { "asid": "asid" }, "owner": { "user_id": "users.id" } }),
        json!({ "name": "newsletter", "identity": { "email": "email" } }),
        json!({ "name": "teams", "container": { "lead_id": "users.id", "on_erase": "detach" } }),
        json!({ "name": "friendships", "owner": { "a_id": "users.id", "b_id": "users.id" } }),
        json!({ "name": "通知", "owner": { "受信者": "users.id" } }),
        json!({ "name": "comments", "owner": { "user_id": "users.id" },
                "container": { "post_id": "posts.id", "parent_id": "comments.id", "on_erase": "delete" } }),
        json!({ "name": "albums", "owner": { "user_id": "users.id" }, "container": { "cover_id": "photos.id", "on_erase": "detach" } }),
        json!({ "name": "album_photos", "owner": { "album_id": "albums.id" }, "container": { "photo_id": "photos.id", "on_erase": "delete" } }),
    ];
    for name in [
        "profiles",
        "photos",
        "Straßen & Orte",
        "order",
        "payment_methods",
        "posts",
        "participants",
        "messages",
        "sessions",
        "devices",
        "team_members",
        "invitations",
    ] {
        tables.push(json!({ "name": name, "owner": { "user_id": "users.id" } }));
    }
    for (name, column, there) in [
        ("order-lines", "order_id", "order.id"),
        ("payments", "order_id", "order.id"),
        ("shipments", "order_id", "order.id"),
        ("refunds", "payment_id", "payments.id"),
        ("shipment_events", "no", "shipments.no"),
        ("post_revisions", "post_id", "posts.id"),
        ("post_tags", "post_id", "posts.id"),
        ("attachments", "message_id", "messages.id"),
        ("push_tokens", "device_id", "devices.id"),
        ("audit_log", "email", "users.email"),
        ("page_views", "email", "users.email"),
        ("tickets", "email", "users.email"),
        ("ticket_messages", "ticket_id", "tickets.id"),
    ] {
        tables.push(json!({ "name": name, "owner": { column: there } }));
    }
    for (name, column, there) in [
        ("votes", "post_id", "posts.id"),
        ("reactions", "comment_id", "comments.id"),
        ("message_reads", "message_id", "messages.id"),
    ] {
        tables.push(json!({ "name": name, "owner": { "user_id": "users.id" }, "container": { column: there, "on_erase": "delete" } }));
    }
    tables.into()
}

/// Every row that is not this person's, table by table, but for what detaching changes in others' rows.
async fn others(db: &Database, tables: &[String], name: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for table in tables {
        let shown = match table.as_str() {
            "users" => "tenant_id, id, email, avatar_id, note",
            "albums" => "id, tenant_id, user_id, note",
            "teams" => "id, tenant_id, note",
            _ => "*",
        };
        let found = db
            .rows(&format!("SELECT {shown} FROM \"{table}\" WHERE note NOT LIKE '{name}%' ORDER BY 1, 2, note"))
            .await;
        rows.extend(found.into_iter().map(|row| format!("{table}: {row}")));
    }
    rows
}

pub async fn forty_tables(db: Database) {
    fill(&db).await;
    let tables: Vec<String> =
        db.eraser().await.catalog().await.unwrap().tables.into_iter().map(|table| table.name).collect();
    assert!(tables.len() >= 40 && !tables.contains(&"everybody".to_owned()), "{} {tables:?}", tables.len());
    for name in ["zoe", "adam"] {
        let before = others(&db, &tables, name).await;
        let outcome = db.forget(&map(), &[&format!("email:{name}@example.org")]).await;
        assert!(outcome.reread.iter().all(|table| table.remaining + table.kept == 0), "{:?}", outcome.reread);
        assert!(outcome.erased.tables.iter().all(|table| table.found == table.erased), "{:?}", outcome.erased.tables);
        for table in &tables {
            assert_eq!(db.count(&format!("\"{table}\" WHERE note LIKE '{name}%'")).await, 0, "{name} in {table}");
        }
        assert_eq!(others(&db, &tables, name).await, before, "{name}");
    }
    assert_eq!(db.rows("SELECT id, lead_id FROM teams ORDER BY id").await, ["1|-", "2|1"]);
    assert_eq!(db.rows("SELECT tenant_id, id, manager_id, avatar_id FROM users").await, ["2|1|-|300"]);
}
