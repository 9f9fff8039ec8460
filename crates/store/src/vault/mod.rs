//! The vault: sealed values, keyed digests and derived keys, all from one list of master keys.
//!
//! Values are sealed with AES-256-GCM. The associated data names the table, row and column, so a sealed value that is moved
//! elsewhere does not open. Several master keys may be given, newest first: the first seals, all open, and so keys rotate.
//! Digests and derived keys must outlive a rotation, so they hang on a *root* secret that lies sealed in the store; that it
//! opens is also the proof that the given keys are the right ones.

pub mod columns;
mod keys;
mod reseal;
mod ring;

use std::sync::Arc;

use aws_lc_rs::{hkdf, hmac};
use data_encoding::BASE64;
use model::{Ambient, Problem, Result, codes};
use zeroize::Zeroizing;

use crate::{Tx, params};
use columns::Column;
pub use keys::{KeyId, Keys};
pub use reseal::{KeyUse, Resealed};
use ring::{NotOpened, Ring};

/// Where the sealed root lies: table, row, column.
const ROOT_PLACE: (&str, &str, &str) = ("setting", ROOT, "value");
/// Its name among the settings.
pub(crate) const ROOT: &str = "vault.root";

/// Seals, opens and digests values; makes keys for other purposes.
pub struct Vault {
    ring: Arc<Ring>,
    root: Zeroizing<[u8; 32]>,
    digests: hmac::Key,
    pub(crate) ambient: Ambient,
}

impl Vault {
    /// Makes a vault with a fresh root; [`Vault::unlock`] gives it the store's own.
    pub(crate) fn new(keys: &Keys, ambient: Ambient) -> Self {
        let root = Zeroizing::new(ambient.random());
        let ring = Arc::new(Ring::new(keys, ambient.clone()));
        Self { ring, digests: digest_key(&root), root, ambient }
    }

    /// Seals a value for its place. The same value sealed twice looks different.
    ///
    /// Nonces are random: one key is good for 2^32 values (NIST SP 800-38D §8.3), then it must be rotated.
    pub fn seal(&self, column: &Column, row: &str, value: &[u8]) -> Vec<u8> {
        self.ring.seal(&place(column.table, row, column.name), value)
    }

    /// Opens a value that was sealed for this place.
    ///
    /// # Errors
    /// `MO-5006` if it was sealed for another place or was changed, `MO-5020` if its key is not given.
    pub fn open(&self, column: &Column, row: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.open_at((column.table, row, column.name), sealed)
    }

    fn open_at(&self, (table, row, column): (&str, &str, &str), sealed: &[u8]) -> Result<Vec<u8>> {
        self.ring.open(&place(table, row, column), sealed).map_err(|why| match why {
            NotOpened::Broken => {
                Problem::new(&codes::store::SEALED_VALUE_BROKEN, format!("a value of {table}.{column} does not open"))
            }
            NotOpened::KeyNotGiven(id) => Problem::new(
                &codes::store::KEY_NOT_GIVEN,
                format!("a value of {table}.{column} is sealed with key {id}"),
            ),
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
        let name = ROOT;
        let sealed = vault.seal_root(&vault.root);
        tx.exec(
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            params![name, sealed],
        )
        .await?;
        let row = tx.query_one("SELECT value FROM setting WHERE name = $1", params![name]).await?;
        let (stored, root) = vault.open_root(&row.get::<String>("value")?)?;
        if !stored.starts_with(&vault.ring.ids()[0].0) {
            tx.exec("UPDATE setting SET value = $2 WHERE name = $1", params![name, vault.seal_root(&root.0)]).await?;
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
        let root = self.open_at(ROOT_PLACE, &sealed).map(Zeroizing::new).map_err(|_| wrong())?;
        let root = Root(Zeroizing::new(root.as_slice().try_into().map_err(|_| wrong())?));
        Ok((sealed, root))
    }

    /// Tells whether this is the vault of the same store: digests, codes and signatures of one are those of the other.
    pub fn is_same(&self, other: &Self) -> bool {
        self.root == other.root
    }

    fn seal_root(&self, root: &[u8; 32]) -> String {
        let (table, row, column) = ROOT_PLACE;
        BASE64.encode(&self.ring.seal(&place(table, row, column), root))
    }

    /// Returns the same vault with the store's root.
    pub(crate) fn rooted(&self, root: Root) -> Self {
        Self { ring: self.ring.clone(), digests: digest_key(&root.0), root: root.0, ambient: self.ambient.clone() }
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
