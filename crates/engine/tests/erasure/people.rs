//! The identity map: what no database holds side by side is found all the same, never for two people, and forgotten with the person.

use crate::databases::on_every_database;
use engine::erasure::{self, Link};
use engine::{connections, jobs};
use jiff::SignedDuration;
use model::codes;
use model::erasure::{ErasureState, RequestView};

use crate::shop::Shop;

const NEWSLETTER: &str = r#"{
    "name": "newsletter", "adapter": "sqlite", "url": "sqlite:{folder}/letters.db",
    "table": [{"name": "subscribers", "identity": {"address": "email"}}]
}"#;

async fn with_newsletter() -> Shop {
    let shop = Shop::open().await;
    shop.sql(
        "letters.db",
        "CREATE TABLE subscribers (address TEXT PRIMARY KEY); INSERT INTO subscribers VALUES ('b@private.example'), ('c@private.example');",
    );
    shop.declare(&shop.declaration(&[NEWSLETTER]), |_| {}).await;
    shop
}

async fn link(shop: &Shop, person: &str, identities: &[&str]) {
    let identities = identities.iter().map(|text| text.parse().unwrap()).collect();
    erasure::link(&shop.engine, "shop", vec![Link { person: person.to_owned(), identities }]).await.unwrap();
}

fn reason(view: &RequestView) -> String {
    view.reason.as_ref().map(|reason| reason.code.clone()).unwrap_or_default()
}

on_every_database!(
    what_the_map_joins_is_erased_together_and_forgotten,
    identities_of_two_people_block,
    a_withdrawal_revokes_what_the_linked_account_had_granted,
);

async fn what_the_map_joins_is_erased_together_and_forgotten() {
    let shop = with_newsletter().await;
    link(&shop, "42", &["asid:1002", "email:B@private.example"]).await;
    link(&shop, "42", &["player:77"]).await;
    link(&shop, "43", &["asid:1003", "email:c@private.example"]).await;
    let view = shop.ask("player:77").await;
    assert_eq!(view.state, ErasureState::Complete, "by a kind that no column holds: {view:?}");
    assert_eq!(shop.rows(), [2, 2, 1, 1]);
    assert_eq!(shop.count("letters.db", "subscribers"), 1, "Cem's stays");
    assert_eq!(erasure::unlink(&shop.engine, "shop", "42").await.unwrap(), 0, "forgotten with the person");
    assert_eq!(erasure::unlink(&shop.engine, "shop", "43").await.unwrap(), 2);
}

async fn identities_of_two_people_block() {
    let shop = with_newsletter().await;
    link(&shop, "42", &["asid:1002", "email:b@private.example"]).await;
    link(&shop, "43", &["asid:1003", "email:b@private.example"]).await;
    // The second is found by an identity that the map itself has taught.
    for asked in ["email:b@private.example", "asid:1002"] {
        let view = shop.ask(asked).await;
        assert_eq!((view.state, reason(&view)), (ErasureState::Blocked, codes::erasure::AMBIGUOUS.to_string()));
    }
    assert_eq!(shop.rows(), [3, 3, 3, 1]);
    erasure::unlink(&shop.engine, "shop", "43").await.unwrap();
    let blocked = erasure::list(&shop.engine, Some(ErasureState::Blocked)).await.unwrap();
    erasure::resume(&shop.engine, &blocked[0].id).await.unwrap();
    assert_eq!(shop.drained(&blocked[0].id).await.state, ErasureState::Complete);
}

async fn a_withdrawal_revokes_what_the_linked_account_had_granted() {
    let shop = Shop::open().await;
    let scopes = "media:write".parse().unwrap();
    let hour = SignedDuration::from_hours(1);
    let ben = connections::issue_token(&shop.engine, "ben", &scopes, hour).await.unwrap();
    let cem = connections::issue_token(&shop.engine, "cem", &scopes, hour).await.unwrap();
    link(&shop, "42", &["asid:1002", "account:ben"]).await;
    for (user, expected) in [("1002", &codes::erasure::ACCESS_REVOKED), ("1003", &codes::erasure::ACCESS_WITHDRAWN)] {
        let signed = shop.sign(user, shop.engine.ambient().now());
        let code = erasure::accept_deauthorize(&shop.engine, "shop", &signed).await.unwrap().confirmation_code;
        jobs::drain(&shop.engine).await.unwrap();
        let view = erasure::show(&shop.engine, &code).await.unwrap();
        assert_eq!((view.state, reason(&view)), (ErasureState::Refused, expected.to_string()));
    }
    for (token, is_good) in [(ben, false), (cem, true)] {
        let checked = connections::authorize_bearer(&shop.engine, &token.access_token, "media:write").await;
        assert_eq!(checked.is_ok(), is_good);
    }
    assert_eq!(shop.rows(), [3, 3, 3, 1]);
}
