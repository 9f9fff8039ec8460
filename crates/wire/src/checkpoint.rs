//! Checkpoints of the ledger: the C2SP tlog-checkpoint text in a C2SP signed note, signed with Ed25519.
//!
//! ```text
//! moveout.example/ledger
//! 4711
//! qJ1…base64 root…=
//!
//! — moveout.example/ledger Az3…base64 of key id and signature…=
//! ```
//! (<https://c2sp.org/tlog-checkpoint>, <https://c2sp.org/signed-note>)

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};
use model::merkle::Hash;
use model::{Problem, Result, codes};

/// The longest note we read, in bytes.
pub const MAX_NOTE: usize = 16 * 1024;

/// The signature type of Ed25519 in signed notes.
const ED25519_TYPE: u8 = 0x01;

/// What the ledger was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log, which is also the name of its key.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// The root of its tree.
    pub root: Hash,
}

impl Checkpoint {
    /// Signs the checkpoint, giving the text of the note.
    ///
    /// # Errors
    /// `MO-5012` if the checkpoint is of another log than the key.
    pub fn sign(&self, key: &SigningKey) -> Result<String> {
        if self.origin != key.public.name {
            return Err(broken("the key belongs to another log"));
        }
        let text = format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(&self.root));
        let signature = key.pair.sign(text.as_bytes());
        let line = [&key.public.id()[..], signature.as_ref()].concat();
        Ok(format!("{text}\n— {} {}\n", key.public.name, BASE64.encode(&line)))
    }

    /// Reads a note if this key has signed it. Signatures of others (witnesses) are passed over.
    ///
    /// # Errors
    /// `MO-5012` if it is no checkpoint of this log, or the signature does not hold.
    pub fn verify(note: &str, key: &PublicKey) -> Result<Self> {
        if note.len() > MAX_NOTE {
            return Err(broken("the checkpoint is too long"));
        }
        // The text ends with the newline before the empty line; the text itself is what was signed.
        let end = note.rfind("\n\n").ok_or_else(|| broken("the checkpoint has no signature"))? + 1;
        let (text, signatures) = (&note[..end], &note[end + 1..]);
        let signatures = signatures.strip_suffix('\n').ok_or_else(|| broken("the checkpoint is cut off"))?;
        let mut ours = None;
        for line in signatures.split('\n') {
            let (name, signature) = line
                .strip_prefix("— ")
                .and_then(|line| line.split_once(' '))
                .ok_or_else(|| broken("a signature line is not well formed"))?;
            let signature = BASE64.decode(signature.as_bytes()).map_err(|_| broken("a signature is not base64"))?;
            if name == key.name && signature.starts_with(&key.id()) {
                ours = Some(signature[4..].to_vec());
            }
        }
        let signature = ours.ok_or_else(|| broken("the checkpoint is not signed by this key"))?;
        UnparsedPublicKey::new(&ED25519, &key.bytes)
            .verify(text.as_bytes(), &signature)
            .map_err(|_| broken("the signature of the checkpoint does not hold"))?;
        Self::read(text)
            .filter(|checkpoint| checkpoint.origin == key.name)
            .ok_or_else(|| broken("it is no checkpoint of this log"))
    }

    /// Reads the signed text; lines behind the third are extensions, which we do not know.
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty())?.to_owned();
        let size = lines.next()?;
        let number: u64 = size.parse().ok()?;
        let root = BASE64.decode(lines.next()?.as_bytes()).ok()?.try_into().ok()?;
        (number.to_string() == size).then_some(Self { origin, size: number, root })
    }
}

/// The ledger's Ed25519 key, with the name that its signatures carry.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// Makes the key from 32 secret bytes.
    ///
    /// # Errors
    /// `MO-5012` if the name is empty or holds a space or `+`.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| broken("the signing key cannot be used"))?;
        let bytes = pair.public_key().as_ref().try_into().map_err(|_| broken("the signing key cannot be used"))?;
        Ok(Self { public: PublicKey::new(name, bytes)?, pair })
    }

    /// Returns the public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.name)
    }
}

/// A public key that checks notes; written as one line, `NAME+ID+KEY`, in the "verifier key" form of signed notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    bytes: [u8; 32],
}

impl PublicKey {
    fn new(name: &str, bytes: [u8; 32]) -> Result<Self> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(broken("the name of a key is empty or holds a space or '+'"));
        }
        Ok(Self { name: name.to_owned(), bytes })
    }

    /// Returns the name of the log that signs with it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the four bytes by which signature lines refer to it.
    fn id(&self) -> [u8; 4] {
        let named = [self.name.as_bytes(), b"\n", &[ED25519_TYPE], &self.bytes].concat();
        let hash = digest::digest(&digest::SHA256, &named);
        let mut id = [0; 4];
        id.copy_from_slice(&hash.as_ref()[..4]);
        id
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519_TYPE], &self.bytes[..]].concat();
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), BASE64.encode(&key))
    }
}

impl FromStr for PublicKey {
    type Err = Problem;

    fn from_str(line: &str) -> Result<Self, Problem> {
        let read = || {
            let mut parts = line.splitn(3, '+');
            let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
            let key = BASE64.decode(key.as_bytes()).ok()?;
            let bytes = key.strip_prefix(&[ED25519_TYPE])?.try_into().ok()?;
            let key = Self::new(name, bytes).ok()?;
            (HEXLOWER.encode(&key.id()) == id).then_some(key)
        };
        read().ok_or_else(|| broken("a public key is one line, NAME+ID+KEY"))
    }
}

fn broken(detail: &str) -> Problem {
    Problem::new(&codes::store::LEDGER_BROKEN, detail)
}
