//! We can be erased from, too: every table has a line, and what is over goes.

use jiff::SignedDuration;
use store::retention::{LINES, sweep};
use store::{Store, params};

use crate::bed::{Bed, on_every_database};

on_every_database!(every_table_has_a_line, what_is_over_goes_and_the_rest_stays);

async fn every_table_has_a_line(bed: Bed) {
    let store = bed.open().await;
    let tables = bed.tables(&store).await;
    let without: Vec<_> = tables.iter().filter(|table| LINES.iter().all(|line| line.table != **table)).collect();
    assert!(without.is_empty(), "store/src/retention.rs says nothing about {without:?}");
    let gone: Vec<_> = LINES.iter().filter(|line| tables.iter().all(|table| line.table != *table)).collect();
    assert!(gone.is_empty(), "there are lines for tables that are not there: {gone:?}");
}

async fn sweep_all(store: &Store, older_than: jiff::Timestamp) -> u64 {
    let mut total = 0;
    for sweep_of_line in LINES.iter().filter_map(|line| line.sweep.as_ref()) {
        loop {
            let touched = store
                .write("test.sweep", move |tx| Box::pin(async move { sweep(tx, sweep_of_line, older_than).await }))
                .await
                .unwrap();
            if touched == 0 {
                break;
            }
            total += touched;
        }
    }
    total
}

async fn what_is_over_goes_and_the_rest_stays(bed: Bed) {
    let store = bed.open().await;
    let now = bed.ambient.now();
    let old = now - SignedDuration::from_hours(24);
    store
        .write("test.fill", move |tx| {
            Box::pin(async move {
                for (id, finished) in [("old", Some(old)), ("new", Some(now)), ("open", None)] {
                    tx.exec(
                        "INSERT INTO transfer (id, state, shown_from, shown_to, ends, types, run, created_at, finished_at)
                         VALUES ($1, 'done', 'a', 'b', $2, '[]', 1, $3, $4)",
                        params![id, b"sealed".as_slice(), old, finished],
                    )
                    .await?;
                    for place in 0..3 {
                        tx.exec(
                            "INSERT INTO transfer_item (transfer, page, place, data_type, source_id, state)
                             VALUES ($1, 0, $2, 'photos', 'p', 'confirmed')",
                            params![id, place],
                        )
                        .await?;
                    }
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    assert_eq!(sweep_all(&store, old).await, 0, "nothing is older");
    assert_eq!(sweep_all(&store, now).await, 4, "one transfer and its three items");
    let left = store
        .read("test.left", |tx| {
            Box::pin(async move { tx.query("SELECT DISTINCT transfer FROM transfer_item ORDER BY 1", params![]).await })
        })
        .await
        .unwrap();
    let left: Vec<String> = left.iter().map(|row| row.get("transfer").unwrap()).collect();
    assert_eq!(left, ["new", "open"]);
}
