//! A backup of the shop's database is restored: who was erased since it was taken is erased again, as long as it is known who.

use crate::shop::Shop;
use engine::erasure::replay::{self, Restored};
use engine::{erasure, jobs, ledger};
use jiff::{SignedDuration, Timestamp};
use model::erasure::{ErasureState, RequestView};
use store::params;
use wire::receipt::{Receipt, Verification};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn restored(since: Timestamp) -> Restored {
    Restored { since, app: None, systems: Vec::new(), again: false }
}

impl Shop {
    /// Copies the shop's database.
    fn back_up(&self) -> Timestamp {
        let file = |name: &str| self.folder.path().join(name);
        std::fs::copy(file("shop.db"), file("backup.db")).unwrap();
        self.engine.ambient().now()
    }

    /// Puts the copy back.
    fn restore(&self) {
        let file = |name: &str| self.folder.path().join(name);
        std::fs::copy(file("backup.db"), file("shop.db")).unwrap();
    }

    /// Replays and does all the work that is due; returns the requests that were made or found.
    async fn replay(&self, restored: &Restored) -> Vec<RequestView> {
        let due = replay::replay(&self.engine, restored).await.unwrap();
        assert_eq!((&due.lost[..], &due.forgotten[..]), (&[][..], &[][..]));
        jobs::drain(&self.engine).await.unwrap();
        let mut views = Vec::new();
        for repeat in due.requests {
            views.push(erasure::show(&self.engine, &repeat.request.unwrap()).await.unwrap());
        }
        views
    }
}

#[tokio::test]
async fn who_came_back_with_a_backup_is_erased_again_and_nobody_else() {
    let shop = Shop::open().await;
    let before = shop.callback("1003").await;
    shop.wait(DAY);
    let since = shop.back_up();
    shop.wait(DAY);
    let (anna, ben) = (shop.callback("1001").await.confirmation_code, shop.callback("1002").await.confirmation_code);
    let (anna, ben) =
        (erasure::show(&shop.engine, &anna).await.unwrap(), erasure::show(&shop.engine, &ben).await.unwrap());
    assert_eq!((anna.state, ben.state), (ErasureState::PartlyRefused, ErasureState::Complete));
    let after = shop.rows();
    shop.wait(DAY);
    shop.restore();
    assert_ne!(shop.rows(), after);

    let looked = replay::look(&shop.engine, &restored(since)).await.unwrap();
    let firsts: Vec<_> = looked.requests.iter().map(|repeat| (repeat.first.clone(), repeat.found > Some(0))).collect();
    assert_eq!(firsts, [(anna.id.clone(), true), (ben.id.clone(), true)], "and not Cem, who was erased before");
    assert!(looked.requests.iter().all(|repeat| repeat.request.is_none()), "nothing was made");

    let again = shop.replay(&restored(since)).await;
    assert_eq!(again.iter().map(|view| view.state).collect::<Vec<_>>(), [anna.state, ben.state]);
    assert_eq!(shop.rows(), after);
    assert_eq!(shop.count("shop.db", "invoices WHERE number = 'R-1' AND address IS NULL"), 1, "kept as before");
    assert_eq!(again[0].kept, anna.kept);
    assert_eq!((again[0].door.as_str(), again[0].replays.as_deref()), (replay::DOOR, Some(&anna.id[..])));

    // Each says in its leaves what it repeats; the first ones stay as they were.
    let receipt = Receipt::parse(&serde_json::to_vec(again[1].receipt.as_ref().unwrap()).unwrap()).unwrap();
    assert_eq!(receipt.leaf.0["replays"], ben.id);
    let first = erasure::show(&shop.engine, &ben.id).await.unwrap();
    assert_eq!((first.finished_at, first.receipt), (ben.finished_at, ben.receipt));
    let cem = erasure::show(&shop.engine, &before.confirmation_code).await.unwrap();
    assert!(cem.replays.is_none());

    // Asked once more, nothing is made; restored once more, it is said so.
    let ids = |views: &[RequestView]| views.iter().map(|view| view.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&shop.replay(&restored(since)).await), ids(&again));
    shop.wait(DAY);
    shop.restore();
    let third = shop.replay(&Restored { again: true, ..restored(since) }).await;
    assert!(third.iter().all(|view| !ids(&again).contains(&view.id)), "{:?}", ids(&third));
    assert_eq!(third[1].replays.as_deref(), Some(&ben.id[..]));
    assert_eq!(shop.rows(), after);
    ledger::audit(&shop.engine, vec![]).await.unwrap();
}

#[tokio::test]
async fn only_the_restored_system_is_searched() {
    const MAILS: &str = r#"{"name": "mails", "adapter": "sqlite", "url": "sqlite:{folder}/mails.db",
        "table": [{"name": "mails", "identity": {"address": "email"}}]}"#;
    let shop = Shop::open().await;
    shop.sql(
        "mails.db",
        "CREATE TABLE mails (id INTEGER PRIMARY KEY, address TEXT); INSERT INTO mails VALUES (1, 'ben@example.org');",
    );
    shop.declare(&shop.declaration(&[MAILS]), |_| {}).await;
    let since = shop.back_up();
    shop.wait(DAY);
    shop.callback("1002").await;
    // Ben comes back of his own will, where nothing is restored.
    shop.sql("mails.db", "INSERT INTO mails VALUES (2, 'ben@example.org')");
    shop.wait(DAY);
    shop.restore();
    let only = Restored { systems: vec!["main-db".to_owned()], ..restored(since) };
    let again = shop.replay(&only).await;
    assert_eq!(again[0].state, ErasureState::Complete, "{again:?}");
    assert_eq!(again[0].systems.iter().map(|system| system.name.as_str()).collect::<Vec<_>>(), ["main-db"]);
    assert_eq!((shop.count("shop.db", "users WHERE facebook_id = '1002'"), shop.count("mails.db", "mails")), (0, 1));
    let unknown = Restored { systems: vec!["attic".to_owned()], ..restored(since) };
    assert!(replay::replay(&shop.engine, &unknown).await.is_err());
}

#[tokio::test]
async fn after_the_replay_window_nobody_knows_whom_and_the_receipt_still_holds() {
    let shop = Shop::open().await;
    let since = shop.back_up();
    shop.wait(DAY);
    let code = shop.callback("1002").await.confirmation_code;
    let view = erasure::show(&shop.engine, &code).await.unwrap();

    shop.wait(DAY * 89);
    shop.sweep().await;
    assert_eq!(replay::look(&shop.engine, &restored(since)).await.unwrap().requests.len(), 1);
    shop.wait(DAY * 2);
    shop.sweep().await;

    let due = replay::look(&shop.engine, &restored(since)).await.unwrap();
    assert!(due.requests.is_empty(), "{due:?}");
    assert_eq!(due.lost[0].first, view.id);
    let sealed = "SELECT (SELECT COUNT(*) FROM erasure WHERE identities IS NOT NULL OR salt IS NOT NULL)
        + (SELECT COUNT(*) FROM erasure_system WHERE frozen IS NOT NULL) + (SELECT COUNT(*) FROM erasure_person) AS n";
    let left = shop.store.read("test.left", move |tx| Box::pin(async move { tx.query_one(sealed, params![]).await }));
    assert_eq!(left.await.unwrap().get::<u64>("n").unwrap(), 0, "identities, salts, keys and digests are gone");

    let shown = erasure::show(&shop.engine, &code).await.unwrap();
    let receipt = Receipt::parse(&serde_json::to_vec(&shown.receipt.unwrap()).unwrap()).unwrap();
    let key = ledger::public_key(&shop.engine).await.unwrap();
    assert_eq!(receipt.verify(Some(&key)).unwrap(), Verification::Trusted);
    ledger::audit(&shop.engine, vec![]).await.unwrap();
}
