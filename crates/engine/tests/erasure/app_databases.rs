//! The peer's failures, on every kind of SQL database: a table that is gone, a trigger that strikes half way, a second
//! request after it, and rows that are written meanwhile. The answer is never `complete` while a row is left.

use engine::erasure;
use jiff::SignedDuration;
use model::codes;
use model::erasure::{ErasureState, SystemState};
use testkit::database::{Database, Kind};

use crate::requests::claim;
use crate::shop::Shop;

const SHOP: &str = "
CREATE TABLE users (id BIGINT PRIMARY KEY, facebook_id TEXT, email TEXT);
CREATE TABLE orders (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id), item TEXT);
CREATE TABLE comments (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, body TEXT);
INSERT INTO users VALUES (1, '1001', 'anna@example.org'), (2, '1002', 'ben@example.org');
INSERT INTO orders VALUES (10, 1, 'a'), (11, 1, 'b'), (20, 2, 'c');
INSERT INTO comments VALUES (100, 1, 'x'), (101, 1, 'y'), (200, 2, 'z');
";

const LETTERS: &str = "
CREATE TABLE subscribers (id BIGINT PRIMARY KEY, email TEXT);
INSERT INTO subscribers VALUES (1, 'anna@example.org'), (2, 'ben@example.org');
";

/// A shop whose data is in two databases: what leads to the subscriber is in the first alone.
struct Two {
    shop: Shop,
    main: Database,
    letters: Database,
}

impl Two {
    async fn open(kind: Kind) -> Self {
        let (shop, main, letters) = (Shop::bare().await, Database::new(kind).await, Database::new(kind).await);
        main.run(SHOP).await;
        letters.run(LETTERS).await;
        let adapter = match kind {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
            Kind::Mariadb => "mysql",
        };
        let world = serde_json::json!({
            "app": [{ "name": "shop", "secrets": ["env:APP"], "contact": "privacy@shop.example" }],
            "system": [
                { "name": "main-db", "adapter": adapter, "url": main.address(), "table": [
                    { "name": "users", "identity": { "facebook_id": "asid", "email": "email" } },
                    { "name": "orders", "owner": { "user_id": "users.id" } },
                    { "name": "comments", "owner": { "user_id": "users.id" } },
                ] },
                { "name": "letters", "adapter": adapter, "url": letters.address(), "table": [
                    { "name": "subscribers", "identity": { "email": "email" } },
                ] },
            ],
        });
        shop.declare(&world.to_string(), |_| {}).await;
        Self { shop, main, letters }
    }

    /// Counts users, orders, comments and subscribers.
    async fn rows(&self) -> [u64; 4] {
        let main = &self.main;
        [
            main.count("users").await,
            main.count("orders").await,
            main.count("comments").await,
            self.letters.count("subscribers").await,
        ]
    }
}

const BEFORE: [u64; 4] = [2, 3, 3, 2];
const WITHOUT_ANNA: [u64; 4] = [1, 1, 1, 1];

/// Test A: the peer skips the table and says `complete`.
async fn a_renamed_table_blocks_until_it_is_back(kind: Kind) {
    let two = Two::open(kind).await;
    two.main.run("ALTER TABLE comments RENAME TO remarks").await;
    let view = two.shop.ask("asid:1001").await;
    let reason = view.reason.unwrap();
    assert_eq!((view.state, reason.code), (ErasureState::Blocked, codes::erasure::TABLE_MISSING.to_string()));
    assert!(reason.detail.contains("comments"), "{}", reason.detail);
    two.main.run("ALTER TABLE remarks RENAME TO comments").await;
    assert_eq!(two.rows().await, BEFORE, "nothing was erased");

    erasure::resume(&two.shop.engine, &view.id).await.unwrap();
    let view = two.shop.drained(&view.id).await;
    assert_eq!(view.state, ErasureState::Complete, "{view:?}");
    assert_eq!(two.rows().await, WITHOUT_ANNA);
}

/// Tests B and C: the peer keeps what the trigger guarded, and after a second request says `complete`.
async fn a_trigger_that_strikes_half_way_leaves_nothing_behind_once_it_is_mended(kind: Kind) {
    for ask_again in [false, true] {
        let two = Two::open(kind).await;
        two.main.refuse("DELETE", "comments").await;
        let view = two.shop.ask("asid:1001").await;
        let reason = view.reason.unwrap();
        assert_eq!((view.state, &reason.code), (ErasureState::Blocked, &codes::erasure::ERASE_REFUSED.to_string()));
        assert!(reason.detail.contains("comments") && !reason.detail.contains("SECRET"), "{}", reason.detail);
        assert_eq!(two.rows().await, BEFORE, "one database is one transaction");
        two.main.allow("comments").await;

        // Now the second database refuses, when what leads to its rows is gone from the first.
        two.letters.refuse("DELETE", "subscribers").await;
        erasure::resume(&two.shop.engine, &view.id).await.unwrap();
        let view = two.shop.drained(&view.id).await;
        let states: Vec<_> = view.systems.iter().map(|system| system.state).collect();
        assert_eq!(
            (view.state, states.as_slice()),
            (ErasureState::Blocked, &[SystemState::VerifiedEmpty, SystemState::Blocked][..])
        );
        assert_eq!(two.rows().await, [1, 1, 1, 2]);
        two.letters.allow("subscribers").await;
        if ask_again {
            let again = two.shop.ask("asid:1001").await;
            assert_eq!(again.id, view.id, "whoever asks again gets the request that still knows whom it is about");
        }
        erasure::resume(&two.shop.engine, &view.id).await.unwrap();
        let view = two.shop.drained(&view.id).await;
        assert_eq!(view.state, ErasureState::Complete, "{view:?}");
        assert_eq!(two.rows().await, WITHOUT_ANNA);
    }
}

/// Rows that come between any two steps are found before the request ends.
async fn rows_that_are_written_meanwhile_are_found(kind: Kind) {
    for steps in 1.. {
        let two = Two::open(kind).await;
        let identities = vec!["asid:1001".parse().unwrap()];
        let id = erasure::request(&two.shop.engine, "shop", identities, "cli").await.unwrap().id;
        let job = claim(&two.shop).await;
        for _ in 0..steps {
            if erasure::step(&two.shop.engine, &job).await.unwrap() == erasure::Step::Rest {
                assert!(steps > 4, "resolve, intend, erase twice and conclude are steps of their own");
                return;
            }
        }
        if erasure::show(&two.shop.engine, &id).await.unwrap().state == ErasureState::Complete {
            continue;
        }
        two.main.run("INSERT INTO comments VALUES (102, 1, 'late')").await;
        // Two rows with her address at one time could be two people.
        if two.letters.count("subscribers WHERE email = 'anna@example.org'").await == 0 {
            two.letters.run("INSERT INTO subscribers VALUES (3, 'anna@example.org')").await;
        }
        two.shop.wait(SignedDuration::from_mins(5));
        let view = two.shop.drained(&id).await;
        assert_eq!(view.state, ErasureState::Complete, "after {steps} steps: {view:?}");
        assert_eq!(two.rows().await, WITHOUT_ANNA, "after {steps} steps");
    }
}

macro_rules! on_every_database {
    ($($test:ident),+) => {
        mod on_sqlite { $(#[tokio::test] async fn $test() { super::$test(super::Kind::Sqlite).await })+ }
        mod on_postgres { $(#[tokio::test] async fn $test() { super::$test(super::Kind::Postgres).await })+ }
        mod on_mariadb { $(#[tokio::test] async fn $test() { super::$test(super::Kind::Mariadb).await })+ }
    };
}

on_every_database! {
    a_renamed_table_blocks_until_it_is_back,
    a_trigger_that_strikes_half_way_leaves_nothing_behind_once_it_is_mended,
    rows_that_are_written_meanwhile_are_found
}
