//! The vault: what is sealed opens only at its place and with its keys; digests and keys outlive a rotation.

use std::path::Path;

use model::{Ambient, codes};
use store::vault::columns::{ERASURE_IDENTITIES, ERASURE_SALT, TRANSFER_ENDS};
use store::{Keys, Store};

async fn open(folder: &Path, keys: &Keys, ambient: &Ambient) -> model::Result<Store> {
    Store::open_sqlite(folder, keys.clone(), ambient.clone()).await
}

#[tokio::test]
async fn a_sealed_value_opens_only_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    let (ambient, _) = testkit::ambient::ambient();
    let store = open(folder.path(), &Keys::generate(&ambient), &ambient).await.unwrap();
    let vault = store.vault();
    let sealed = vault.seal(&ERASURE_SALT, "7", b"a token");
    assert_eq!(vault.open(&ERASURE_SALT, "7", &sealed).unwrap(), b"a token");
    assert_ne!(sealed, vault.seal(&ERASURE_SALT, "7", b"a token"), "equal values must not look equal");

    for (column, row) in [(&ERASURE_SALT, "8"), (&ERASURE_IDENTITIES, "7"), (&TRANSFER_ENDS, "7")] {
        assert!(vault.open(column, row, &sealed).unwrap_err().is(&codes::store::SEALED_VALUE_BROKEN));
    }
    for position in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        assert!(vault.open(&ERASURE_SALT, "7", &changed).is_err(), "byte {position}");
        assert!(vault.open(&ERASURE_SALT, "7", &sealed[..position]).is_err(), "cut at {position}");
    }
}

#[tokio::test]
async fn the_wrong_key_is_refused_and_keys_rotate() {
    let folder = tempfile::tempdir().unwrap();
    let (ambient, _) = testkit::ambient::ambient();
    let first = Keys::generate(&ambient);
    let store = open(folder.path(), &first, &ambient).await.unwrap();
    let sealed = store.vault().seal(&ERASURE_SALT, "7", b"a token");
    let (digest, key) = (store.vault().digest("person", b"asid:1"), store.vault().key("ledger-signing"));
    assert_ne!(digest, store.vault().digest("other", b"asid:1"));
    drop(store);

    let other = Keys::generate(&ambient);
    let refused = open(folder.path(), &other, &ambient).await.err().unwrap();
    assert!(refused.is(&codes::store::KEY_WRONG));

    let both = Keys::from_text(&format!("# newest first\n{}\n{}", &*other.to_text(), &*first.to_text())).unwrap();
    let store = open(folder.path(), &both, &ambient).await.unwrap();
    assert_eq!(store.vault().open(&ERASURE_SALT, "7", &sealed).unwrap(), b"a token");
    let renewed = store.vault().seal(&ERASURE_SALT, "7", b"a token");
    drop(store);

    // The check value was sealed again, so the old key may go; digests and derived keys stay what they were.
    let store = open(folder.path(), &other, &ambient).await.unwrap();
    assert_eq!(store.vault().open(&ERASURE_SALT, "7", &renewed).unwrap(), b"a token");
    assert!(store.vault().open(&ERASURE_SALT, "7", &sealed).is_err());
    assert_eq!((store.vault().digest("person", b"asid:1"), store.vault().key("ledger-signing")), (digest, key));
}

#[tokio::test]
async fn key_material_is_never_shown_nor_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (ambient, _) = testkit::ambient::ambient();
    let keys = Keys::generate(&ambient);
    let store = open(folder.path(), &keys, &ambient).await.unwrap();
    let text = keys.to_text();
    assert!(!format!("{keys:?}{:?}", store.vault()).contains(text.trim()));
    for file in ["moveout.db", "moveout.db-wal"] {
        let bytes = std::fs::read(folder.path().join(file)).unwrap();
        for secret in [text.trim().as_bytes(), &data_encoding::HEXLOWER.decode(text.trim().as_bytes()).unwrap()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "a key lies in {file}");
        }
    }

    for (text, code) in [
        ("", &codes::store::KEY_MISSING),
        ("# only words", &codes::store::KEY_MISSING),
        ("abcd", &codes::config::SECRET_UNREADABLE),
    ] {
        let problem = Keys::from_text(text).unwrap_err();
        assert!(problem.is(code) && !problem.to_string().contains("abcd"));
    }
}
