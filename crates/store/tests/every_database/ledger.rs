//! The ledger: every proof verifies, and what was changed by hand is found.

use crate::bed::{Bed, on_every_database, write};
use model::merkle::{Hash, leaf_hash, verify_consistency, verify_inclusion};
use model::{Result, codes};
use store::{Store, Tx, ledger, params};

on_every_database!(every_state_has_a_root_and_every_proof_verifies, a_row_changed_by_hand_is_found);

const LEAVES: u64 = 37;

async fn append_all(store: &Store) {
    for n in 0..LEAVES {
        let index = write!(store, |tx| ledger::append(tx, format!("leaf {n}").as_bytes())).unwrap();
        assert_eq!(index, n);
    }
}

/// Every proof between two states, as (old size or index + 1, new size, inclusion, consistency).
async fn all_proofs(tx: &mut Tx<'_>) -> Result<Vec<(u64, u64, Vec<Hash>, Vec<Hash>)>> {
    let mut proofs = vec![];
    for size in 1..=LEAVES {
        for part in 1..=size {
            let included = ledger::inclusion_proof(tx, part - 1, size).await?;
            proofs.push((part, size, included, ledger::consistency_proof(tx, part, size).await?));
        }
    }
    Ok(proofs)
}

async fn every_state_has_a_root_and_every_proof_verifies(bed: Bed) {
    let store = bed.open().await;
    let mut roots: Vec<Hash> = vec![];
    for n in 0..LEAVES {
        write!(store, |tx| ledger::append(tx, format!("leaf {n}").as_bytes())).unwrap();
        roots.push(write!(store, |tx| ledger::root(tx, n + 1)).unwrap());
    }
    drop(store);
    let store = bed.open().await;
    assert_eq!(write!(store, |tx| ledger::size(tx)).unwrap(), LEAVES);
    let name = write!(store, |tx| ledger::origin(tx)).unwrap();
    assert_eq!(name, write!(store, |tx| ledger::origin(tx)).unwrap());
    assert_eq!(write!(store, |tx| ledger::verify(tx)).unwrap(), (LEAVES, roots[LEAVES as usize - 1]));

    for (part, size, included, consistent) in write!(store, |tx| all_proofs(tx)).unwrap() {
        let (old, new) = (&roots[part as usize - 1], &roots[size as usize - 1]);
        let leaf = leaf_hash(format!("leaf {}", part - 1).as_bytes());
        assert!(verify_inclusion(part - 1, size, &leaf, &included, new), "leaf {} of {size}", part - 1);
        assert!(verify_consistency(part, old, size, new, &consistent), "{part} to {size}");
    }
    for refused in [
        write!(store, |tx| ledger::inclusion_proof(tx, LEAVES, LEAVES)),
        write!(store, |tx| ledger::consistency_proof(tx, 0, LEAVES)),
        write!(store, |tx| ledger::consistency_proof(tx, 2, 1)),
        write!(store, |tx| ledger::inclusion_proof(tx, LEAVES, LEAVES + 1)),
    ] {
        assert!(refused.unwrap_err().is(&codes::store::LEDGER_BROKEN));
    }
}

async fn a_row_changed_by_hand_is_found(bed: Bed) {
    let store = bed.open().await;
    append_all(&store).await;
    let old = write!(store, |tx| ledger::root(tx, 20)).unwrap();

    let changes = [
        (
            "UPDATE ledger_leaf SET leaf = (SELECT leaf FROM ledger_leaf WHERE position = 3) WHERE position = 11",
            "leaf 11",
        ),
        ("DELETE FROM ledger_leaf WHERE position = 36", "36 leaves"),
        (
            "UPDATE ledger_node SET hash = (SELECT hash FROM ledger_node WHERE level = 0 AND position = 3)
          WHERE level = 2 AND position = 4",
            "level 2",
        ),
    ];
    for (sql, place) in changes {
        let found = store
            .write("test.tamper", move |tx| {
                Box::pin(async move {
                    assert_eq!(tx.exec(sql, params![]).await?, 1);
                    // The error takes the change back.
                    ledger::verify(tx).await
                })
            })
            .await
            .unwrap_err();
        assert!(found.is(&codes::store::LEDGER_BROKEN) && found.detail.contains(place), "{found}");
    }
    write!(store, |tx| ledger::verify(tx)).unwrap();

    // Whoever rewrites a leaf with all its hashes cannot reach the root that others remember.
    let forged = Bed::sqlite();
    let forged = forged.open().await;
    for n in 0..LEAVES {
        let text = if n == 11 { "forged".to_owned() } else { format!("leaf {n}") };
        write!(forged, |tx| ledger::append(tx, text.as_bytes())).unwrap();
    }
    write!(forged, |tx| ledger::verify(tx)).unwrap();
    let proof = write!(forged, |tx| ledger::consistency_proof(tx, 20, LEAVES)).unwrap();
    let root = write!(forged, |tx| ledger::root(tx, LEAVES)).unwrap();
    assert!(!verify_consistency(20, &old, LEAVES, &root, &proof));
}
