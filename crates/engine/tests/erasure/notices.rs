//! Others are told what became of requests: signed, in order, at least once, whatever the receiver does.

use crate::databases::on_every_database;
use engine::notify::{self, Standing};
use engine::{erasure, jobs};
use jiff::SignedDuration;
use model::world::{SecretRef, Webhook};
use model::{Problem, codes};
use serde_json::Value;
use testkit::receiver::Manner::{Close, Hang, Later, Status};
use testkit::receiver::{Received, Receiver};
use wire::webhook::{self, Headers};

use crate::shop::Shop;

const OLD: &str = "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZA==";
const NEW: &str = "whsec_bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3IG5ldw==";

fn hook(name: &str, receiver: &Receiver, events: &[&str]) -> Webhook {
    Webhook {
        name: name.to_owned(),
        url: SecretRef(format!("{}/in", receiver.url)),
        secrets: [NEW, OLD].map(|secret| SecretRef(secret.to_owned())).to_vec(),
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        allow: vec!["127.0.0.0/8".to_owned()],
    }
}

async fn shop(hooks: Vec<Webhook>) -> Shop {
    let shop = Shop::open().await;
    shop.declare(&shop.declaration(&[]), |world| world.webhooks = hooks).await;
    shop
}

/// Verifies a message as a receiver does, with one of the two secrets.
fn open(shop: &Shop, received: &Received, secret: &str) -> Value {
    let header = |name: &str| received.headers[name].clone();
    let headers = Headers {
        id: header(webhook::ID),
        timestamp: header(webhook::TIMESTAMP),
        signature: header(webhook::SIGNATURE),
    };
    let secrets = [webhook::Secret::parse(secret).unwrap()];
    webhook::verify(&headers, &received.body, &secrets, shop.engine.ambient().now()).unwrap();
    serde_json::from_slice(&received.body).unwrap()
}

async fn standing(shop: &Shop) -> Standing {
    notify::list(&shop.engine).await.unwrap().remove(0)
}

on_every_database!(
    every_change_is_told_signed_in_order_and_without_whom_it_is_about,
    what_was_not_taken_is_sent_again_under_the_same_id_until_it_is,
    after_three_days_it_is_put_aside_and_shown_until_somebody_asks_for_it_again,
    a_receiver_that_hangs_holds_up_nobody_else,
    only_declared_networks_are_reached_beside_public_addresses,
);

async fn every_change_is_told_signed_in_order_and_without_whom_it_is_about() {
    let receiver = Receiver::start().await;
    let shop = shop(vec![hook("crm", &receiver, &["erasure.*"])]).await;
    let accepted = shop.callback("1002").await;

    let received = receiver.received();
    let told: Vec<Value> = received.iter().map(|one| open(&shop, one, OLD)).collect();
    let mut changes: Vec<(u64, &str)> =
        told.iter().map(|one| (one["data"]["sequence"].as_u64().unwrap(), one["type"].as_str().unwrap())).collect();
    changes.sort_unstable();
    assert_eq!(changes, [(1, "erasure.received"), (2, "erasure.running"), (3, "erasure.complete")]);
    let last = told.iter().find(|one| one["type"] == "erasure.complete").unwrap();
    assert_eq!(last["data"]["confirmation_code"], accepted.confirmation_code);
    assert_eq!((&last["data"]["app"], &last["data"]["state"]), (&Value::from("shop"), &Value::from("complete")));
    assert!(last["data"]["finished_at"].is_string() && last["data"]["reason"].is_null(), "{last}");
    for (one, body) in received.iter().zip(&told) {
        assert_eq!((one.path.as_str(), one.headers["content-type"].as_str()), ("/in", "application/json"));
        open(&shop, one, NEW);
        assert!(!body.to_string().contains("1002") && !body.to_string().contains("ben@"), "{body}");
    }
    let ids: std::collections::BTreeSet<_> = received.iter().map(|one| &one.headers[webhook::ID]).collect();
    assert_eq!(ids.len(), received.len());
    assert_eq!((standing(&shop).await.taken, standing(&shop).await.waiting), (3, 0));

    // What nobody wants to hear of is not written down.
    shop.declare(&shop.declaration(&[]), |world| world.webhooks = vec![hook("crm", &receiver, &["erasure.blocked"])])
        .await;
    shop.callback("1003").await;
    assert_eq!(receiver.received().len(), 3);
}

async fn what_was_not_taken_is_sent_again_under_the_same_id_until_it_is() {
    let receiver = Receiver::start().await;
    let shop = shop(vec![hook("crm", &receiver, &["erasure.complete"])]).await;
    receiver.behave([Status(500), Close, Later(429, 7200), Status(302), Status(400)]);
    shop.callback("1002").await;
    for tried in 1..=5 {
        assert_eq!(receiver.received().len(), tried);
        let stands = standing(&shop).await;
        assert_eq!((stands.waiting, stands.parked, stands.taken), (1, 0, 0));
        if tried == 3 {
            let asked = stands.health.retry_at.unwrap();
            assert!(asked >= shop.engine.ambient().now() + SignedDuration::from_hours(2), "Retry-After: {asked}");
        }
        jobs::drain(&shop.engine).await.unwrap();
        assert_eq!(receiver.received().len(), tried, "not before its time");
        shop.wait(SignedDuration::from_hours(9));
        jobs::drain(&shop.engine).await.unwrap();
    }
    let received = receiver.received();
    assert_eq!(received.len(), 6, "the sixth is taken");
    assert!(received.iter().all(|one| one.headers[webhook::ID] == received[0].headers[webhook::ID]));
    assert!(received.iter().all(|one| one.body == received[0].body));
    assert_ne!(received[5].headers[webhook::TIMESTAMP], received[0].headers[webhook::TIMESTAMP]);
    open(&shop, &received[5], NEW);
    assert_eq!((standing(&shop).await.waiting, standing(&shop).await.taken), (0, 1));
}

async fn after_three_days_it_is_put_aside_and_shown_until_somebody_asks_for_it_again() {
    let receiver = Receiver::start().await;
    let shop = shop(vec![hook("crm", &receiver, &["erasure.complete"])]).await;
    receiver.behave([Status(503); 400]);
    shop.callback("1002").await;
    for _ in 0..71 {
        shop.wait(SignedDuration::from_hours(1));
        jobs::drain(&shop.engine).await.unwrap();
        assert_eq!(standing(&shop).await.parked, 0);
    }
    assert!(receiver.received().len() > 12, "{}", receiver.received().len());
    for _ in 0..8 {
        shop.wait(SignedDuration::from_hours(1));
        jobs::drain(&shop.engine).await.unwrap();
    }
    let stands = standing(&shop).await;
    assert_eq!((stands.waiting, stands.parked), (0, 1));
    assert_eq!(stands.parked_problem.unwrap().code, codes::notify::NOTICE_GIVEN_UP.to_string());
    let tried = receiver.received().len();
    shop.wait(SignedDuration::from_hours(30));
    jobs::drain(&shop.engine).await.unwrap();
    assert_eq!(receiver.received().len(), tried, "nothing is sent any more");

    receiver.behave([]);
    assert_eq!(notify::retry(&shop.engine, "crm").await.unwrap(), 1);
    jobs::drain(&shop.engine).await.unwrap();
    assert_eq!((receiver.received().len(), standing(&shop).await.parked), (tried + 1, 0));
    let unknown: Problem = notify::retry(&shop.engine, "nobody").await.unwrap_err();
    assert!(unknown.is(&codes::notify::WEBHOOK_UNKNOWN));
}

async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let (hanging, other) = (Receiver::start().await, Receiver::start().await);
    let events = ["erasure.complete"];
    let shop = shop(vec![hook("hangs", &hanging, &events), hook("other", &other, &events)]).await;
    hanging.behave([Hang]);
    let stop = tokio_util::sync::CancellationToken::new();
    let working = tokio::spawn(jobs::Worker::new(shop.engine.clone()).run(stop.clone()));
    for (number, person) in ["1002", "1003"].into_iter().enumerate() {
        let signed = shop.sign(person, shop.engine.ambient().now());
        erasure::accept_callback(&shop.engine, "shop", &signed).await.unwrap();
        other.has_received(number + 1).await;
    }
    hanging.has_received(1).await;
    hanging.let_go();
    stop.cancel();
    working.await.unwrap().unwrap();
    shop.wait(SignedDuration::from_hours(9));
    jobs::drain(&shop.engine).await.unwrap();
    assert_eq!(hanging.received().len(), 3, "the one that hung comes again");
}

async fn only_declared_networks_are_reached_beside_public_addresses() {
    let receiver = Receiver::start().await;
    let table = [
        (vec![], "http://127.0.0.1:1/"),
        (vec![], "https://169.254.169.254/latest"),
        (vec!["10.0.0.0/8".to_owned()], receiver.url.as_str()),
    ];
    for (allow, url) in table {
        let shop = Shop::open().await;
        let mut world: model::world::World = serde_json::from_str(&shop.declaration(&[])).unwrap();
        world.webhooks = vec![Webhook { allow, url: SecretRef(url.to_owned()), ..hook("crm", &receiver, &["*"]) }];
        let refused = engine::world::apply(&shop.engine, world, &|secret| Ok(secret.0.clone())).await.unwrap_err();
        assert!(refused.is(&codes::config::WORLD_INVALID) && refused.detail.contains("crm"), "{url}: {refused}");
    }
    assert!(receiver.received().is_empty());
}
