//! What was backed up is there after a restore, wherever it came from and wherever it goes.

use engine::{backup, erasure, jobs, ledger};
use jiff::SignedDuration;
use model::codes;
use model::erasure::ErasureState;

use crate::house::House;

/// Fills a store, moves it, and looks at everything on the other side.
async fn moves(from: House, mut to: House) {
    from.people(3).await;
    let done = from.erase(1).await;
    assert_eq!(done.state, ErasureState::Complete, "{done:?}");
    let waiting = from.ask(2).await;
    let (small, large) = (from.keep(b"small".to_vec()).await, from.keep(vec![7; 300_000]).await);
    let held = ledger::checkpoint(&from.engine).await.unwrap();
    let (path, taken) = from.back_up("backup.tar").await;
    assert_eq!((taken.size, taken.counts.blobs, taken.counts.blob_bytes), (2, 1, 300_000));

    let restored = to.restore(&path, false).await.unwrap();
    assert_eq!((&restored.counts, &restored.closed), (&taken.counts, &taken.origin));
    assert_ne!(restored.origin, taken.origin);
    assert_eq!(to.bytes(&small).await, b"small");
    assert_eq!(to.bytes(&large).await, vec![7; 300_000]);
    let shown = erasure::show(&to.engine, &done.id).await.unwrap();
    assert_eq!((shown.state, shown.receipt), (done.state, done.receipt));

    // Outgoing work is held until somebody has looked; requests are taken all the same.
    jobs::drain(&to.engine).await.unwrap();
    let problem = jobs::drain_one(&to.engine, erasure::JOB, &waiting.id).await.unwrap_err();
    assert!(problem.is(&codes::store::RESTORE_UNCONFIRMED), "{problem}");
    assert_eq!(from.people_left(), 2);
    assert!(backup::confirm(&to.engine).await.unwrap().is_some());
    assert!(backup::held(&to.engine).await.unwrap().is_none());
    // The database's clock goes on by itself, ours does not.
    to.clock.advance(SignedDuration::from_secs(10));
    // The address of the database of people is sealed in the store, and opens.
    jobs::drain(&to.engine).await.unwrap();
    assert_eq!(erasure::show(&to.engine, &waiting.id).await.unwrap().state, ErasureState::Complete);
    assert_eq!(from.people_left(), 1);

    // The new log goes on from the old one, and whoever holds a checkpoint of that is answered.
    ledger::checkpoint(&to.engine).await.unwrap();
    let audited = ledger::audit(&to.engine, vec![held]).await.unwrap();
    assert_eq!((audited.origin, audited.size), (Some(restored.origin), 3));
    assert_eq!((&audited.past[0].origin, audited.past[0].size), (&taken.origin, 2));
    assert_eq!((audited.checkpoints, audited.forgotten_checkpoints), (4, 0));
}

#[tokio::test]
async fn sqlite_to_sqlite() {
    moves(House::sqlite().await, House::sqlite().await).await;
}

#[tokio::test]
async fn sqlite_to_postgres() {
    moves(House::sqlite().await, House::postgres().await).await;
}

#[tokio::test]
async fn postgres_to_sqlite() {
    moves(House::postgres().await, House::sqlite().await).await;
}

#[tokio::test]
async fn postgres_to_postgres() {
    moves(House::postgres().await, House::postgres().await).await;
}

#[tokio::test]
async fn a_table_of_many_pages_and_chunks_comes_back_whole() {
    let (from, mut to) = (House::sqlite().await, House::sqlite().await);
    from.store
        .write("test.fill", |tx| {
            Box::pin(async move {
                for leaf in 0..5000_u32 {
                    store::ledger::append(tx, &[leaf.to_be_bytes().as_slice(), &[0; 400]].concat()).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    let (path, taken) = from.back_up("backup.tar").await;
    assert_eq!(taken.counts.tables["ledger_leaf"], 5000);
    assert_eq!(to.restore(&path, false).await.unwrap().size, 5000);
}
