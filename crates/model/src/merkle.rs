//! The Merkle tree of the ledger: hashing and proofs as in RFC 9162 §2.1 (the same tree as RFC 6962), with SHA-256.

use aws_lc_rs::digest::{Context, SHA256};

/// A SHA-256 hash: of a leaf, an inner node or a whole tree.
pub type Hash = [u8; 32];

/// Returns the hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256(&[&[0x00], leaf])
}

/// Returns the hash of an inner node. Its prefix differs from that of leaves, so no leaf can pass for a node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[0x01], left, right])
}

/// Returns the root of the tree without leaves.
pub fn empty_root() -> Hash {
    sha256(&[])
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Computes the root that an inclusion proof leads to (RFC 9162 §2.1.3.2); `None` if the proof has the wrong length.
pub fn root_from_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut root = *leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            root = node_hash(sibling, &root);
            // A node without a right sibling moves up unchanged until it has a left one.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            root = node_hash(&root, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// Tells whether the leaf with this hash is number `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    root_from_inclusion(index, size, leaf, proof).as_ref() == Some(root)
}

/// Tells whether the newer tree begins with exactly the leaves of the older one (RFC 9162 §2.1.4.2).
pub fn verify_consistency(old_size: u64, old_root: &Hash, new_size: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old_size == new_size || old_size == 0 {
        let same = if old_size == 0 { *old_root == empty_root() } else { old_root == new_root };
        return same && old_size <= new_size && proof.is_empty();
    }
    if old_size > new_size {
        return false;
    }
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    // An older tree that is one full subtree is its own starting point, and the proof leaves it out.
    let (start, rest) = match proof.split_first() {
        _ if old_size.is_power_of_two() => (old_root, proof),
        Some((start, rest)) => (start, rest),
        None => return false,
    };
    let (mut old, mut new) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old == *old_root && new == *new_root
}
