//! The ledger holds, and whoever changes it is found: a row by its hash, the whole by an earlier checkpoint.

use engine::{Engine, Settings, ledger};
use model::codes;
use store::{Keys, Store, params};

async fn engine(folder: &std::path::Path) -> (Engine, Store) {
    let (ambient, _) = testkit::ambient::ambient();
    let store = Store::open_sqlite(folder, Keys::from_text(&"11".repeat(32)).unwrap(), ambient.clone()).await.unwrap();
    let settings = Settings { public_url: "http://localhost".to_owned(), data: folder.to_owned() };
    let net = net::Client::new(net::Policy::operator());
    (Engine::new(store.clone(), ambient, net, settings), store)
}

async fn append(store: &Store, leaves: std::ops::Range<u8>) {
    let append = store.write("test.append", move |tx| {
        Box::pin(async move {
            for leaf in leaves {
                store::ledger::append(tx, &[leaf]).await?;
            }
            Ok(())
        })
    });
    append.await.unwrap();
}

async fn tamper(store: &Store, statements: &'static [&'static str]) {
    let tamper = store.write("test.tamper", move |tx| {
        Box::pin(async move {
            for statement in statements {
                tx.exec(statement, params![]).await?;
            }
            Ok(())
        })
    });
    tamper.await.unwrap();
}

#[tokio::test]
async fn growth_agrees_with_every_earlier_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, store) = engine(folder.path()).await;
    for leaves in [0..3, 3..4, 4..9] {
        append(&store, leaves).await;
        ledger::checkpoint(&engine).await.unwrap();
    }
    let held = ledger::checkpoint(&engine).await.unwrap();
    // A note that a crash tore was never handed out.
    let mirror = folder.path().join("ledger-mirror/checkpoints.txt");
    let whole = std::fs::read_to_string(&mirror).unwrap();
    std::fs::write(&mirror, format!("{whole}\nmoveout/0011\n9\nq8")).unwrap();
    let audited = ledger::audit(&engine, vec![held]).await.unwrap();
    assert_eq!((audited.size, audited.checkpoints), (9, 5));
}

#[tokio::test]
async fn a_changed_row_and_a_rewritten_history_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, store) = engine(folder.path()).await;
    append(&store, 0..5).await;
    let held = ledger::checkpoint(&engine).await.unwrap();

    tamper(&store, &["UPDATE ledger_leaf SET leaf = x'ff' WHERE position = 2"]).await;
    assert!(ledger::audit(&engine, vec![]).await.unwrap_err().is(&codes::store::LEDGER_BROKEN));

    // Written anew with all its hashes, it fits together, but not with what was signed.
    tamper(&store, &["DELETE FROM ledger_leaf", "DELETE FROM ledger_node", "UPDATE ledger_head SET size = 0"]).await;
    append(&store, 1..7).await;
    assert!(ledger::audit(&engine, vec![]).await.unwrap_err().is(&codes::store::LEDGER_BROKEN));
    // Where the mirror was taken away too, the checkpoint that somebody kept still tells.
    std::fs::remove_dir_all(folder.path().join("ledger-mirror")).unwrap();
    assert!(ledger::audit(&engine, vec![]).await.is_ok());
    let problem = ledger::audit(&engine, vec![held]).await.unwrap_err();
    assert!(problem.is(&codes::store::LEDGER_BROKEN) && problem.detail.contains("first 5 leaves"), "{problem}");
}
