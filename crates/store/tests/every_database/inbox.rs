//! The inbox: an arrival is durable when appended, in one place at any time, and never blocks the others.

use crate::bed::{Bed, on_every_database, write};
use model::{Problem, Result, codes};
use store::jobs::{self, Standing};
use store::{Store, inbox, settings};

on_every_database!(arrivals_are_taken_in_order_and_stay_if_promotion_fails, a_setting_is_set_and_set_again);

async fn append(store: &Store, code: &'static str) {
    write!(store, |tx| inbox::append(tx, "shop", "callback", code, b"sealed", tx.ambient.now())).unwrap();
}

async fn take(store: &Store) -> Vec<String> {
    let taken = write!(store, |tx| inbox::take(tx, 2)).unwrap();
    taken.into_iter().map(|entry| entry.confirmation_code).collect()
}

async fn arrivals_are_taken_in_order_and_stay_if_promotion_fails(bed: Bed) {
    let store = bed.open().await;
    for code in ["a", "b", "c"] {
        append(&store, code).await;
    }
    drop(store);
    let store = bed.open().await;
    assert_eq!(write!(store, |tx| jobs::standing(tx, inbox::JOB, "all")).unwrap(), Standing::Open);

    let failed: Result<()> = store
        .write("test.promote", |tx| {
            Box::pin(async move {
                inbox::take(tx, 2).await?;
                Err(Problem::new(&codes::store::BUSY, "on purpose"))
            })
        })
        .await;
    assert!(failed.is_err());
    let waiting = write!(store, |tx| inbox::by_code(tx, "a")).unwrap().unwrap();
    assert_eq!((waiting.app.as_str(), waiting.payload.as_slice()), ("shop", b"sealed".as_slice()));
    assert!(!format!("{waiting:?}").contains("\"a\""));

    assert_eq!(take(&store).await, ["a", "b"]);
    assert!(write!(store, |tx| inbox::by_code(tx, "a")).unwrap().is_none());
    let reason = Problem::new(&codes::store::SEALED_VALUE_BROKEN, "on purpose").reason();
    write!(store, |tx| inbox::set_aside(tx, &waiting, &reason)).unwrap();
    assert_eq!(take(&store).await, ["c"], "what was set aside stays without being taken");
    assert!(write!(store, |tx| inbox::by_code(tx, "a")).unwrap().is_some());
}

async fn a_setting_is_set_and_set_again(bed: Bed) {
    let store = bed.open().await;
    for value in ["1", "2"] {
        write!(store, |tx| settings::set(tx, "demo", value)).unwrap();
        assert_eq!(write!(store, |tx| settings::get(tx, "demo")).unwrap().as_deref(), Some(value));
    }
    assert_eq!(write!(store, |tx| settings::get(tx, "other")).unwrap(), None);
}
