//! Bytes that belong to rows: small ones in the row itself, others as files of random names beside the database.
//!
//! A body is received whole before any row names it, so nobody ever sees a part of one. [`keep`] makes it an account's own, in
//! the operation that journals what it belongs to; a body that an account has already is kept once. What was received and never
//! kept goes when its [`Received`] is discarded, or is swept after a day.

mod files;
mod receive;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use model::{Problem, Result, codes};

pub use files::Blobs;
pub use receive::{Received, Receiving};

use crate::{Tx, params};

/// Bodies of up to this many bytes lie in the row and share the group commit.
pub const IN_ROW: usize = 64 * 1024;

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

/// Takes back one use of a blob; the last one removes its row, and its file goes with the next sweep.
pub async fn release(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.exec("UPDATE blob SET uses = uses - 1 WHERE id = $1", params![id]).await?;
    tx.exec("DELETE FROM blob WHERE id = $1 AND uses <= 0", params![id]).await?;
    Ok(())
}

/// Returns a blob, ready to be opened with [`Blobs::open`].
pub async fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Blob>> {
    let row = tx.query_opt("SELECT size, bytes FROM blob WHERE id = $1", params![id]).await?;
    row.map(|row| Ok(Blob { id: id.to_owned(), size: row.get("size")?, in_row: row.get("bytes")? })).transpose()
}

/// Tells which of these ids are blobs whose bytes lie in files.
pub(crate) async fn in_files(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<String>> {
    let mut known = Vec::new();
    for id in ids {
        if tx.query_opt("SELECT id FROM blob WHERE id = $1 AND bytes IS NULL", params![id]).await?.is_some() {
            known.push(id.clone());
        }
    }
    Ok(known)
}

impl Blobs {
    /// Opens the bytes of a blob.
    ///
    /// # Errors
    /// `MO-5010` if its file is gone.
    pub async fn open(&self, blob: Blob) -> Result<BoxStream<'static, std::io::Result<Bytes>>> {
        match blob.in_row {
            Some(bytes) => Ok(stream::iter([Ok(Bytes::from(bytes))]).boxed()),
            None => self.read(&blob.id).await,
        }
    }
}

/// Turns a failure of the file system into a problem.
fn failed(cause: std::io::Error) -> Problem {
    let code = match cause.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => &codes::store::FULL,
        _ => &codes::store::BLOB_FAILED,
    };
    Problem::new(code, cause.kind().to_string()).caused_by(cause)
}
