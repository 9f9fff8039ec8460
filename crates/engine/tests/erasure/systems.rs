//! Several systems: nothing is erased anywhere while one stands in the way, nothing is skipped, and what one knows is looked for in the others.

use crate::databases::on_every_database;
use crate::shop::Shop;
use engine::erasure;
use jiff::SignedDuration;
use model::codes;
use model::erasure::{ErasureState, SystemState};

/// A mailing list that knows people by their address only.
const NEWSLETTER: &str = r#"{
    "name": "newsletter", "adapter": "sqlite", "url": "sqlite:{folder}/letters.db",
    "table": [{"name": "subscribers", "identity": {"address": "email"}}]
}"#;

const SUBSCRIBERS: &str = "
CREATE TABLE subscribers (id INTEGER PRIMARY KEY, address TEXT, since TEXT);
INSERT INTO subscribers VALUES (1, 'ben@example.org', '2020-01-01'), (2, 'cem@example.org', '2021-01-01');
";

async fn with_newsletter() -> Shop {
    let shop = Shop::open().await;
    shop.sql("letters.db", SUBSCRIBERS);
    shop.declare(&shop.declaration(&[NEWSLETTER]), |_| {}).await;
    shop
}

on_every_database!(
    a_finished_system_that_is_taken_out_before_the_last_look_is_not_called_verified,
    what_one_system_knows_of_the_person_is_looked_for_in_the_others,
    one_system_that_stands_in_the_way_keeps_all_untouched,
    a_system_that_is_away_is_waited_for,
    a_half_erased_person_is_still_known_after_the_second_system_refused,
    nothing_is_skipped_in_silence,
    a_review_waits_for_approval_and_a_withdrawal_erases_nothing,
    a_system_that_was_finished_earlier_is_looked_at_again_before_the_end,
    a_system_that_is_filled_again_whenever_it_is_done_blocks_the_request,
);

async fn what_one_system_knows_of_the_person_is_looked_for_in_the_others() {
    let shop = with_newsletter().await;
    let plan = erasure::preview(&shop.engine, "shop", &["asid:1002".parse().unwrap()]).await.unwrap();
    assert!(plan.is_clear(), "{plan:?}");
    assert_eq!((plan.identities, plan.found), (2, 5), "{plan:?}");
    assert!(erasure::list(&shop.engine, None).await.unwrap().is_empty(), "a plan makes no request");

    let view = shop.ask("asid:1002").await;
    assert_eq!(view.state, ErasureState::Complete, "{view:?}");
    assert_eq!(shop.count("letters.db", "subscribers WHERE id = 1"), 0);
    assert_eq!(shop.count("letters.db", "subscribers WHERE id = 2"), 1);
}

async fn one_system_that_stands_in_the_way_keeps_all_untouched() {
    let shop = with_newsletter().await;
    shop.sql(
        "letters.db",
        "CREATE TABLE opened (subscriber INTEGER REFERENCES subscribers(id)); INSERT INTO opened VALUES (1);",
    );
    let view = shop.ask("asid:1002").await;
    assert_eq!(view.state, ErasureState::Blocked);
    assert_eq!(
        view.systems.iter().map(|system| system.state).collect::<Vec<_>>(),
        [SystemState::Pending, SystemState::Blocked]
    );
    assert_eq!(shop.rows(), [3, 3, 3, 1]);
    assert_eq!(shop.count("letters.db", "subscribers"), 2);
    let size = shop.store.read("test.size", |tx| Box::pin(store::ledger::size(tx))).await.unwrap();
    assert_eq!(size, 0, "nothing was intended either");
}

async fn a_system_that_is_away_is_waited_for() {
    let shop = with_newsletter().await;
    let file = |name: &str| shop.folder.path().join(name);
    std::fs::rename(file("letters.db"), file("elsewhere.db")).unwrap();
    let view = shop.ask("asid:1002").await;
    assert_eq!(view.state, ErasureState::Waiting, "{view:?}");
    assert_eq!(view.reason.as_ref().unwrap().code, codes::erasure::SYSTEM_UNREACHABLE.to_string());
    assert_eq!(shop.rows(), [3, 3, 3, 1], "nothing is erased while a system is unread");

    std::fs::rename(file("elsewhere.db"), file("letters.db")).unwrap();
    shop.wait(SignedDuration::from_hours(1));
    assert_eq!(shop.drained(&view.id).await.state, ErasureState::Complete);
    assert_eq!(shop.count("letters.db", "subscribers"), 1);
}

async fn a_half_erased_person_is_still_known_after_the_second_system_refused() {
    let shop = with_newsletter().await;
    shop.sql("letters.db", "CREATE TRIGGER no BEFORE DELETE ON subscribers BEGIN SELECT RAISE(ABORT, 'no'); END;");
    let view = shop.ask("asid:1002").await;
    assert_eq!(view.state, ErasureState::Blocked, "{view:?}");
    assert_eq!(
        view.systems.iter().map(|system| system.state).collect::<Vec<_>>(),
        [SystemState::VerifiedEmpty, SystemState::Blocked]
    );
    assert_eq!(
        shop.count("shop.db", "users WHERE id = 2"),
        0,
        "the address that leads to the subscriber is gone from here"
    );
    let problem = erasure::cancel(&shop.engine, &view.id).await.unwrap_err();
    assert!(problem.is(&codes::erasure::STATE_CONFLICT), "what is begun cannot be taken back: {problem}");

    shop.sql("letters.db", "DROP TRIGGER no;");
    // Whoever asks again meanwhile gets the same request.
    assert_eq!(shop.ask("asid:1002").await.id, view.id);
    erasure::resume(&shop.engine, &view.id).await.unwrap();
    assert_eq!(shop.drained(&view.id).await.state, ErasureState::Complete);
    assert_eq!(shop.count("letters.db", "subscribers WHERE id = 1"), 0);
}

async fn nothing_is_skipped_in_silence() {
    let shop = with_newsletter().await;
    let both = shop.declaration(&[NEWSLETTER]);
    let cases = [("asid:1002", &codes::erasure::SYSTEM_DISABLED), ("phone:123", &codes::erasure::IDENTITY_UNMAPPED)];
    for (identity, code) in cases {
        let off = code.number == codes::erasure::SYSTEM_DISABLED.number;
        shop.declare(&both, |world| world.systems[1].enabled = !off).await;
        let view = shop.ask(identity).await;
        assert_eq!((view.state, view.reason.unwrap().code), (ErasureState::Blocked, code.to_string()));
    }
    shop.declare(&both, |world| world.systems.clear()).await;
    let view = shop.ask("asid:1003").await;
    assert_eq!(view.reason.unwrap().code, codes::erasure::NO_SYSTEMS.to_string());
    assert_eq!(shop.rows(), [3, 3, 3, 1]);
    let unknown = shop.ask("email:ben@example.org").await;
    assert_eq!(unknown.state, ErasureState::Blocked);
}

async fn a_review_waits_for_approval_and_a_withdrawal_erases_nothing() {
    let shop = Shop::open().await;
    for policy in ["review", "revoke_only"] {
        let policy = serde_json::from_value(serde_json::json!(policy)).unwrap();
        shop.declare(&shop.declaration(&[]), |world| world.apps[0].on_callback = policy).await;
        let user = if policy == model::world::OnCallback::Review { "1002" } else { "1003" };
        let code = shop.callback(user).await.confirmation_code;
        let view = erasure::show(&shop.engine, &code).await.unwrap();
        assert_eq!(shop.rows()[0], if user == "1002" { 3 } else { 2 });
        if user == "1002" {
            assert_eq!(view.reason.unwrap().code, codes::erasure::APPROVAL_NEEDED.to_string());
            erasure::approve(&shop.engine, &code).await.unwrap();
            assert_eq!(shop.drained(&view.id).await.state, ErasureState::Complete);
            assert!(erasure::approve(&shop.engine, &code).await.is_err());
        } else {
            assert_eq!(view.state, ErasureState::Refused);
            assert_eq!(view.reason.unwrap().code, codes::erasure::CALLBACK_REVOKES_ONLY.to_string());
        }
    }
}

async fn a_system_that_was_finished_earlier_is_looked_at_again_before_the_end() {
    let shop = with_newsletter().await;
    shop.sql("letters.db", "CREATE TRIGGER no BEFORE DELETE ON subscribers BEGIN SELECT RAISE(ABORT, 'no'); END;");
    let view = shop.ask("asid:1002").await;
    let states = view.systems.iter().map(|system| system.state).collect::<Vec<_>>();
    assert_eq!(states, [SystemState::VerifiedEmpty, SystemState::Blocked]);

    // The person registers again, and asks again.
    shop.sql(
        "shop.db",
        "INSERT INTO users VALUES (7, '1002', 'ben@example.org', 'Ben'); INSERT INTO posts VALUES (70, 7, 'Back');",
    );
    shop.sql("letters.db", "DROP TRIGGER no;");
    assert_eq!(shop.ask("asid:1002").await.id, view.id);
    erasure::resume(&shop.engine, &view.id).await.unwrap();
    let view = shop.drained(&view.id).await;
    assert_eq!(view.state, ErasureState::Complete, "{view:?}");
    assert_eq!(shop.count("shop.db", "users WHERE facebook_id = '1002'"), 0);
    assert_eq!(shop.count("shop.db", "posts WHERE author_id = 7"), 0);
    assert_eq!(shop.count("letters.db", "subscribers"), 1, "Cem's stays");
    let users = view.systems[0].tables.iter().find(|table| table.name == "users").unwrap();
    assert_eq!((users.found, users.erased), (2, 2), "both are counted");
}

async fn a_system_that_is_filled_again_whenever_it_is_done_blocks_the_request() {
    let mut shop = with_newsletter().await;
    let id = erasure::request(&shop.engine, "shop", vec!["asid:1002".parse().unwrap()], "cli").await.unwrap().id;
    let job = crate::requests::claim(&shop).await;
    let mut steps = 0;
    while erasure::step(&shop.engine, &job).await.unwrap() == erasure::Step::More {
        steps += 1;
        assert!(steps < 60, "it does not go on for ever");
        if shop.count("shop.db", "users WHERE facebook_id = '1002'") == 0 {
            let states = erasure::show(&shop.engine, &id).await.unwrap().systems;
            if states[0].state == SystemState::VerifiedEmpty {
                shop.sql("shop.db", "INSERT INTO users VALUES (7, '1002', NULL, 'Ben');");
            }
        }
    }
    let view = erasure::show(&shop.engine, &id).await.unwrap();
    assert_eq!(
        (view.state, view.reason.unwrap().code),
        (ErasureState::Blocked, codes::erasure::ROWS_REMAIN.to_string())
    );
    assert!(view.receipt.is_none());
    shop.sql("shop.db", "DELETE FROM users WHERE id = 7;");
    erasure::resume(&shop.engine, &id).await.unwrap();
    // The lease of the one who took the steps runs out.
    shop.restart().await;
    shop.wait(SignedDuration::from_mins(5));
    assert_eq!(shop.drained(&id).await.state, ErasureState::Complete);
}

async fn a_finished_system_that_is_taken_out_before_the_last_look_is_not_called_verified() {
    let shop = with_newsletter().await;
    shop.sql("letters.db", "CREATE TRIGGER no BEFORE DELETE ON subscribers BEGIN SELECT RAISE(ABORT, 'no'); END;");
    let view = shop.ask("asid:1002").await;
    assert_eq!(view.systems[0].state, SystemState::VerifiedEmpty);
    shop.declare(&shop.declaration(&[NEWSLETTER]), |world| drop(world.systems.remove(0))).await;
    shop.sql("letters.db", "DROP TRIGGER no;");
    erasure::resume(&shop.engine, &view.id).await.unwrap();
    let view = shop.drained(&view.id).await;
    let gone = view.systems.iter().find(|system| system.name == "main-db").unwrap();
    assert_eq!((view.state, gone.state), (ErasureState::Complete, SystemState::Attested), "{view:?}");
    assert_eq!(gone.reason.as_ref().unwrap().code, codes::erasure::SYSTEM_GONE_SINCE.to_string());
    assert_eq!(view.receipt.unwrap()["leaf"]["systems"][0]["state"], "attested");
}
