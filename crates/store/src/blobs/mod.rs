//! Bytes that belong to rows: small ones in the row itself, others under random names in a folder beside the database or in a
//! bucket.
//!
//! A body is received whole before any row names it, so nobody ever sees a part of one. [`keep`] makes it an account's own, in
//! the operation that journals what it belongs to; a body that an account has already is kept once. What was received and never
//! kept goes when its [`Received`] is discarded, or is swept after a day. The last [`release`] takes the row away and dooms the
//! name in the same operation. No row ever gets a doomed name again, so removing what lies there is in nobody's way.

mod bucket;
mod claim;
mod folder;
mod receive;
mod remove;

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use model::{Ambient, Problem, Result, codes};

use bucket::Bucket;
pub use bucket::{BucketConfig, Credentials};
use folder::Folder;
pub use receive::{Received, Receiving};

use crate::{Tx, jobs, params};

/// Bodies of up to this many bytes lie in the row and share the group commit.
pub const IN_ROW: usize = 64 * 1024;
/// The job that removes what nothing refers to any more, and its only subject.
pub const JOB: &str = "blobs";
const SUBJECT: &str = "all";

/// A body that is kept.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its id.
    pub id: String,
    /// Its length in bytes.
    pub size: u64,
    /// The bytes themselves, if they are few.
    in_row: Option<Vec<u8>>,
}

impl Blob {
    /// Names a blob whose bytes lie in a file or object.
    pub fn in_file(id: &str, size: u64) -> Self {
        Self { id: id.to_owned(), size, in_row: None }
    }
}

/// Makes a received body an account's own and returns the id of the blob: an older one's if the account has these bytes already.
pub async fn keep(tx: &mut Tx<'_>, account: &str, received: &Received) -> Result<String> {
    let row = tx
        .query_one(
            "INSERT INTO blob (id, account, blake3, size, bytes, uses, created_at) VALUES ($1, $2, $3, $4, $5, 1, $6)
             ON CONFLICT (account, blake3) DO UPDATE SET uses = blob.uses + 1
             RETURNING id",
            params![
                &received.id,
                account,
                &received.blake3,
                received.size,
                received.in_row.as_deref(),
                tx.ambient.now()
            ],
        )
        .await?;
    row.get("id")
}

/// Takes back one use of a blob. The last one removes its row, and asks for the job that removes what lies under its name;
/// [`Blobs::remove_doomed`] does so at once.
pub async fn release(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.exec("UPDATE blob SET uses = uses - 1 WHERE id = $1", params![id]).await?;
    let doomed = tx
        .exec(
            "INSERT INTO blob_doomed (id, since)
             SELECT id, CAST($2 AS BIGINT) FROM blob WHERE id = $1 AND uses <= 0 AND bytes IS NULL",
            params![id, tx.ambient.now()],
        )
        .await?;
    tx.exec("DELETE FROM blob WHERE id = $1 AND uses <= 0", params![id]).await?;
    if doomed > 0 {
        jobs::enqueue(tx, JOB, SUBJECT, None).await?;
    }
    Ok(())
}

/// Returns a blob, ready to be opened with [`Blobs::open`].
pub async fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Blob>> {
    let row = tx.query_opt("SELECT size, bytes FROM blob WHERE id = $1", params![id]).await?;
    row.map(|row| Ok(Blob { id: id.to_owned(), size: row.get("size")?, in_row: row.get("bytes")? })).transpose()
}

/// The blobs of a store.
pub struct Blobs {
    home: Home,
    ambient: Ambient,
}

/// Where bodies lie that are not small.
enum Home {
    Folder(Folder),
    Bucket(Bucket),
}

impl Blobs {
    /// Uses a folder, which is made when the first file is written.
    pub(crate) fn in_folder(folder: PathBuf, ambient: Ambient) -> Self {
        Self { home: Home::Folder(Folder::new(folder)), ambient }
    }

    /// Uses a bucket.
    ///
    /// # Errors
    /// `MO-7001` if the settings make no sense.
    pub(crate) fn in_bucket(config: &BucketConfig, ambient: Ambient) -> Result<Self> {
        Ok(Self { home: Home::Bucket(Bucket::new(config)?), ambient })
    }

    /// Opens the bytes of a blob.
    ///
    /// # Errors
    /// `MO-5010` if they are gone, `MO-5011` or `MO-5021` if they cannot be reached.
    pub async fn open(&self, blob: Blob) -> Result<BoxStream<'static, std::io::Result<Bytes>>> {
        match (blob.in_row, &self.home) {
            (Some(bytes), _) => Ok(stream::iter([Ok(Bytes::from(bytes))]).boxed()),
            (None, Home::Folder(folder)) => folder.read(&blob.id).await,
            (None, Home::Bucket(bucket)) => bucket.read(&blob.id).await,
        }
    }
}

impl Home {
    /// Removes what lies under a name; what is not there is removed.
    async fn remove(&self, id: &str) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.remove(id).await,
            Self::Bucket(bucket) => bucket.remove(id).await,
        }
    }
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.home {
            Home::Folder(folder) => write!(f, "Blobs({folder:?})"),
            Home::Bucket(bucket) => write!(f, "Blobs({bucket:?})"),
        }
    }
}

/// The first characters of a name: what lies in one place is spread over folders.
fn shard(id: &str) -> &str {
    id.get(..2).unwrap_or_default()
}

fn missing(id: &str) -> Problem {
    Problem::new(&codes::store::BLOB_MISSING, format!("blob {id}"))
}
