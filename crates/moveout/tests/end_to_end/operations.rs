//! What an operator does around the work: keys, ledger, doctor, settings.

use crate::support::{json, run};

#[test]
fn a_store_has_one_key_and_its_ledger_can_be_checked_by_others() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    json(here, &["migrate", "--data", "data", "--json"]);
    let key = std::fs::read_to_string(here.join("data/master.key")).unwrap();

    let note =
        json(here, &["ledger", "checkpoint", "--data", "data", "--json"])["checkpoint"].as_str().unwrap().to_owned();
    std::fs::write(here.join("note"), note).unwrap();
    let audited = json(here, &["ledger", "verify", "--checkpoint", "note", "--data", "data", "--json"]);
    assert_eq!((audited["size"].as_u64(), audited["checkpoints"].as_u64()), (Some(0), Some(2)));
    assert!(
        json(here, &["ledger", "key", "--data", "data", "--json"])["public_key"]
            .as_str()
            .unwrap()
            .starts_with("moveout/")
    );
    assert_eq!(json(here, &["doctor", "--data", "data", "--json"])["healthy"], true);

    // Another key is refused, and none is made for a store that has lost its own.
    std::fs::write(here.join("data/master.key"), "00".repeat(32)).unwrap();
    let (exit, _, err) = run(here, &["ledger", "verify", "--data", "data"]);
    assert!(exit == 1 && err.contains("MO-5004") && !err.contains(key.trim()), "{exit} {err}");
    assert_eq!(run(here, &["doctor", "--data", "data"]).0, 6);
    std::fs::remove_file(here.join("data/master.key")).unwrap();
    let (exit, _, err) = run(here, &["ledger", "verify", "--data", "data"]);
    assert!(exit == 1 && err.contains("MO-5005") && !here.join("data/master.key").exists(), "{exit} {err}");
}
