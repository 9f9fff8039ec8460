//! What a restore refuses, and what it tells of what it forgets.

use engine::backup;
use engine::ledger;
use model::codes;
use store::Keys;

use crate::house::House;

#[tokio::test]
async fn what_is_newer_is_given_up_only_when_forced_and_the_mirror_tells_what_it_was() {
    let mut house = House::sqlite().await;
    house.people(4).await;
    house.erase(1).await;
    let (path, taken) = house.back_up("backup.tar").await;
    let (second, third) = (house.erase(2).await, house.erase(3).await);
    let held = ledger::checkpoint(&house.engine).await.unwrap();

    let problem = house.restore(&path, false).await.unwrap_err();
    assert!(problem.is(&codes::store::STORE_NEWER), "{problem}");
    assert_eq!(ledger::audit(&house.engine, vec![]).await.unwrap().size, 6, "nothing was changed");

    let restored = house.restore(&path, true).await.unwrap();
    let forgotten: Vec<_> = restored.held.forgotten.iter().map(|intent| intent.request.clone()).collect();
    assert_eq!(forgotten, [second.id, third.id]);
    assert_eq!((restored.held.forgotten_requests, restored.held.forgotten_leaves), (2, 4));
    assert_eq!(backup::held(&house.engine).await.unwrap(), Some(restored.held));

    // A checkpoint of what was forgotten is no forgery, and the ledger says which it was.
    let audited = ledger::audit(&house.engine, vec![held.clone()]).await.unwrap();
    assert!(audited.forgotten_checkpoints >= 2, "{audited:?}");
    let forgotten = ledger::forgotten(&house.engine).await.unwrap();
    assert_eq!((forgotten.requests.len(), forgotten.unexplained()), (2, 0));

    // Restored once more, the log between is lost, and said to be.
    ledger::checkpoint(&house.engine).await.unwrap();
    house.restore(&path, true).await.unwrap();
    let audited = ledger::audit(&house.engine, vec![held]).await.unwrap();
    assert_eq!((audited.past.len(), &audited.past[0].origin), (1, &taken.origin));

    // And a restored store can be backed up and restored in turn.
    backup::confirm(&house.engine).await.unwrap();
    house.erase(4).await;
    let (path, taken) = house.back_up("another.tar").await;
    house.restore(&path, true).await.unwrap();
    let audited = ledger::audit(&house.engine, vec![]).await.unwrap();
    assert_eq!((audited.past.len(), &audited.past[1].origin), (2, &taken.origin));
}

#[tokio::test]
async fn a_store_that_was_put_back_by_other_means_is_found_by_its_mirror() {
    let mut house = House::sqlite().await;
    house.people(2).await;
    house.erase(1).await;
    let database = house.folder.path().join("data/moveout.db");
    let copy = house.folder.path().join("copy.db");
    let copied = rusqlite::Connection::open(&database).unwrap();
    copied.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    drop(copied);
    let second = house.erase(2).await;
    std::fs::rename(copy, database).unwrap();
    for left in ["moveout.db-wal", "moveout.db-shm"] {
        let _ = std::fs::remove_file(house.folder.path().join("data").join(left));
    }
    house.reopen().await;
    let problem = ledger::audit(&house.engine, vec![]).await.unwrap_err();
    assert!(problem.is(&codes::store::LEDGER_BROKEN) && problem.detail.contains("forgot"), "{problem}");
    let forgotten = ledger::forgotten(&house.engine).await.unwrap();
    assert_eq!(forgotten.unexplained(), 1);
    assert_eq!(forgotten.requests[0].request, second.id);
}

#[tokio::test]
async fn a_damaged_a_foreign_and_a_locked_backup_change_nothing() {
    let mut house = House::sqlite().await;
    house.people(2).await;
    house.erase(1).await;
    house.keep(vec![7; 100_000]).await;
    let (path, _) = house.back_up("backup.tar").await;
    let whole = std::fs::read(&path).unwrap();

    let mut broken: Vec<Vec<u8>> =
        vec![Vec::new(), whole[..whole.len() / 2].to_vec(), whole[..whole.len() - 3000].to_vec()];
    // A byte of every few hundred, in names, lengths, rows and blobs; padding means nothing.
    for place in (0..whole.len()).step_by(whole.len() / 60) {
        if whole[place] != 0 {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            broken.push(changed);
        }
    }
    assert!(broken.len() > 30);
    for (number, bytes) in broken.into_iter().enumerate() {
        let path = house.folder.path().join(format!("broken-{number}"));
        std::fs::write(&path, bytes).unwrap();
        let problem = house.restore(&path, true).await.unwrap_err();
        let known = [&codes::store::BACKUP_BROKEN, &codes::store::KEY_WRONG, &codes::store::LEDGER_BROKEN];
        assert!(known.iter().any(|code| problem.is(code)), "broken-{number}: {problem}");
    }

    let ours = std::mem::replace(&mut house.keys, Keys::from_text(&"22".repeat(32)).unwrap());
    assert!(house.restore(&path, true).await.unwrap_err().is(&codes::store::KEY_WRONG));
    house.keys = ours;

    // Another installation's store is not overwritten by accident, though it is older.
    let mut other = House::of_others().await;
    other.people(1).await;
    assert!(other.restore(&path, false).await.unwrap_err().is(&codes::store::STORE_NEWER));
    assert_eq!(ledger::audit(&house.engine, vec![]).await.unwrap().size, 2);
    house.restore(&path, false).await.unwrap();
}

#[tokio::test]
async fn a_past_log_that_was_changed_by_hand_is_found() {
    let mut house = House::sqlite().await;
    house.people(1).await;
    house.erase(1).await;
    let (path, _) = house.back_up("backup.tar").await;
    house.restore(&path, false).await.unwrap();
    ledger::audit(&house.engine, vec![]).await.unwrap();
    house.tamper("UPDATE ledger_past_leaf SET leaf = x'00' WHERE position = 1").await;
    let problem = ledger::audit(&house.engine, vec![]).await.unwrap_err();
    assert!(problem.is(&codes::store::LEDGER_BROKEN) && problem.detail.contains("goes on from"), "{problem}");
}
