//! Systems that are no databases: what the database knows of the person leads to their places elsewhere, and only there.

use crate::databases::on_every_database;
use crate::requests::claim;
use crate::shop::Shop;
use engine::erasure;
use jiff::SignedDuration;
use model::codes;
use model::erasure::{ErasureState, SystemState};
use testkit::redis::Redis;

/// A shop whose sessions lie in a Redis, by the user's number.
async fn with_cache(redis: &Redis) -> Shop {
    let shop = Shop::open().await;
    let cache = format!(
        r#"{{"name": "cache", "adapter": "redis", "url": "{}", "location": [
            {{"name": "sessions", "key": "session:{{user}}"}},
            {{"name": "numbers", "key": "number:{{phone}}"}}]}}"#,
        redis.url()
    );
    shop.declare(&shop.declaration(&[&cache]), |world| {
        world.systems[0].tables[0].identity.insert("id".to_owned(), "user".parse().unwrap());
    })
    .await;
    fill(redis);
    shop
}

fn fill(redis: &Redis) {
    redis.ask(&["MSET", "session:2", "Ben", "session:22", "somebody else", "session:3", "Cem"]);
}

on_every_database!(
    what_a_database_knows_of_the_person_leads_to_their_keys,
    a_cache_that_is_away_is_waited_for_before_and_during_the_work,
    keys_that_went_before_a_crash_are_counted_and_keys_that_come_back_are_found,
    an_identity_that_would_name_other_peoples_keys_blocks_before_anything_is_erased,
);

async fn what_a_database_knows_of_the_person_leads_to_their_keys() {
    let redis = Redis::start(&[]);
    let shop = with_cache(&redis).await;
    let plan = erasure::preview(&shop.engine, "shop", &["asid:1002".parse().unwrap()]).await.unwrap();
    assert!(plan.is_clear(), "{plan:?}");
    let planned: Vec<_> = plan.systems[1].tables.iter().map(|table| (table.found, table.note.clone())).collect();
    let nothing = "not looked for: no phone is known of the person".to_owned();
    assert_eq!(planned, [(1, None), (0, Some(nothing.clone()))]);

    let view = shop.ask("asid:1002").await;
    assert_eq!((view.state, view.systems[1].state), (ErasureState::Complete, SystemState::VerifiedEmpty), "{view:?}");
    assert_eq!(redis.ask(&["EXISTS", "session:2"]), "0");
    assert_eq!(redis.ask(&["DBSIZE"]), "2");
    let sessions = serde_json::to_value(&view.systems[1].tables).unwrap();
    assert_eq!(
        sessions[0],
        serde_json::json!({"name": "sessions", "found": 1, "erased": 1, "kept": 0, "remaining": 0})
    );
    assert_eq!(sessions[1]["note"], nothing);
    assert_eq!(view.receipt.unwrap()["leaf"]["systems"][1]["tables"], sessions);
}

async fn a_cache_that_is_away_is_waited_for_before_and_during_the_work() {
    let mut redis = Redis::start(&[]);
    let shop = with_cache(&redis).await;
    redis.stop();
    let view = shop.ask("asid:1002").await;
    assert_eq!(view.state, ErasureState::Waiting, "{view:?}");
    assert_eq!(view.reason.unwrap().code, codes::erasure::SYSTEM_UNREACHABLE.to_string());
    assert_eq!(shop.rows(), [3, 3, 3, 1]);

    redis.resume();
    fill(&redis);
    shop.wait(SignedDuration::from_hours(1));
    assert_eq!(shop.drained(&view.id).await.state, ErasureState::Complete);
    assert_eq!(redis.ask(&["DBSIZE"]), "2");
}

async fn keys_that_went_before_a_crash_are_counted_and_keys_that_come_back_are_found() {
    let redis = Redis::start(&[]);
    let mut shop = with_cache(&redis).await;
    let id = erasure::request(&shop.engine, "shop", vec!["asid:1002".parse().unwrap()], "cli").await.unwrap().id;
    let job = claim(&shop).await;
    // Resolved, intended, the database erased; then the keys go, and nobody lives to write it down.
    for _ in 0..3 {
        erasure::step(&shop.engine, &job).await.unwrap();
    }
    redis.ask(&["UNLINK", "session:2"]);
    shop.restart().await;
    shop.wait(SignedDuration::from_mins(5));
    let view = shop.drained(&id).await;
    assert_eq!(view.state, ErasureState::Complete, "{view:?}");
    assert_eq!((view.systems[1].tables[0].found, view.systems[1].tables[0].erased), (1, 1));

    // The application signs them in again between two requests.
    fill(&redis);
    let view = shop.ask("user:2").await;
    assert_eq!((view.state, redis.ask(&["DBSIZE"])), (ErasureState::Complete, "2".to_owned()), "{view:?}");
}

async fn an_identity_that_would_name_other_peoples_keys_blocks_before_anything_is_erased() {
    let redis = Redis::start(&[]);
    let shop = with_cache(&redis).await;
    let view = shop.ask("user:*").await;
    assert_eq!((view.state, view.systems[1].state), (ErasureState::Blocked, SystemState::Blocked), "{view:?}");
    let reason = view.reason.unwrap();
    assert_eq!(reason.code, codes::erasure::LOCATION_VALUE_UNSAFE.to_string());
    assert_eq!(redis.ask(&["DBSIZE"]), "3");
    assert_eq!(shop.rows(), [3, 3, 3, 1]);
}
