//! Redis: exactly the person's keys, fields and members go, on a real server with passwords, databases and TLS.

use adapters::{Context, Eraser, Spec, Token, open_eraser};
use model::plan::{Frozen, Plan};
use model::{Identity, Result, codes};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::redis::Redis;

fn context(secrets: &[(&str, &str)]) -> Context {
    let secrets = secrets.iter().map(|(name, secret)| ((*name).to_owned(), Token::new(*secret))).collect();
    Context { secrets, ..Context::new(net::Client::new(net::Policy::operator())) }
}

async fn open(url: &str, secrets: &[(&str, &str)]) -> Result<Arc<dyn Eraser>> {
    open_eraser(&url.parse::<Spec>()?, &context(secrets)).await
}

fn plan(locations: Value) -> Plan {
    Plan { locations: serde_json::from_value(locations).unwrap(), ..Plan::default() }
}

fn person(identities: &[&str]) -> Vec<Identity> {
    identities.iter().map(|one| one.parse().unwrap()).collect()
}

fn places() -> Plan {
    plan(json!([
        {"name": "session", "key": "session:{user}"},
        {"name": "carts", "pattern": "cart:{user}:*"},
        {"name": "profile", "key": "profiles", "field": "{user}"},
        {"name": "online", "key": "online", "member": "{user}"},
        {"name": "scores", "key": "scores", "member": "{user}"},
        {"name": "recent", "key": "recent", "member": "{user}"},
        {"name": "letters", "key": "letters:{email}"}
    ]))
}

/// Persons 1, 12 and `1:x`, whose names lie close together.
fn fill(redis: &Redis) {
    for user in ["1", "12", "1x", "*"] {
        redis.ask(&["SET", &format!("session:{user}"), "s"]);
        redis.ask(&["HSET", "profiles", user, "p"]);
        redis.ask(&["SADD", "online", user]);
        redis.ask(&["ZADD", "scores", "5", user]);
        redis.ask(&["RPUSH", "recent", user, "other", user]);
        redis.ask(&["MSET", &format!("cart:{user}:a"), "c", &format!("cart:{user}:b\n*"), "c"]);
    }
    redis.ask(&["SET", "xcart:1:a", "c"]);
    redis.ask(&["SET", "letters:a@example.org", "l"]);
}

#[tokio::test]
async fn exactly_the_persons_things_go() {
    let redis = Redis::start(&[]);
    fill(&redis);
    let eraser = open(&redis.url(), &[]).await.unwrap();
    eraser.catalog().await.unwrap();
    let survey = eraser.survey(&places(), &person(&["user:1"])).await.unwrap();
    let counts = |tables: &[model::erasure::TableResult]| tables.iter().map(|table| table.found).collect::<Vec<_>>();
    assert_eq!(counts(&survey.tables), [1, 2, 1, 1, 1, 2, 0]);
    assert!(survey.tables[6].note.as_deref().unwrap().contains("email"));
    assert_eq!(redis.ask(&["DBSIZE"]), "18", "a look changes nothing");

    let erased = eraser.erase(&places(), &survey.frozen).await.unwrap();
    assert_eq!(erased.tables.iter().map(|table| table.erased).collect::<Vec<_>>(), [1, 2, 1, 1, 1, 2, 0]);
    let left = eraser.reread(&places(), &erased.frozen).await.unwrap();
    assert!(left.iter().all(|table| table.remaining == 0), "{left:?}");
    assert_eq!(redis.ask(&["DBSIZE"]), "15", "one session and two carts");
    assert_eq!(redis.ask(&["HKEYS", "profiles"]).lines().count(), 3);
    assert_eq!(
        redis.ask(&["EXISTS", "session:12", "session:1x", "cart:12:a", "xcart:1:a", "letters:a@example.org"]),
        "5"
    );
    assert_eq!(redis.ask(&["LLEN", "recent"]), "10");

    // What somebody writes meanwhile is found when it is read again.
    redis.ask(&["SET", "cart:1:new", "c"]);
    let left = eraser.reread(&places(), &erased.frozen).await.unwrap();
    assert_eq!((left[1].remaining, left[0].remaining), (1, 0));
}

#[tokio::test]
async fn a_value_with_glob_characters_reaches_nobody_else() {
    let redis = Redis::start(&[]);
    fill(&redis);
    let eraser = open(&redis.url(), &[]).await.unwrap();
    for value in ["*", "1*", "?", "[1-9]"] {
        let frozen = Frozen { identities: person(&[&format!("user:{value}")]), ..Frozen::default() };
        let problem = eraser.erase(&places(), &frozen).await.unwrap_err();
        assert!(problem.is(&codes::erasure::LOCATION_VALUE_UNSAFE), "{problem}");
    }
    assert_eq!(redis.ask(&["DBSIZE"]), "18");
    assert_eq!(redis.ask(&["SCARD", "online"]), "4");
}

#[tokio::test]
async fn whatever_stands_in_the_way_has_words_and_a_verdict() {
    let redis = Redis::start(&["--requirepass", "open sesame"]);
    let address = |password: &str, port: u16| format!("redis://:{password}@127.0.0.1:{port}/3");
    let right = open(&address("open%20sesame", redis.port()), &[]).await.unwrap();
    right.catalog().await.unwrap();
    let wrong = open(&address("s3same", redis.port()), &[]).await.unwrap().catalog().await.unwrap_err();
    assert!(wrong.is(&codes::erasure::SYSTEM_UNREACHABLE) && wrong.detail.contains("password"), "{wrong}");
    assert!(!format!("{wrong:?}").contains("s3same"));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = open(&address("x", nobody), &[]).await.unwrap().catalog().await.unwrap_err();
    assert!(away.is(&codes::erasure::SYSTEM_UNREACHABLE), "{away}");

    let cluster = Redis::start(&["--cluster-enabled", "yes"]);
    let problem = open(&cluster.url(), &[]).await.unwrap().catalog().await.unwrap_err();
    assert!(problem.is(&codes::erasure::LOCATION_UNREADABLE) && problem.detail.contains("cluster"), "{problem}");

    let redis = Redis::start(&[]);
    redis.ask(&["SET", "profiles", "a text"]);
    redis.ask(&["SET", "online", "a text"]);
    let eraser = open(&redis.url(), &[]).await.unwrap();
    for place in [
        json!({"name": "p", "key": "profiles", "field": "{user}"}),
        json!({"name": "p", "key": "online", "member": "{user}"}),
    ] {
        let problem = eraser.survey(&plan(json!([place])), &person(&["user:1"])).await.unwrap_err();
        assert!(problem.is(&codes::erasure::LOCATION_UNREADABLE), "{problem}");
    }
    for bad in ["redis:6379", "redis://host:port", "redis+smoke://x"] {
        assert!(open(bad, &[]).await.is_err(), "{bad}");
    }
}

#[tokio::test]
async fn databases_are_apart_and_tls_checks_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("cert"), made.cert.pem()).unwrap();
    std::fs::write(path("key"), made.signing_key.serialize_pem()).unwrap();
    let redis = Redis::start(&[
        "--port",
        "0",
        "--tls-port",
        "{port}",
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        &path("cert"),
        "--tls-key-file",
        &path("key"),
    ]);
    let address = |database: u8| format!("rediss://localhost:{}/{database}", redis.port());
    let ca = made.cert.pem();
    let ours = open(&address(2), &[("ca", &ca)]).await.unwrap();
    ours.catalog().await.unwrap();
    let cli =
        |command: &[&str]| redis.ask(&[&["--tls", "--cacert", &path("cert"), "-h", "localhost"], command].concat());
    cli(&["-n", "2", "SET", "session:1", "s"]);
    cli(&["SET", "session:1", "s"]);
    let survey = ours.survey(&places(), &person(&["user:1"])).await.unwrap();
    assert_eq!(survey.tables[0].found, 1);
    ours.erase(&places(), &survey.frozen).await.unwrap();
    assert_eq!((cli(&["-n", "2", "DBSIZE"]), cli(&["DBSIZE"])), ("0".to_owned(), "1".to_owned()));

    // Without knowing who signed it, nobody is trusted.
    assert!(open(&address(2), &[]).await.unwrap().catalog().await.is_err());
}
