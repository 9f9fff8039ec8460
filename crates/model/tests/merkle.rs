//! The verifiers against the recursive definitions of RFC 9162 §2.1, for every tree of up to 40 leaves.

use model::merkle::{
    Hash, empty_root, leaf_hash, node_hash, root_from_inclusion, verify_consistency, verify_inclusion,
};

const LARGEST: usize = 40;

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&[n as u8])).collect()
}

/// The largest power of two below the number of leaves.
fn split(leaves: &[Hash]) -> usize {
    leaves.len().next_power_of_two() / 2
}

/// MTH of §2.1.1.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => node_hash(&root(&leaves[..split(leaves)]), &root(&leaves[split(leaves)..])),
    }
}

/// PATH of §2.1.3.1.
fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves));
    let (mut path, sibling) = if index < left.len() {
        (path(index, left), root(right))
    } else {
        (path(index - left.len(), right), root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of §2.1.4.1.
fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves));
    let (mut proof, sibling) = if old <= left.len() {
        (subproof(old, left, whole), root(right))
    } else {
        (subproof(old - left.len(), right, false), root(left))
    };
    proof.push(sibling);
    proof
}

fn hex(hash: &Hash) -> String {
    data_encoding::HEXLOWER.encode(hash)
}

#[test]
fn hashes_are_those_of_the_published_test_trees() {
    // From the test data of certificate-transparency-go (merkle_tree_test).
    assert_eq!(hex(&empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(hex(&leaf_hash(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    let inputs: [&[u8]; 3] = [&[], &[0x00], &[0x10]];
    let leaves: Vec<Hash> = inputs.iter().map(|input| leaf_hash(input)).collect();
    assert_eq!(hex(&root(&leaves)), "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
}

#[test]
fn every_inclusion_is_proved_and_nothing_else_is() {
    for size in 1..=LARGEST {
        let leaves = leaves(size);
        let root = root(&leaves);
        for (index, leaf) in leaves.iter().enumerate() {
            let proof = path(index, &leaves);
            let (at, of) = (index as u64, size as u64);
            assert!(verify_inclusion(at, of, leaf, &proof, &root), "{index} of {size}");
            assert!(!verify_inclusion(at, of, &leaf_hash(b"other"), &proof, &root));
            assert_eq!(root_from_inclusion(of, of, leaf, &proof), None);
            if size > 1 {
                assert_ne!(root_from_inclusion((at + 1) % of, of, leaf, &proof), Some(root), "{index} of {size}");
                assert_eq!(root_from_inclusion(at, of, leaf, &proof[1..]), None, "too short");
            }
            assert_eq!(root_from_inclusion(at, of, leaf, &[&proof[..], &[root]].concat()), None, "too long");
        }
    }
}

#[test]
fn every_growth_is_proved_and_no_other_history_is() {
    for new in 0..=LARGEST {
        let leaves = leaves(new);
        let new_root = root(&leaves);
        for old in 0..=new {
            let old_root = root(&leaves[..old]);
            let proof = if old == 0 { Vec::new() } else { subproof(old, &leaves, true) };
            let (from, to) = (old as u64, new as u64);
            assert!(verify_consistency(from, &old_root, to, &new_root, &proof), "{old} to {new}");
            assert!(!verify_consistency(from, &leaf_hash(b"other"), to, &new_root, &proof), "{old} to {new}");
            assert!(!verify_consistency(from, &old_root, to, &new_root, &[&proof[..], &[old_root]].concat()));
            if old != new {
                assert!(!verify_consistency(to, &new_root, from, &old_root, &proof), "backwards");
            }
            for place in 0..proof.len() {
                let mut forged = proof.clone();
                forged[place][0] ^= 1;
                assert!(!verify_consistency(from, &old_root, to, &new_root, &forged), "{old} to {new} at {place}");
            }
        }
    }
}
