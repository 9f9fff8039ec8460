//! Blobs: whole or not there at all, once per account, and nothing left behind.

use std::path::Path;
use std::time::SystemTime;

use futures_util::TryStreamExt;
use jiff::SignedDuration;
use store::blobs::{self, IN_ROW, Received};
use store::{Keys, Store};

const LARGE: usize = IN_ROW * 3 + 1;

async fn receive(store: &Store, fill: u8, size: usize) -> Received {
    let mut receiving = store.blobs().receive();
    for chunk in vec![fill; size].chunks(10_000) {
        receiving.write(chunk).await.unwrap();
    }
    receiving.finish().await.unwrap()
}

async fn keep(store: &Store, account: &'static str, received: Received) -> String {
    let keep = store.write("test.keep", move |tx| Box::pin(async move { blobs::keep(tx, account, &received).await }));
    keep.await.unwrap()
}

async fn release(store: &Store, id: String) {
    store.write("test.release", move |tx| Box::pin(async move { blobs::release(tx, &id).await })).await.unwrap();
}

async fn read(store: &Store, id: &str) -> Option<Vec<u8>> {
    let id = id.to_owned();
    let found =
        store.read("test.find", move |tx| Box::pin(async move { blobs::find(tx, &id).await })).await.unwrap()?;
    let chunks: Vec<_> = store.blobs().open(found).await.unwrap().try_collect().await.unwrap();
    Some(chunks.concat())
}

/// Returns the files in the folder of blobs, as if they had been written a while ago.
fn files(folder: &Path, now: SystemTime) -> usize {
    let Ok(folders) = std::fs::read_dir(folder.join("blobs")) else { return 0 };
    let files: Vec<_> = folders
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    for file in &files {
        std::fs::File::options().write(true).open(file).unwrap().set_modified(now).unwrap();
    }
    files.len()
}

#[tokio::test]
async fn a_body_is_an_accounts_own_once_until_its_last_use_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (ambient, clock) = testkit::ambient::ambient();
    let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();

    for size in [0, IN_ROW, LARGE] {
        let first = receive(&store, 7, size).await;
        assert_eq!(first.blake3, blake3::hash(&vec![7; size]).to_hex().to_string());
        let first = keep(&store, "ada", first).await;
        let again = receive(&store, 7, size).await;
        let own = again.id.clone();
        assert_eq!(keep(&store, "ada", again.clone()).await, first);
        assert_ne!(keep(&store, "bob", receive(&store, 7, size).await).await, first);
        store.blobs().discard(again).await;

        assert_eq!(read(&store, &first).await.unwrap(), vec![7; size]);
        assert!(read(&store, &own).await.is_none());
        release(&store, first.clone()).await;
        assert!(read(&store, &first).await.is_some());
        release(&store, first.clone()).await;
        assert!(read(&store, &first).await.is_none());
    }

    // Of the files, bob's is named by a row; ada's is not, and goes when it is a day old.
    assert_eq!(files(folder.path(), ambient.now().into()), 2);
    assert_eq!(store.blobs().sweep(&store).await.unwrap(), 0);
    clock.advance(SignedDuration::from_hours(25));
    assert_eq!(store.blobs().sweep(&store).await.unwrap(), 1);
    assert_eq!(files(folder.path(), ambient.now().into()), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (ambient, _) = testkit::ambient::ambient();
    let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();
    let mut receiving = store.blobs().receive();
    receiving.write(&vec![1; LARGE]).await.unwrap();
    assert_eq!(files(folder.path(), ambient.now().into()), 1);
    drop(receiving);
    assert_eq!(files(folder.path(), ambient.now().into()), 0);
}
