//! The ledger holds, and whoever changes it is found: a row by its hash, the whole by an earlier checkpoint.

use engine::{Engine, Settings, ledger};
use model::codes;
use store::{Keys, Store, params};
use wire::consistency::{Consistency, notes_in};
use wire::receipt::Verification;

async fn engine(folder: &std::path::Path, postgres: Option<&str>) -> (Engine, Store) {
    let (ambient, _) = testkit::ambient::ambient();
    let keys = Keys::from_text(&"11".repeat(32)).unwrap();
    let store = match postgres {
        Some(url) => {
            let settings = store::postgres::Settings::new(url);
            Store::migrate_postgres(&settings, &ambient).await.unwrap();
            Store::open_postgres(&settings, folder, keys, ambient.clone()).await.unwrap()
        }
        None => Store::open_sqlite(folder, keys, ambient.clone()).await.unwrap(),
    };
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

async fn tamper(store: &Store, statements: Vec<String>) {
    let tamper = store.write("test.tamper", move |tx| {
        Box::pin(async move {
            for statement in &statements {
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
    let (engine, store) = engine(folder.path(), None).await;
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
async fn a_changed_row_and_a_rewritten_history_are_found_in_sqlite() {
    changes_are_found(None, "x'ff'").await;
}

#[tokio::test]
async fn a_changed_row_and_a_rewritten_history_are_found_in_postgres() {
    let url = testkit::postgres::cluster().database().await.unwrap();
    changes_are_found(Some(&url), "'\\xff'").await;
}

/// Changes the ledger by hand, where `byte` is how the database writes one, first clumsily and then with all its hashes.
async fn changes_are_found(postgres: Option<&str>, byte: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (engine, store) = engine(folder.path(), postgres).await;
    append(&store, 0..5).await;
    let held = ledger::checkpoint(&engine).await.unwrap();

    tamper(&store, vec![format!("UPDATE ledger_leaf SET leaf = {byte} WHERE position = 2")]).await;
    assert!(ledger::audit(&engine, vec![]).await.unwrap_err().is(&codes::store::LEDGER_BROKEN));

    // Written anew with all its hashes, it fits together, but not with what was signed.
    let anew = ["DELETE FROM ledger_leaf", "DELETE FROM ledger_node", "UPDATE ledger_head SET size = 0"];
    tamper(&store, anew.map(str::to_owned).to_vec()).await;
    append(&store, 1..7).await;
    assert!(ledger::audit(&engine, vec![]).await.unwrap_err().is(&codes::store::LEDGER_BROKEN));
    // Where the mirror was taken away too, the checkpoint that somebody kept still tells.
    std::fs::remove_dir_all(folder.path().join("ledger-mirror")).unwrap();
    assert!(ledger::audit(&engine, vec![]).await.is_ok());
    let problem = ledger::audit(&engine, vec![held.clone()]).await.unwrap_err();
    assert!(problem.is(&codes::store::LEDGER_BROKEN) && problem.detail.contains("first 5 leaves"), "{problem}");
    let problem = ledger::checkpoint_since(&engine, held).await.unwrap_err();
    assert!(problem.is(&codes::store::LEDGER_BROKEN), "{problem}");
}

#[tokio::test]
async fn whoever_holds_a_checkpoint_can_check_offline_that_nothing_before_it_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, store) = engine(folder.path(), None).await;
    let empty = ledger::checkpoint(&engine).await.unwrap();
    append(&store, 0..5).await;
    let held = ledger::checkpoint(&engine).await.unwrap();
    append(&store, 5..9).await;
    let key = ledger::public_key(&engine).await.unwrap();
    for (since, size) in [(empty, 0), (held.clone(), 5)] {
        let statement = ledger::checkpoint_since(&engine, since).await.unwrap();
        let text = serde_json::to_string(&statement).unwrap();
        let read = Consistency::parse(text.as_bytes()).unwrap();
        let (verdict, old, new) = read.verify(Some(&key)).unwrap();
        assert_eq!((verdict, old.size, new.size), (Verification::Trusted, size, 9));
        assert_eq!(read.verify(None).unwrap().0, Verification::SelfConsistent);
        assert_eq!(notes_in(&text).unwrap(), [statement.old, statement.new]);
    }
    // With the proof for one later checkpoint, another one does not pass.
    let mut forged = ledger::checkpoint_since(&engine, held).await.unwrap();
    append(&store, 9..10).await;
    forged.new = ledger::checkpoint(&engine).await.unwrap();
    let problem = forged.verify(Some(&key)).unwrap_err();
    assert!(problem.is(&codes::erasure::RECEIPT_INVALID), "{problem}");
}
