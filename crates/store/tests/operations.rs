//! What every operation can rely on: it is durable when it returns, and fails alone.

use model::{Problem, codes};
use store::{Keys, Store, params};

async fn open(folder: &std::path::Path) -> Store {
    let (ambient, _) = testkit::ambient::ambient();
    Store::open_sqlite(folder, Keys::generate(&ambient), ambient).await.unwrap()
}

async fn set(store: &Store, name: String, fail: bool) -> model::Result<()> {
    store
        .write("test.set", move |tx| {
            Box::pin(async move {
                tx.exec("INSERT INTO setting (value, name) VALUES ($2, $1)", params![name, "on"]).await?;
                if fail { Err(Problem::new(&codes::store::BUSY, "on purpose")) } else { Ok(()) }
            })
        })
        .await
}

#[tokio::test]
async fn operations_that_wait_together_commit_together_and_fail_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let outcomes = futures_util::future::join_all((0..100).map(|n| set(&store, format!("n{n}"), n % 10 == 3))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 10);
    drop(store);

    let store = open(folder.path()).await;
    let names = store
        .read("test.names", |tx| {
            Box::pin(async move { tx.query("SELECT name FROM setting WHERE value = $1", params!["on"]).await })
        })
        .await
        .unwrap();
    assert_eq!(names.len(), 90);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let written =
        store.read("test.write", |tx| Box::pin(async move { tx.exec("DELETE FROM setting", params![]).await })).await;
    assert!(written.is_err());
}
