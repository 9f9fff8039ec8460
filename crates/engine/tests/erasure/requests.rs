//! A person is forgotten everywhere or the request says why not; whatever is repeated, forged, mended or killed on the way.

use crate::databases::on_every_database;
use std::collections::HashMap;

use crate::shop::Shop;
use engine::{erasure, jobs};
use jiff::SignedDuration;
use model::codes;
use model::erasure::{ErasureState, SystemState};
use store::jobs::{Claim, Places};
use wire::receipt::{Receipt, Verification};

on_every_database!(
    everything_of_the_person_goes_and_nothing_of_others,
    what_the_law_keeps_is_kept_redacted_and_justified,
    a_table_outside_the_map_or_a_missing_one_blocks_until_it_is_mended,
    repeats_of_a_callback_lead_to_one_request,
    a_request_that_was_taken_back_answers_no_callback,
    forged_and_misdirected_callbacks_are_refused,
    a_process_that_dies_between_any_two_steps_loses_and_doubles_nothing,
    an_erasure_that_was_done_but_not_recorded_is_counted_all_the_same,
    rows_that_come_back_block_the_request_with_evidence,
);

async fn everything_of_the_person_goes_and_nothing_of_others() {
    let shop = Shop::open().await;
    let accepted = shop.callback("1002").await;

    let view = erasure::show(&shop.engine, &accepted.confirmation_code).await.unwrap();
    assert_eq!(view.state, ErasureState::Complete, "{view:?}");
    assert_eq!(view.systems[0].state, SystemState::VerifiedEmpty);
    assert_eq!(shop.rows(), [2, 2, 1, 1], "Ben, his post, and the two comments under it");
    assert_eq!(shop.count("shop.db", "comments WHERE id = 101"), 1, "what Cem wrote under Anna's post");
    let tables: Vec<_> = view.systems[0].tables.iter().map(|table| (table.name.as_str(), table.erased)).collect();
    for expected in [("users", 1), ("posts", 1), ("comments", 2), ("invoices", 0)] {
        assert!(tables.contains(&expected), "{tables:?}");
    }
    assert_eq!(view.due_at, "2026-12-22T12:00:00Z".parse().unwrap());

    let receipt = serde_json::to_vec(&view.receipt.unwrap()).unwrap();
    let receipt = Receipt::parse(&receipt).unwrap();
    let key = engine::ledger::public_key(&shop.engine).await.unwrap();
    assert_eq!(receipt.verify(Some(&key)).unwrap(), Verification::Trusted);
    assert_eq!(receipt.leaf.0["state"], "complete");

    let page = erasure::public_view(&shop.engine, &accepted.confirmation_code).await.unwrap();
    assert_eq!(page.backups_until, Some("2026-12-27T12:00:00Z".parse().unwrap()));
    let page = serde_json::to_string(&page).unwrap();
    for secret in ["1002", "ben@", "tables", "users", "posts"] {
        assert!(!page.contains(secret), "{secret} in {page}");
    }
}

async fn what_the_law_keeps_is_kept_redacted_and_justified() {
    let shop = Shop::open().await;
    let accepted = shop.callback("1001").await;

    let view = erasure::show(&shop.engine, &accepted.confirmation_code).await.unwrap();
    assert_eq!(view.state, ErasureState::PartlyRefused, "{view:?}");
    assert_eq!(view.systems[0].state, SystemState::Kept);
    assert_eq!(shop.count("shop.db", "invoices WHERE number = 'R-1' AND total = 1999 AND address IS NULL"), 1);
    assert_eq!(shop.count("shop.db", "users WHERE name = 'Anna' OR email LIKE 'anna%' OR facebook_id = '1001'"), 0);
    assert_eq!(shop.count("shop.db", "posts WHERE author_id = 1"), 0);

    let page = erasure::public_view(&shop.engine, &accepted.confirmation_code).await.unwrap();
    assert_eq!(page.kept.len(), 2, "the invoice, and the key that it refers to");
    assert!(page.kept.iter().all(|kept| kept.kept.law == "HGB §257 (4)"), "{:?}", page.kept);
    assert!(page.kept[0].kept.until.unwrap().to_string().starts_with("2034-12-31"), "{:?}", page.kept[0].kept.until);
    assert!(page.kept[0].complain_to.contains("authority"));

    shop.wait(SignedDuration::from_hours(24));
    // Asked again, nothing of hers is found, and it is not said that nothing is there.
    let again = shop.callback("1001").await.confirmation_code;
    let again = erasure::show(&shop.engine, &again).await.unwrap();
    assert_ne!(again.id, view.id);
    assert_eq!((again.state, again.kept), (ErasureState::PartlyRefused, view.kept));
}

async fn a_table_outside_the_map_or_a_missing_one_blocks_until_it_is_mended() {
    let table = [
        (
            "CREATE TABLE devices (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id)); INSERT INTO devices VALUES (1, 2);",
            codes::erasure::TABLE_UNMAPPED.to_string(),
            "devices",
            "DROP TABLE devices;",
        ),
        (
            "ALTER TABLE comments RENAME TO remarks;",
            codes::erasure::TABLE_MISSING.to_string(),
            "comments",
            "ALTER TABLE remarks RENAME TO comments;",
        ),
    ];
    for (breaks, code, named, mends) in table {
        let shop = Shop::open().await;
        shop.sql("shop.db", breaks);
        let view = shop.ask("asid:1002").await;
        assert_eq!((view.state, view.systems[0].state), (ErasureState::Blocked, SystemState::Blocked), "{view:?}");
        let reason = view.reason.unwrap();
        assert!(reason.code == code && reason.detail.contains(named), "{reason}");
        assert_eq!(shop.count("shop.db", "users WHERE name = 'Ben'"), 1, "nothing is erased");
        assert_eq!(shop.count("shop.db", "posts"), 3);

        shop.sql("shop.db", mends);
        erasure::resume(&shop.engine, &view.id).await.unwrap();
        let view = shop.drained(&view.id).await;
        assert_eq!(view.state, ErasureState::Complete, "{view:?}");
        assert_eq!(shop.rows(), [2, 2, 1, 1]);
    }
}

async fn repeats_of_a_callback_lead_to_one_request() {
    let shop = Shop::open().await;
    let now = shop.engine.ambient().now();
    let first = shop.sign("1002", now);
    let answers = [
        erasure::accept_callback(&shop.engine, "shop", &first).await.unwrap().confirmation_code,
        erasure::accept_callback(&shop.engine, "shop", &first).await.unwrap().confirmation_code,
    ];
    assert_eq!(answers[0], answers[1], "the same bytes get the same code");
    let waiting = erasure::public_view(&shop.engine, &answers[0]).await.unwrap();
    assert_eq!(waiting.state, ErasureState::Received, "a code works before its callback was promoted");

    let later = shop.sign("1002", now.saturating_add(SignedDuration::from_secs(1)).unwrap());
    let second = erasure::accept_callback(&shop.engine, "shop", &later).await.unwrap().confirmation_code;
    assert_ne!(second, answers[0], "another signed_request gets its own code");
    jobs::drain(&shop.engine).await.unwrap();
    let ids = [&answers[0], &second].map(|code| erasure::show(&shop.engine, code));
    let [one, two] = ids;
    assert_eq!(one.await.unwrap().id, two.await.unwrap().id, "for the same request, as one is open");

    // After the end: an old signature is a replay and leads to what has ended, a new one is a new request.
    shop.wait(SignedDuration::from_hours(48));
    let replay = shop.sign("1002", now.saturating_sub(SignedDuration::from_hours(1)).unwrap());
    let replay = erasure::accept_callback(&shop.engine, "shop", &replay).await.unwrap().confirmation_code;
    let fresh = shop.callback("1002").await.confirmation_code;
    let ended = erasure::show(&shop.engine, &answers[0]).await.unwrap();
    assert_eq!(erasure::show(&shop.engine, &replay).await.unwrap().id, ended.id);
    let fresh = erasure::show(&shop.engine, &fresh).await.unwrap();
    assert_ne!(fresh.id, ended.id);
    assert_eq!((ended.state, fresh.state), (ErasureState::Complete, ErasureState::NoData));
    assert_eq!(erasure::list(&shop.engine, None).await.unwrap().len(), 2);
}

async fn a_request_that_was_taken_back_answers_no_callback() {
    let shop = Shop::open().await;
    let identities = vec!["asid:1002".parse().unwrap()];
    let taken_back = erasure::request(&shop.engine, "shop", identities, "cli").await.unwrap().id;
    erasure::cancel(&shop.engine, &taken_back).await.unwrap();

    let before = shop.engine.ambient().now().saturating_sub(SignedDuration::from_secs(1)).unwrap();
    let signed = shop.sign("1002", before);
    let code = erasure::accept_callback(&shop.engine, "shop", &signed).await.unwrap().confirmation_code;
    jobs::drain(&shop.engine).await.unwrap();
    let view = erasure::show(&shop.engine, &code).await.unwrap();
    assert_ne!(view.id, taken_back);
    assert_eq!(view.state, ErasureState::Complete, "{view:?}");
    assert_eq!(shop.rows(), [2, 2, 1, 1]);
}

async fn forged_and_misdirected_callbacks_are_refused() {
    let shop = Shop::open().await;
    let signed = shop.sign("1002", shop.engine.ambient().now());
    let forged = format!("{}{}", if signed.starts_with('A') { 'B' } else { 'A' }, &signed[1..]);
    let table =
        [("shop", forged.as_str(), &codes::door::SIGNATURE_MISMATCH), ("other", &signed, &codes::door::APP_UNKNOWN)];
    for (app, text, code) in table {
        let problem = erasure::accept_callback(&shop.engine, app, text).await.err().unwrap();
        assert!(problem.is(code), "{problem}");
    }
    jobs::drain(&shop.engine).await.unwrap();
    assert!(erasure::list(&shop.engine, None).await.unwrap().is_empty());
    assert_eq!(shop.rows()[0], 3);
}

async fn a_process_that_dies_between_any_two_steps_loses_and_doubles_nothing() {
    for steps in 0.. {
        let mut shop = Shop::open().await;
        let identities = vec!["asid:1001".parse().unwrap()];
        let id = erasure::request(&shop.engine, "shop", identities, "cli").await.unwrap().id;
        let job = claim(&shop).await;
        let mut rested = false;
        for _ in 0..steps {
            rested = erasure::step(&shop.engine, &job).await.unwrap() == erasure::Step::Rest;
        }
        shop.restart().await;
        // The lease of the dead runs out.
        shop.wait(SignedDuration::from_mins(5));
        let view = shop.drained(&id).await;
        assert_eq!(view.state, ErasureState::PartlyRefused, "after {steps} steps: {view:?}");
        let leaves = shop.store.read("test.size", |tx| Box::pin(store::ledger::size(tx))).await.unwrap();
        assert_eq!(leaves, 2, "after {steps} steps: one intent, one result");
        let erased: u64 = view.systems[0].tables.iter().map(|table| table.erased).sum();
        assert_eq!(erased, 4, "after {steps} steps: two posts, two comments; the user stays as a stub: {view:?}");
        assert_eq!(shop.count("shop.db", "invoices WHERE address IS NULL"), 1);
        if rested {
            assert!(steps >= 4, "resolve, intend, erase and conclude are steps of their own");
            return;
        }
    }
}

async fn an_erasure_that_was_done_but_not_recorded_is_counted_all_the_same() {
    let mut shop = Shop::open().await;
    let identities = vec!["asid:1002".parse().unwrap()];
    let id = erasure::request(&shop.engine, "shop", identities, "cli").await.unwrap().id;
    let job = claim(&shop).await;
    for _ in 0..2 {
        assert_eq!(erasure::step(&shop.engine, &job).await.unwrap(), erasure::Step::More);
    }
    let wanted = id.clone();
    let (row, frozen) = shop
        .store
        .read("test.frozen", move |tx| {
            Box::pin(async move {
                let row = store::erasures::systems(tx, &wanted).await?.remove(0);
                Ok((row, store::erasures::system_frozen(tx, &wanted, "main-db").await?.unwrap()))
            })
        })
        .await
        .unwrap();
    let spec: adapters::Spec = format!("sqlite:{}/shop.db", shop.folder.path().display()).parse().unwrap();
    let context = adapters::Context::new(net::Client::new(net::Policy::operator()));
    let eraser = adapters::open_eraser(&spec, &context).await.unwrap();
    eraser.erase(&row.plan.unwrap(), &frozen).await.unwrap();
    assert_eq!(shop.rows(), [2, 2, 1, 1]);

    shop.restart().await;
    shop.wait(SignedDuration::from_mins(5));
    let view = shop.drained(&id).await;
    assert_eq!(view.state, ErasureState::Complete, "{view:?}");
    let counts: Vec<_> = view.systems[0].tables.iter().map(|table| (table.found, table.erased)).collect();
    assert!(counts.iter().all(|(found, erased)| found == erased) && counts.contains(&(2, 2)), "{counts:?}");
}

async fn rows_that_come_back_block_the_request_with_evidence() {
    let shop = Shop::open().await;
    // The application writes the person anew whenever they go.
    shop.sql("shop.db", "CREATE TRIGGER back AFTER DELETE ON users BEGIN INSERT INTO users VALUES (old.id, old.facebook_id, old.email, 'back'); END;");
    let view = shop.ask("asid:1002").await;
    let reason = view.reason.unwrap();
    assert_eq!((view.state, reason.code), (ErasureState::Blocked, codes::erasure::ROWS_REMAIN.to_string()));
    assert!(reason.detail.contains("1 in users"), "{}", reason.detail);
    assert!(view.receipt.is_none());

    shop.sql("shop.db", "DROP TRIGGER back;");
    erasure::resume(&shop.engine, &view.id).await.unwrap();
    assert_eq!(shop.drained(&view.id).await.state, ErasureState::Complete);
    assert_eq!(shop.rows(), [2, 2, 1, 1]);
}

/// Takes the one job as a worker would that is going to die.
pub async fn claim(shop: &Shop) -> store::jobs::Job {
    let kinds = vec![erasure::JOB];
    let claim = Claim { owner: "dies".to_owned(), kinds, limit: 1, busy: HashMap::new(), most: |_| Places::ANY };
    let claimed =
        shop.store.write("test.claim", move |tx| Box::pin(async move { store::jobs::claim(tx, &claim).await }));
    claimed.await.unwrap().pop().unwrap()
}
