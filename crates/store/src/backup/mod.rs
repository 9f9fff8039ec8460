//! A backup: every table as it was at one moment and every blob, in one file that any of our databases can take back.
//!
//! The file is a tar archive, so that people can look into it: `header.json`, `tables/NAME/000001.jsonl` and so on (a line
//! with the names of the columns, then one row a line), `blobs/ID`, and `end.json` with the counts and a keyed digest over
//! everything before it. Sealed values stay sealed and the master key is not in it.

mod archive;
mod dump;
mod load;
mod row;
mod tables;

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{Ambient, Problem, Result, codes};
use serde::{Deserialize, Serialize};

pub use archive::{Entry, Reader, Writer};
pub use dump::{blob_files, tables};
pub use load::{load, newest};

use crate::{Keys, Tx, Vault, settings, vault};

/// The name of this form.
const FORM: &str = "moveout-backup/1";

/// What a backup says of itself before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    form: String,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The schema of the tables in it.
    pub schema: i64,
    /// The name of the ledger.
    pub origin: String,
    /// How many leaves the ledger has.
    pub size: u64,
    /// The ledger's root over them, in base64.
    pub root: String,
    /// The signed checkpoint that says the same.
    pub checkpoint: String,
    /// The sealed root of the vault: whoever has the right master key can open it.
    key_check: String,
}

impl Header {
    /// Says what the store is within this transaction; the checkpoint is of the same moment.
    ///
    /// # Errors
    /// A problem of the store.
    pub async fn new(tx: &mut Tx<'_>, origin: String, size: u64, root: String, checkpoint: String) -> Result<Self> {
        let key_check = settings::get(tx, vault::ROOT).await?.unwrap_or_default();
        let schema = tables::schema(tx).await?;
        let (form, taken_at) = (FORM.to_owned(), tx.ambient.now());
        Ok(Self { form, taken_at, schema, origin, size, root, checkpoint, key_check })
    }

    /// Opens the vault that the backup's values are sealed in.
    ///
    /// # Errors
    /// `MO-5004` if none of the keys is the right one.
    pub fn vault(&self, keys: &Keys, ambient: Ambient) -> Result<Vault> {
        Vault::of_store(keys, ambient, &self.key_check)
    }
}

/// How many rows of each table there are, and how many blob files with how many bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows by table.
    pub tables: BTreeMap<String, u64>,
    /// Blob files.
    pub blobs: u64,
    /// Bytes in them.
    pub blob_bytes: u64,
}

/// What a backup says at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// What is in it.
    #[serde(flatten)]
    pub counts: Counts,
    /// The keyed digest over everything before, in base64.
    digest: String,
}

pub(crate) fn broken(detail: impl Into<String>) -> Problem {
    Problem::new(&codes::store::BACKUP_BROKEN, detail)
}
