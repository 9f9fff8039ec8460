//! The inbox: an arrival is durable when appended, in one place at any time, and never blocks the others.

use crate::bed::{Bed, on_every_database, write};
use futures_util::future::join_all;
use model::{Problem, Result, codes};
use store::inbox::{self, Arrival};
use store::jobs::{self, Standing};
use store::{Store, settings};

on_every_database!(
    arrivals_are_taken_in_order_and_stay_if_promotion_fails,
    who_arrives_with_many_fails_alone,
    a_setting_is_set_and_set_again,
);

fn arrival(app: &str, code: &str) -> Arrival {
    let received_at = "2026-11-22T12:00:00Z".parse().unwrap();
    let (app, confirmation_code) = (app.to_owned(), code.to_owned());
    Arrival { app, door: "callback", confirmation_code, payload: b"sealed".to_vec(), received_at }
}

async fn append(store: &Store, code: &'static str) {
    store.arrive(arrival("shop", code)).await.unwrap();
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

async fn who_arrives_with_many_fails_alone(bed: Bed) {
    let store = bed.open().await;
    // PostgreSQL keeps no text with a zero in it.
    let app = |n: usize| if n == 40 && bed.postgres.is_some() { "shop\0" } else { "shop" };
    let arrivals = (0..100).map(|n| store.arrive(arrival(app(n), &format!("code {n:03}"))));
    let outcomes = join_all(arrivals).await;
    let failed: Vec<usize> = (0..100).filter(|n| outcomes[*n].is_err()).collect();
    assert_eq!(failed, if bed.postgres.is_some() { vec![40] } else { vec![] });

    let taken = write!(store, |tx| inbox::take(tx, 1000)).unwrap();
    let mut codes: Vec<_> = taken.into_iter().map(|entry| entry.confirmation_code).collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 100 - failed.len());
    let figures = store.figures()["inbox.append"];
    assert_eq!((figures.done, figures.failed), ((100 - failed.len()) as u64, failed.len() as u64));
}

async fn a_setting_is_set_and_set_again(bed: Bed) {
    let store = bed.open().await;
    for value in ["1", "2"] {
        write!(store, |tx| settings::set(tx, "demo", value)).unwrap();
        assert_eq!(write!(store, |tx| settings::get(tx, "demo")).unwrap().as_deref(), Some(value));
    }
    assert_eq!(write!(store, |tx| settings::get(tx, "other")).unwrap(), None);
}
