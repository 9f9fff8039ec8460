//! The server dies with requests in flight, as in a power failure; the next one finishes them all, soon.

use std::path::Path;
use std::time::{Duration, Instant};

use testkit::database::{Database, Kind};

use crate::callback::{post, sign, status};
use crate::support::{Server, run};

const PEOPLE: u64 = 20;

/// Every person has a row of their own, two orders and three comments; one more person asks for nothing.
async fn fill(app: &Database) {
    let mut statements = "CREATE TABLE users (id BIGINT PRIMARY KEY, facebook_id TEXT, email TEXT);
        CREATE TABLE orders (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id));
        CREATE TABLE comments (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id), body TEXT);"
        .to_owned();
    for person in 1..=PEOPLE + 1 {
        let id = person * 10;
        statements += &format!(
            "INSERT INTO users VALUES ({person}, 'a{person}', 'p{person}@example.org');
             INSERT INTO orders VALUES ({id}, {person}), ({}, {person});
             INSERT INTO comments VALUES ({id}, {person}, 'x'), ({}, {person}, 'y'), ({}, {person}, 'z');",
            id + 1,
            id + 1,
            id + 2,
        );
    }
    app.run(&statements).await;
}

fn declare(folder: &Path, adapter: &str, address: &str) {
    let world = format!(
        r#"
[[app]]
name = "shop"
platform = "meta"
secrets = ["file:./secret"]
contact = "privacy@shop.example"

[[system]]
name = "main-db"
adapter = "{adapter}"
url = "{address}"

[[system.table]]
name = "users"
identity = {{ facebook_id = "asid", email = "email" }}
[[system.table]]
name = "orders"
owner = {{ user_id = "users.id" }}
[[system.table]]
name = "comments"
owner = {{ user_id = "users.id" }}
"#
    );
    std::fs::write(folder.join("secret"), "app secret of the shop\n").unwrap();
    std::fs::write(folder.join("world.toml"), world).unwrap();
    let (code, out, err) = run(folder, &["apply", "world.toml", "--data", "data"]);
    assert_eq!(code, 0, "{out}{err}");
}

/// Holds every person's row as a busy application would, until the answer is dropped.
async fn hold(app: &Database) -> Box<dyn std::any::Any> {
    let lock = "SELECT id FROM users FOR UPDATE";
    if app.kind() == Kind::Mariadb {
        use mysql_async::prelude::Queryable;
        let mut connection = testkit::mariadb::server().connect(app.address()).await.unwrap();
        connection.query_drop(format!("BEGIN; {lock}")).await.unwrap();
        return Box::new(connection);
    }
    let (client, connection) = tokio_postgres::connect(app.address(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("BEGIN; {lock}")).await.unwrap();
    Box::new(client)
}

/// Tells how many transactions of ours wait for rows, in words of the database.
fn waiting(app: &Database) -> &'static str {
    match app.kind() {
        Kind::Mariadb => {
            "SELECT count(*) > 0 FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p
               ON p.ID = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' AND p.DB = DATABASE()"
        }
        _ => {
            "SELECT (count(*) > 0)::int FROM pg_stat_activity WHERE application_name = 'moveout'
               AND wait_event_type = 'Lock' AND datname = current_database()"
        }
    }
}

async fn nothing_is_lost(kind: Kind, adapter: &str) {
    let folder = tempfile::tempdir().unwrap();
    let app = Database::new(kind).await;
    fill(&app).await;
    declare(folder.path(), adapter, app.address());
    let server = Server::start(folder.path());
    let held = hold(&app).await;
    let mut codes = Vec::new();
    for person in 1..=PEOPLE {
        let answer = post(&server, &sign(folder.path(), &format!("a{person}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        codes.push(answer.json()["confirmation_code"].as_str().unwrap().to_owned());
    }
    app.wait_for(waiting(&app), "1").await;
    server.kill();
    drop(held);
    assert_eq!(app.count("users").await, PEOPLE + 1, "what was not committed did not happen");

    let server = Server::start(folder.path());
    let started = Instant::now();
    for code in &codes {
        loop {
            let page = status(&server, code).await;
            if page["state"] == "complete" {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "10 seconds after the restart: {page}");
            tokio::task::yield_now().await;
        }
    }
    let left = [app.count("users").await, app.count("orders").await, app.count("comments").await];
    assert_eq!(left, [1, 2, 3], "{kind:?}: only who asked for nothing is left");
}

#[tokio::test]
async fn twenty_requests_in_flight_on_a_postgresql_survive_a_kill() {
    nothing_is_lost(Kind::Postgres, "postgres").await;
}

#[tokio::test]
async fn twenty_requests_in_flight_on_a_mariadb_survive_a_kill() {
    nothing_is_lost(Kind::Mariadb, "mysql").await;
}
