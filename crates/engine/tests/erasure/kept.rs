//! What a ground keeps: said as long as it is there, to whoever asks again in whatever way, and gone when the ground is over.

use crate::databases::on_every_database;
use engine::{erasure, jobs};
use jiff::{SignedDuration, Timestamp};
use model::codes;
use model::erasure::{ErasureState, RequestView, SystemState};
use wire::receipt::{Receipt, Verification};

use crate::shop::Shop;

/// When the ground of Anna's invoice is over, and a moment.
const OVER: &str = "2035-01-01T00:00:00Z";

impl Shop {
    /// Lets time pass until an instant, and does all the work that is due.
    async fn at(&self, instant: &str) {
        let until: Timestamp = instant.parse().unwrap();
        self.wait(until.duration_since(self.engine.ambient().now()));
        jobs::drain(&self.engine).await.unwrap();
    }

    async fn leaves(&self) -> u64 {
        self.store.read("test.size", |tx| Box::pin(store::ledger::size(tx))).await.unwrap()
    }
}

fn reason(view: &RequestView) -> String {
    view.reason.as_ref().map(|reason| reason.code.clone()).unwrap_or_default()
}

on_every_database!(
    what_was_kept_goes_when_its_ground_is_over,
    rows_go_one_by_one_each_when_its_own_time_is_over,
    whoever_asks_again_in_another_way_hears_what_is_kept,
    what_is_recalled_is_read_again,
    what_cannot_go_although_its_ground_is_over_is_said_and_tried_again,
);

async fn what_was_kept_goes_when_its_ground_is_over() {
    let shop = Shop::open().await;
    let code = shop.callback("1001").await.confirmation_code;
    let view = erasure::show(&shop.engine, &code).await.unwrap();
    assert_eq!(view.state, ErasureState::PartlyRefused, "{view:?}");
    assert_eq!(shop.count("shop.db", "invoices WHERE number = 'R-1' AND total = 1999 AND address IS NULL"), 1);
    assert_eq!(
        shop.count("shop.db", "users WHERE id = 1 AND name IS NULL AND email IS NULL AND facebook_id IS NULL"),
        1
    );

    // Years later her identities are shredded, her keys elsewhere were given away, and she is there again.
    shop.at("2030-06-01T00:00:00Z").await;
    shop.sweep().await;
    shop.sql(
        "shop.db",
        "INSERT INTO users VALUES (8, '1001', 'anna@example.org', 'Anna');
         INSERT INTO posts VALUES (10, 3, 'of Cem'); INSERT INTO comments VALUES (100, 2, 10, 'of Ben');",
    );
    shop.at("2034-12-31T23:59:59Z").await;
    assert_eq!(shop.rows(), [4, 2, 2, 1], "until the last second");

    shop.at(OVER).await;
    assert_eq!(shop.rows(), [3, 2, 2, 0], "the invoice and the stub it referred to");
    assert_eq!(shop.count("shop.db", "users WHERE id = 8 AND name = 'Anna'"), 1, "who came anew is not touched");
    let view = erasure::show(&shop.engine, &code).await.unwrap();
    assert_eq!((view.state, reason(&view)), (ErasureState::Complete, codes::erasure::KEPT_ENDED.to_string()));
    assert_eq!((view.systems[0].state, view.kept.len()), (SystemState::VerifiedEmpty, 0));
    assert!(view.finished_at.unwrap() < view.kept_erased_at.unwrap(), "the answer itself was in time");
    assert_eq!(shop.leaves().await, 4, "an intent and a result of its own");
    let key = engine::ledger::public_key(&shop.engine).await.unwrap();
    for receipt in [view.receipt.unwrap(), view.kept_receipt.unwrap()] {
        let receipt = Receipt::parse(&serde_json::to_vec(&receipt).unwrap()).unwrap();
        assert_eq!(receipt.verify(Some(&key)).unwrap(), Verification::Trusted);
    }
    let page = erasure::public_view(&shop.engine, &code).await.unwrap();
    assert!(page.reason.unwrap().contains("for a time") && page.kept_erased_at.is_some());

    // From then on the request is kept for three years more, and nothing of it longer.
    shop.at("2039-01-01T00:00:00Z").await;
    shop.sweep().await;
    assert!(erasure::show(&shop.engine, &code).await.unwrap_err().is(&codes::erasure::REQUEST_UNKNOWN));
}

async fn rows_go_one_by_one_each_when_its_own_time_is_over() {
    let shop = Shop::open().await;
    shop.sql("shop.db", "INSERT INTO invoices VALUES (501, 1, 'R-2', 5, '2020-01-01', 'Street 1');");
    let view = shop.ask("asid:1001").await;
    let kept = &view.kept[0];
    assert_eq!(
        [kept.first_until, kept.until].map(|until| until.unwrap().to_string()),
        ["2028-12-31T23:59:59Z", "2034-12-31T23:59:59Z"]
    );
    shop.at("2029-01-01T00:00:00Z").await;
    assert_eq!(shop.rows(), [3, 1, 1, 1]);
    let view = shop.drained(&view.id).await;
    assert_eq!((view.state, reason(&view).as_str()), (ErasureState::PartlyRefused, ""));
    assert_eq!(view.kept[0].first_until.unwrap().to_string(), "2034-12-31T23:59:59Z");
    let invoices = view.systems[0].tables.iter().find(|table| table.name == "invoices").unwrap();
    assert_eq!((invoices.found, invoices.erased, invoices.kept), (2, 1, 1));
    shop.at(OVER).await;
    assert_eq!(shop.drained(&view.id).await.state, ErasureState::Complete);
    assert_eq!(shop.rows(), [2, 1, 1, 0]);
}

async fn whoever_asks_again_in_another_way_hears_what_is_kept() {
    let shop = Shop::open().await;
    let first = shop.ask("asid:1001").await;
    // By another identity, which only the first request learned.
    let other = shop.ask("email:Anna@Example.org").await;
    assert_ne!(other.id, first.id);
    assert_eq!((other.state, &other.kept), (ErasureState::PartlyRefused, &first.kept));
    // Registered anew with the same address, and asking by what is new.
    shop.sql("shop.db", "INSERT INTO users VALUES (7, '7007', 'anna@example.org', 'Anna');");
    let anew = shop.ask("asid:7007").await;
    assert_eq!((anew.state, &anew.kept), (ErasureState::PartlyRefused, &first.kept), "{anew:?}");
    assert_eq!(shop.count("shop.db", "users WHERE id = 7"), 0);
    // Somebody else hears nothing of it.
    assert_eq!(shop.ask("asid:1003").await.state, ErasureState::Complete);

    shop.at(OVER).await;
    for id in [&first.id, &other.id, &anew.id] {
        let view = erasure::show(&shop.engine, id).await.unwrap();
        assert_eq!((view.state, view.kept.len()), (ErasureState::Complete, 0), "{view:?}");
    }
    assert_eq!(shop.ask("asid:1001").await.state, ErasureState::NoData);
}

async fn what_is_recalled_is_read_again() {
    let shop = Shop::open().await;
    shop.ask("asid:1001").await;
    shop.sql("shop.db", "DELETE FROM invoices WHERE id = 500; DELETE FROM users WHERE id = 1;");
    shop.wait(SignedDuration::from_hours(1));
    assert_eq!(shop.ask("asid:1001").await.state, ErasureState::NoData);

    let shop = Shop::open().await;
    shop.ask("asid:1001").await;
    shop.sql("shop.db", "ALTER TABLE invoices RENAME TO bills;");
    let view = shop.ask("email:anna@example.org").await;
    assert_eq!(view.state, ErasureState::Blocked, "{view:?}");
}

async fn what_cannot_go_although_its_ground_is_over_is_said_and_tried_again() {
    let shop = Shop::open().await;
    let view = shop.ask("asid:1001").await;
    shop.sql("shop.db", "ALTER TABLE comments RENAME TO remarks;");
    shop.at(OVER).await;
    let view = shop.drained(&view.id).await;
    assert_eq!((view.state, reason(&view)), (ErasureState::PartlyRefused, codes::erasure::KEPT_OVERDUE.to_string()));
    assert_eq!(shop.rows_of_invoices(), 1);
    shop.sql("shop.db", "ALTER TABLE remarks RENAME TO comments;");
    shop.at("2035-01-02T00:00:01Z").await;
    assert_eq!(shop.drained(&view.id).await.state, ErasureState::Complete);
    assert_eq!(shop.rows_of_invoices(), 0);
}

impl Shop {
    fn rows_of_invoices(&self) -> i64 {
        self.count("shop.db", "invoices")
    }
}
