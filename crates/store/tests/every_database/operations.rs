//! What every operation can rely on: it is durable when it returns, fails alone, and sees no half of another.

use futures_util::future::join_all;
use model::{Problem, codes};
use store::{Keys, Store, params, settings};

use crate::bed::{Bed, on_every_database, write};

on_every_database!(
    operations_commit_together_and_fail_alone,
    a_reader_cannot_write,
    nothing_is_lost_when_many_change_the_same_row,
    the_wrong_key_is_refused,
);

async fn add(store: &Store, name: String, fail: bool) -> model::Result<()> {
    store
        .write("test.add", move |tx| {
            Box::pin(async move {
                tx.exec("INSERT INTO setting (value, name) VALUES ($2, $1)", params![name, "on"]).await?;
                if fail { Err(Problem::new(&codes::store::BUSY, "on purpose")) } else { Ok(()) }
            })
        })
        .await
}

async fn operations_commit_together_and_fail_alone(bed: Bed) {
    let store = bed.open().await;
    let outcomes = join_all((0..100).map(|n| add(&store, format!("n{n}"), n % 10 == 3))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 10);
    assert!(add(&store, "n0".to_owned(), false).await.is_err(), "a key that is taken stays an error");
    drop(store);

    let store = bed.open().await;
    let sql =
        "SELECT COUNT(*) AS n, SUM(CASE WHEN value = 'on' THEN 1 ELSE 0 END) AS total FROM setting WHERE value = $1";
    let row = write!(store, |tx| tx.query_one(sql, params!["on"])).unwrap();
    assert_eq!((row.get::<u64>("n").unwrap(), row.get::<u64>("total").unwrap()), (90, 90));
}

async fn a_reader_cannot_write(bed: Bed) {
    let store = bed.open().await;
    let written =
        store.read("test.write", |tx| Box::pin(async move { tx.exec("DELETE FROM setting", params![]).await })).await;
    assert!(written.is_err());
}

async fn nothing_is_lost_when_many_change_the_same_row(bed: Bed) {
    let store = bed.open().await;
    let count = || async {
        store
            .write("test.count", |tx| {
                Box::pin(async move {
                    let counted = settings::get(tx, "count").await?.map_or(0, |text| text.parse::<u32>().unwrap());
                    settings::set(tx, "count", &(counted + 1).to_string()).await
                })
            })
            .await
    };
    for outcome in join_all((0..12).map(|_| count())).await {
        outcome.unwrap();
    }
    assert_eq!(write!(store, |tx| settings::get(tx, "count")).unwrap().as_deref(), Some("12"));
}

async fn the_wrong_key_is_refused(bed: Bed) {
    let digest = bed.open().await.vault().digest("person", b"asid:1");
    let refused = bed.try_open(&Keys::generate(&bed.ambient)).await.err().unwrap();
    assert!(refused.is(&codes::store::KEY_WRONG));
    assert_eq!(bed.open().await.vault().digest("person", b"asid:1"), digest);
}
