//! A receipt: a JSON file that proves, without us, that the ledger holds a statement about an erasure.
//!
//! It holds the leaf, the proof that the leaf is in the tree, and the signed checkpoint of that tree. The public key in it is what the
//! issuer says of itself: only a key that came another way tells *who* signed.

use data_encoding::BASE64;
use model::merkle::{Hash, leaf_hash, verify_inclusion};
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};

use crate::canonical::Object;
use crate::checkpoint::{Checkpoint, PublicKey};

/// The largest receipt we read, in bytes.
pub const MAX_TEXT: usize = 1024 * 1024;

/// The name of this form.
const FORM: &str = "moveout-receipt/1";

/// A receipt as it is written. Reformatting its JSON does no harm; any other change is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The form of the file.
    form: String,
    /// The statement. The ledger holds its canonical bytes.
    pub leaf: Object,
    /// Its number in the ledger, counted from 0.
    pub index: u64,
    /// The inclusion proof, from the leaf up: hashes in base64.
    proof: Vec<String>,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// The key that the issuer says is its own.
    public_key: String,
}

/// What a receipt that holds is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The trusted key has signed it.
    Trusted,
    /// It fits together, but nobody vouches for the key: anybody could have made it.
    SelfConsistent,
}

impl Verification {
    /// Judges the key that something is signed with; without trusted keys nobody can say whose it is.
    pub(crate) fn of<'k>(own: &PublicKey, trusted: impl IntoIterator<Item = &'k PublicKey>) -> Result<Self, String> {
        let mut names = Vec::new();
        for key in trusted {
            if key == own {
                return Ok(Self::Trusted);
            }
            names.push(key.name());
        }
        match names.is_empty() {
            true => Ok(Self::SelfConsistent),
            false => Err(format!("it is signed by another key than the given one of {}", names.join(", "))),
        }
    }
}

impl Receipt {
    /// Puts a receipt together.
    pub fn new(leaf: Object, index: u64, proof: &[Hash], checkpoint: String, key: &PublicKey) -> Self {
        let proof = proof.iter().map(|hash| BASE64.encode(hash)).collect();
        Self { form: FORM.to_owned(), leaf, index, proof, checkpoint, public_key: key.to_string() }
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// `MO-2016` if it is none.
    pub fn parse(text: &[u8]) -> Result<Self> {
        if text.len() > MAX_TEXT {
            return Err(Problem::new(&codes::erasure::RECEIPT_MALFORMED, format!("it has more than {MAX_TEXT} bytes")));
        }
        let receipt: Self = serde_json::from_slice(text).map_err(|cause| {
            Problem::new(&codes::erasure::RECEIPT_MALFORMED, format!("line {}", cause.line())).caused_by(cause)
        })?;
        if receipt.form != FORM {
            return Err(Problem::new(&codes::erasure::RECEIPT_MALFORMED, format!("its form is not {FORM}")));
        }
        Ok(receipt)
    }

    /// Checks that everything fits together, and, given the issuer's keys (one a log), that the issuer signed it.
    ///
    /// # Errors
    /// `MO-2015` with what does not hold.
    pub fn verify<'k>(&self, trusted: impl IntoIterator<Item = &'k PublicKey>) -> Result<Verification> {
        let invalid = |detail: String| Problem::new(&codes::erasure::RECEIPT_INVALID, detail);
        let own: PublicKey = self.public_key.parse().map_err(|problem: Problem| invalid(problem.detail))?;
        let checkpoint = Checkpoint::verify(&self.checkpoint, &own).map_err(|problem| invalid(problem.detail))?;
        let proof = self
            .proof
            .iter()
            .map(|hash| BASE64.decode(hash.as_bytes()).ok()?.try_into().ok())
            .collect::<Option<Vec<Hash>>>()
            .ok_or_else(|| invalid("the proof holds what is no hash".to_owned()))?;
        let leaf = leaf_hash(&self.leaf.to_bytes());
        if !verify_inclusion(self.index, checkpoint.size, &leaf, &proof, &checkpoint.root) {
            return Err(invalid("the proof does not lead from the leaf to the checkpoint".to_owned()));
        }
        Verification::of(&own, trusted).map_err(invalid)
    }
}
