//! A consistency statement: a JSON file that proves, without us, that a log at a later checkpoint begins with exactly what it
//! was at an earlier one (RFC 9162 §2.1.4). Whoever holds the earlier checkpoint sees that nothing before it was changed.

use data_encoding::BASE64;
use model::merkle::{Hash, verify_consistency};
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, PublicKey};
use crate::receipt::{MAX_TEXT, Receipt, Verification};

/// The name of this form.
pub const FORM: &str = "moveout-consistency/1";

/// A consistency statement as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// The form of the file.
    form: String,
    /// The earlier signed checkpoint.
    pub old: String,
    /// The later signed checkpoint.
    pub new: String,
    /// The consistency proof: hashes in base64.
    proof: Vec<String>,
    /// The key that the issuer says is its own.
    public_key: String,
}

impl Consistency {
    /// Puts a statement together.
    pub fn new(old: String, new: String, proof: &[Hash], key: &PublicKey) -> Self {
        let proof = proof.iter().map(|hash| BASE64.encode(hash)).collect();
        Self { form: FORM.to_owned(), old, new, proof, public_key: key.to_string() }
    }

    /// Reads a statement.
    ///
    /// # Errors
    /// `MO-2016` if it is none.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let malformed = |detail: String| Problem::new(&codes::erasure::RECEIPT_MALFORMED, detail);
        if text.len() > MAX_TEXT {
            return Err(malformed(format!("it has more than {MAX_TEXT} bytes")));
        }
        let statement: Self = serde_json::from_slice(text)
            .map_err(|cause| malformed(format!("line {}", cause.line())).caused_by(cause))?;
        if statement.form != FORM {
            return Err(malformed(format!("its form is not {FORM}")));
        }
        Ok(statement)
    }

    /// Checks that the later checkpoint goes on from the earlier one, and, given the log's keys, that the log signed both.
    /// Returns the two checkpoints.
    ///
    /// # Errors
    /// `MO-2015` with what does not hold.
    pub fn verify<'k>(
        &self,
        trusted: impl IntoIterator<Item = &'k PublicKey>,
    ) -> Result<(Verification, Checkpoint, Checkpoint)> {
        let invalid = |detail: String| Problem::new(&codes::erasure::RECEIPT_INVALID, detail);
        let own: PublicKey = self.public_key.parse().map_err(|problem: Problem| invalid(problem.detail))?;
        let old = Checkpoint::verify(&self.old, &own).map_err(|problem| invalid(problem.detail))?;
        let new = Checkpoint::verify(&self.new, &own).map_err(|problem| invalid(problem.detail))?;
        let hash = |text: &String| BASE64.decode(text.as_bytes()).ok()?.try_into().ok();
        let proof = self.proof.iter().map(hash).collect::<Option<Vec<Hash>>>();
        let proof = proof.ok_or_else(|| invalid("the proof holds what is no hash".to_owned()))?;
        if !verify_consistency(old.size, &old.root, new.size, &new.root, &proof) {
            return Err(invalid(format!("the {} leaves do not begin with the earlier {}", new.size, old.size)));
        }
        Ok((Verification::of(&own, trusted).map_err(invalid)?, old, new))
    }
}

/// Returns the signed notes in what somebody kept: a note itself, or those of a receipt or of a consistency statement.
///
/// # Errors
/// `MO-2016` if it is JSON and neither of the two.
pub fn notes_in(text: &str) -> Result<Vec<String>> {
    if !text.trim_start().starts_with('{') {
        return Ok(vec![text.to_owned()]);
    }
    if let Ok(statement) = Consistency::parse(text.as_bytes()) {
        return Ok(vec![statement.old, statement.new]);
    }
    Ok(vec![Receipt::parse(text.as_bytes())?.checkpoint])
}
