//! Checkpoints and receipts: what holds, what is only self-consistent, and that no changed byte passes.

use model::codes;
use model::merkle::{leaf_hash, node_hash};
use proptest::prelude::*;
use wire::canonical::Object;
use wire::checkpoint::{Checkpoint, PublicKey, SigningKey};
use wire::receipt::{Receipt, Verification};

const ORIGIN: &str = "moveout.example/ledger";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

/// A receipt for the second of three leaves.
fn receipt(key: &SigningKey) -> Receipt {
    let json =
        r#"{"request":"r-1","systems":[{"name":"main-db","found":3,"erased":2,"kept":1}],"at":"2026-11-22T12:00:00Z"}"#;
    let leaf: Object = serde_json::from_str(json).unwrap();
    let (first, third) = (leaf_hash(b"first"), leaf_hash(b"third"));
    let root = node_hash(&node_hash(&first, &leaf_hash(&leaf.to_bytes())), &third);
    let note = Checkpoint { origin: ORIGIN.to_owned(), size: 3, root }.sign(key).unwrap();
    Receipt::new(leaf, 1, &[first, third], note, key.public())
}

#[test]
fn a_note_of_the_signed_note_specification_verifies() {
    // The example of golang.org/x/mod/sumdb/note: https://pkg.go.dev/golang.org/x/mod/sumdb/note
    let key: PublicKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let note = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n\n\
                — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    // The signature holds, so that what is complained of is the text, which is no checkpoint.
    assert!(Checkpoint::verify(note, &key).unwrap_err().detail.contains("no checkpoint"));
    let forged = note.replace("answer", "Answer");
    assert!(Checkpoint::verify(&forged, &key).unwrap_err().detail.contains("does not hold"));
}

#[test]
fn a_checkpoint_comes_back_and_witnesses_do_not_disturb() {
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 4711, root: [7; 32] };
    let note = checkpoint.sign(&key(1)).unwrap();
    let public: PublicKey = key(1).public().to_string().parse().unwrap();
    assert_eq!(Checkpoint::verify(&note, &public).unwrap(), checkpoint);
    let witnessed = format!("{note}— witness.example AAAAAAAA\n");
    assert_eq!(Checkpoint::verify(&witnessed, &public).unwrap(), checkpoint);
    assert!(Checkpoint::verify(&note, key(2).public()).is_err());
    assert!(Checkpoint { origin: "other".to_owned(), ..checkpoint }.sign(&key(1)).is_err());
    for name in ["", "a b", "a+b", "a\n"] {
        assert!(SigningKey::from_seed(name, &[1; 32]).is_err(), "{name:?}");
    }
}

#[test]
fn only_a_key_that_came_another_way_makes_a_receipt_trusted() {
    let issued = receipt(&key(1));
    let read = Receipt::parse(&serde_json::to_vec_pretty(&issued).unwrap()).unwrap();
    assert_eq!(read.verify(Some(key(1).public())).unwrap(), Verification::Trusted);
    assert_eq!(read.verify(None).unwrap(), Verification::SelfConsistent);
    // A forger signs with a key of their own: it fits together, and is told apart.
    let forged = receipt(&key(2));
    assert_eq!(forged.verify(None).unwrap(), Verification::SelfConsistent);
    assert!(forged.verify(Some(key(1).public())).unwrap_err().is(&codes::erasure::RECEIPT_INVALID));
}

#[test]
fn what_is_no_receipt_is_refused() {
    let text = serde_json::to_string(&receipt(&key(1))).unwrap();
    let table = [
        String::new(),
        "[]".to_owned(),
        text.replace("moveout-receipt/1", "moveout-receipt/2"),
        text.replacen('{', r#"{"note":"also erased: everything","#, 1),
        text.replace(r#""found":3"#, r#""found":3,"found":3"#),
    ];
    for text in table {
        assert!(Receipt::parse(text.as_bytes()).unwrap_err().is(&codes::erasure::RECEIPT_MALFORMED), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_changed_byte_is_found(place in any::<prop::sample::Index>(), byte in any::<u8>(), pretty in any::<bool>()) {
        let issued = receipt(&key(1));
        let mut text = if pretty { serde_json::to_vec_pretty(&issued) } else { serde_json::to_vec(&issued) }.unwrap();
        let place = place.index(text.len());
        // Another kind of white space between values is the same JSON.
        prop_assume!(text[place] != byte && !(byte.is_ascii_whitespace() && text[place].is_ascii_whitespace()));
        text[place] = byte;
        prop_assert!(Receipt::parse(&text).and_then(|changed| changed.verify(Some(key(1).public()))).is_err());
        prop_assert!(Receipt::parse(&text).and_then(|changed| changed.verify(None)).is_err());
    }
}
