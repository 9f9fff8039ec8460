//! The disk is full, and then it is not.

use model::codes;
use store::{Store, params, settings};
use testkit::postgres::Cluster;

use crate::bed::{Bed, write};

/// Writes until there is no space, looks that nothing else is harmed, makes space, and looks that work goes on.
async fn fill(store: Store, give_space: impl AsyncFnOnce(&Store)) {
    let text = "x".repeat(1900);
    let add = async |count: u32| {
        let (name, value) = (format!("filler {count}"), text.clone());
        write!(store, |tx| settings::set(tx, &name, &value))
    };
    let mut kept = 0;
    let refused = loop {
        match add(kept).await {
            Ok(()) => kept += 1,
            Err(problem) => break problem,
        }
        assert!(kept < 10_000, "the disk is never full");
    };
    assert!(refused.is(&codes::store::FULL), "{refused}");
    let count = "SELECT COUNT(*) AS n FROM setting WHERE name LIKE 'filler %'";
    let counted = async || {
        let row = store.read("test.count", |tx| Box::pin(tx.query_one(count, &[]))).await.unwrap();
        row.get::<u32>("n").unwrap()
    };
    assert_eq!(counted().await, kept);

    // Those who write together all hear of it.
    let together = futures_util::future::join_all((0..8).map(|n| add(kept + n))).await;
    for outcome in together.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(outcome.is(&codes::store::FULL), "{outcome}");
    }
    let kept = kept + together.iter().filter(|outcome| outcome.is_ok()).count() as u32;

    give_space(&store).await;
    for n in 0..20 {
        add(100_000 + n).await.unwrap();
    }
    assert_eq!(counted().await, kept + 20);
}

async fn limit_pages(store: &Store, pages: u32) {
    let sql = format!("PRAGMA max_page_count = {pages}");
    store.write("test.limit", move |tx| Box::pin(async move { tx.query(&sql, params![]).await })).await.unwrap();
}

#[tokio::test]
async fn sqlite_says_so_and_goes_on_when_there_is_space() {
    let bed = Bed::sqlite();
    let store = bed.open().await;
    limit_pages(&store, 200).await;
    fill(store, async |store| limit_pages(store, 1_000_000).await).await;
}

#[tokio::test]
async fn postgres_says_so_and_goes_on_when_there_is_space() {
    let cluster = Cluster::start().unwrap();
    let bed = Bed::postgres_in(&cluster).await;
    let store = bed.open().await;
    // Half a page more than three mebibytes: the server sees a page that was written in half, as on a disk that is full.
    cluster.limit_files(Some((3 << 20) + 4096)).unwrap();
    fill(store, async |_| cluster.limit_files(None).unwrap()).await;
}
