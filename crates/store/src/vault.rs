//! The vault: sealed values, keyed digests and derived keys, all from one list of master keys.
//!
//! Values are sealed with AES-256-GCM. The associated data names the table, row and column, so a sealed value that is moved
//! elsewhere does not open. Several master keys may be given, newest first: the first seals, all open, and so keys rotate.
//! Digests and derived keys must outlive a rotation, so they hang on a *root* secret that lies sealed in the store; that it
//! opens is also the proof that the given keys are the right ones.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use model::{Ambient, Problem, Result, codes};
use zeroize::Zeroizing;

use crate::{Tx, params};

/// How many bytes of a sealed value tell its key.
const KEY_ID: usize = 4;
/// Where the sealed root lies in the table `setting`.
pub(crate) const ROOT: &str = "vault.root";

/// The master keys, newest first; never empty.
#[derive(Clone)]
pub struct Keys(Vec<Zeroizing<[u8; 32]>>);

impl Keys {
    /// Makes one fresh key.
    pub fn generate(ambient: &Ambient) -> Self {
        Self(vec![Zeroizing::new(ambient.random())])
    }

    /// Reads a key file: one key a line as 64 hexadecimal digits, newest first; empty lines and lines that begin with `#` do not count.
    ///
    /// # Errors
    /// `MO-5005` if there is no key in it, `MO-7003` if a line is no key. The detail names the line, never what it holds.
    pub fn from_text(text: &str) -> Result<Self> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let keys = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(number, line)| {
                let bytes = HEXLOWER_PERMISSIVE.decode(line.as_bytes()).map(Zeroizing::new).ok();
                bytes.and_then(|bytes| Some(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?))).ok_or_else(
                    || {
                        Problem::new(
                            &codes::config::SECRET_UNREADABLE,
                            format!("line {number} of the keys does not hold 64 hexadecimal digits"),
                        )
                    },
                )
            })
            .collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Err(Problem::new(&codes::store::KEY_MISSING, "no key is given"));
        }
        Ok(Self(keys))
    }

    /// Writes the keys as [`Keys::from_text`] reads them.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().map(|key| HEXLOWER_PERMISSIVE.encode(&key[..]) + "\n").collect())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({} hidden)", self.0.len())
    }
}

/// Seals, opens and digests values; makes keys for other purposes.
pub struct Vault {
    sealing: Arc<[SealingKey]>,
    root: Zeroizing<[u8; 32]>,
    digests: hmac::Key,
    pub(crate) ambient: Ambient,
}

struct SealingKey {
    id: [u8; KEY_ID],
    key: LessSafeKey,
}

impl Vault {
    /// Makes a vault with a fresh root; [`Vault::unlock`] gives it the store's own.
    pub(crate) fn new(keys: &Keys, ambient: Ambient) -> Self {
        let sealing = keys.0.iter().map(|key| SealingKey {
            id: first_bytes(&derive(key, "key id")),
            key: LessSafeKey::new(
                UnboundKey::new(&AES_256_GCM, &derive(key, "seal")[..]).expect("32 bytes are an AES-256 key"),
            ),
        });
        let root = Zeroizing::new(ambient.random());
        Self { sealing: sealing.collect(), digests: digest_key(&root), root, ambient }
    }

    /// Seals a value for its place. The same value sealed twice looks different.
    ///
    /// Nonces are random: one key is good for 2^32 values (NIST SP 800-38D §8.3), then it must be rotated.
    pub fn seal(&self, table: &str, row: &str, column: &str, value: &[u8]) -> Vec<u8> {
        let newest = &self.sealing[0];
        let nonce: [u8; NONCE_LEN] = self.ambient.random();
        let mut sealed = value.to_vec();
        let tag = newest
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place(table, row, column)),
                &mut sealed,
            )
            .expect("a value in memory is below the limit of AES-GCM");
        [&newest.id[..], &nonce, &sealed, tag.as_ref()].concat()
    }

    /// Opens a value that was sealed for this place.
    ///
    /// # Errors
    /// `MO-5006` if it was sealed for another place or with a key that is not given, or was changed.
    pub fn open(&self, table: &str, row: &str, column: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.open_from(&place(table, row, column), sealed).ok_or_else(|| {
            Problem::new(&codes::store::SEALED_VALUE_BROKEN, format!("{table}.{column} of row {row} does not open"))
        })
    }

    fn open_from(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (id, rest) = sealed.split_at_checked(KEY_ID)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN)?;
        self.sealing.iter().filter(|key| key.id == id).find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut value = ciphertext.to_vec();
            let length = key.key.open_in_place(nonce, Aad::from(place), &mut value).ok()?.len();
            value.truncate(length);
            Some(value)
        })
    }

    /// Returns the keyed digest of a value: for look-up without plaintext. Different purposes give unrelated digests.
    pub fn digest(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.digests);
        context.update(&(purpose.len() as u64).to_be_bytes());
        context.update(purpose.as_bytes());
        context.update(value);
        context.sign().as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }

    /// Returns a key for one purpose, the same in every process and after a rotation of the master keys.
    pub fn key(&self, purpose: &str) -> [u8; 32] {
        *derive(&self.root, &format!("purpose {purpose}"))
    }

    /// Takes over the root that lies in the store; in a new store, puts its own there. Seals it again after a rotation.
    ///
    /// # Errors
    /// `MO-5004` if none of the keys opens it.
    pub(crate) async fn unlock(tx: &mut Tx<'_>) -> Result<Root> {
        let vault = tx.vault();
        let sealed = || BASE64.encode(&vault.seal("setting", ROOT, "value", &vault.root[..]));
        tx.exec(
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            params![ROOT, sealed()],
        )
        .await?;
        let row = tx.query_one("SELECT value FROM setting WHERE name = $1", params![ROOT]).await?;
        let (stored, root) = vault.open_root(&row.get::<String>("value")?)?;
        if !stored.starts_with(&vault.sealing[0].id) {
            let again = BASE64.encode(&vault.seal("setting", ROOT, "value", &root.0[..]));
            tx.exec("UPDATE setting SET value = $2 WHERE name = $1", params![ROOT, again]).await?;
        }
        Ok(root)
    }

    /// Returns the vault of the store that a sealed root is from: that of a backup.
    ///
    /// # Errors
    /// `MO-5004` if none of the keys opens it.
    pub(crate) fn of_store(keys: &Keys, ambient: Ambient, sealed_root: &str) -> Result<Self> {
        let vault = Self::new(keys, ambient);
        let (_, root) = vault.open_root(sealed_root)?;
        Ok(vault.rooted(root))
    }

    fn open_root(&self, sealed: &str) -> Result<(Vec<u8>, Root)> {
        let wrong = || Problem::new(&codes::store::KEY_WRONG, "the key check of the store does not open");
        let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| wrong())?;
        let root = self.open("setting", ROOT, "value", &sealed).map(Zeroizing::new).map_err(|_| wrong())?;
        let root = Root(Zeroizing::new(root.as_slice().try_into().map_err(|_| wrong())?));
        Ok((sealed, root))
    }

    /// Tells whether this is the vault of the same store: digests, codes and signatures of one are those of the other.
    pub fn is_same(&self, other: &Self) -> bool {
        self.root == other.root
    }

    /// Returns the same vault with the store's root.
    pub(crate) fn rooted(&self, root: Root) -> Self {
        Self {
            sealing: self.sealing.clone(),
            digests: digest_key(&root.0),
            root: root.0,
            ambient: self.ambient.clone(),
        }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(hidden)")
    }
}

/// The secret that digests and derived keys hang on.
pub(crate) struct Root(Zeroizing<[u8; 32]>);

/// The associated data of a place: each part behind its length, so that no two places read the same.
fn place(table: &str, row: &str, column: &str) -> Vec<u8> {
    let parts = [table, row, column];
    parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part.as_bytes()].concat()).collect()
}

fn digest_key(root: &[u8; 32]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &derive(root, "digest")[..])
}

/// HKDF-SHA256 (RFC 5869) of one secret for one use.
fn derive(secret: &[u8; 32], used_for: &str) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"moveout vault")
        .extract(secret)
        .expand(&[used_for.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|material| material.fill(&mut derived[..]))
        .expect("HKDF-SHA256 gives 32 bytes");
    derived
}

fn first_bytes(bytes: &[u8; 32]) -> [u8; KEY_ID] {
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}
