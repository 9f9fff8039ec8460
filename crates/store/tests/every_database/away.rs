//! PostgreSQL crashes and comes back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use model::codes;
use store::postgres::Settings;
use store::{Store, params, settings};
use testkit::postgres::Cluster;

use crate::bed::{Bed, write};

const WRITERS: usize = 16;
const CRASHES: usize = 3;

/// Writes a row under a fresh name, so that one that is written twice is there twice.
async fn add(store: &Store, entry: String) -> model::Result<()> {
    store
        .write("test.add", move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO setting (name, value) VALUES ($1, $2)";
                tx.exec(sql, params![tx.ambient.id(), entry]).await.map(drop)
            })
        })
        .await
}

async fn entries(store: &Store) -> Vec<String> {
    let sql = "SELECT value FROM setting WHERE value LIKE 'entry %'";
    let rows = store.read("test.entries", |tx| Box::pin(tx.query(sql, &[]))).await.unwrap();
    rows.iter().map(|row| row.get("value").unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_see_retries_and_nothing_is_lost_or_doubled() {
    let cluster = Arc::new(Cluster::start().unwrap());
    let bed = Bed::postgres_in(&cluster).await;
    let store = bed.open().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (written, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, stop, written) = (store.clone(), stop.clone(), written.clone());
            tokio::spawn(async move {
                for count in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let entry = format!("entry {writer}-{count}");
                    add(&store, entry.clone()).await.unwrap();
                    written.send(entry).unwrap();
                }
            })
        })
        .collect();
    drop(written);
    let mut acknowledged = BTreeSet::new();
    for _ in 0..CRASHES {
        for _ in 0..10 * WRITERS {
            acknowledged.insert(seen.recv().await.unwrap());
        }
        let cluster = cluster.clone();
        let again = move || cluster.crash().and_then(|()| cluster.restart());
        tokio::task::spawn_blocking(again).await.unwrap().unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for ended in join_all(writers).await {
        ended.unwrap();
    }
    while let Some(entry) = seen.recv().await {
        acknowledged.insert(entry);
    }
    let kept = entries(&store).await;
    assert_eq!(kept.len(), acknowledged.len(), "a write is there twice");
    assert_eq!(kept.into_iter().collect::<BTreeSet<_>>(), acknowledged);
    assert!(store.figures()["test.add"].retries > 0 && store.figures()["test.add"].failed == 0);
}

#[tokio::test]
async fn without_a_database_there_is_a_code_and_with_it_again_work_goes_on() {
    let cluster = Cluster::start().unwrap();
    let mut bed = Bed::postgres_in(&cluster).await;
    bed.postgres.as_mut().unwrap().patience = Duration::from_millis(50);
    let store = bed.open().await;
    write!(store, |tx| settings::set(tx, "before", "1")).unwrap();

    cluster.crash().unwrap();
    let refused = write!(store, |tx| settings::set(tx, "meanwhile", "1")).unwrap_err();
    assert!(refused.is(&codes::store::UNAVAILABLE), "{refused}");
    let refused = store.read("test", |tx| Box::pin(settings::get(tx, "before"))).await.unwrap_err();
    assert!(refused.is(&codes::store::UNAVAILABLE), "{refused}");

    cluster.restart().unwrap();
    write!(store, |tx| settings::set(tx, "after", "1")).unwrap();
    for (name, value) in [("before", Some("1")), ("meanwhile", None), ("after", Some("1"))] {
        assert_eq!(write!(store, |tx| settings::get(tx, name)).unwrap().as_deref(), value);
    }

    // What is wrong in the address is told at once, without what is secret in it.
    let url = bed.postgres.as_ref().unwrap().url.replace("/test_", "/nothing_");
    let wrong = Settings::new(url.replace("postgres@", "postgres:secret@"));
    let refused = Store::open_postgres(&wrong, bed.folder.path(), bed.keys.clone(), bed.ambient.clone()).await;
    let refused = refused.err().unwrap();
    assert!(refused.is(&codes::store::UNAVAILABLE) && refused.detail.contains("3D000"), "{refused}");
    assert!(!format!("{refused:?}").contains("secret"));
}
