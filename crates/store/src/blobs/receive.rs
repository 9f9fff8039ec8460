//! Receiving a body: hashed while it comes, in memory while it is small, else in a file that is synced before it counts.

use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use model::Result;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use super::{Blobs, IN_ROW, failed};

/// A body that is whole and on disk (or small), and not yet anybody's.
#[derive(Clone, Debug)]
pub struct Received {
    /// The id that it will have.
    pub id: String,
    /// Its length in bytes.
    pub size: u64,
    /// BLAKE3 of its bytes in lower-case hexadecimal.
    pub blake3: String,
    pub(super) in_row: Option<Vec<u8>>,
}

/// A body on its way. Dropped before its end, it leaves nothing behind.
pub struct Receiving {
    blobs: Arc<Blobs>,
    id: String,
    size: u64,
    hasher: blake3::Hasher,
    small: Vec<u8>,
    file: Option<Incoming>,
}

/// The file of a body that is not small; removed when dropped, unless it was moved to its place.
struct Incoming {
    path: PathBuf,
    file: File,
}

impl Blobs {
    /// Begins to receive a body.
    pub fn receive(self: &Arc<Self>) -> Receiving {
        self.receive_as(HEXLOWER.encode(&self.ambient.random::<16>()))
    }

    /// Begins to receive a body that has an id already: one of a backup.
    pub fn receive_as(self: &Arc<Self>, id: String) -> Receiving {
        let (hasher, small) = (blake3::Hasher::new(), Vec::new());
        Receiving { blobs: self.clone(), id, size: 0, hasher, small, file: None }
    }

    /// Removes a body that was received and is not kept under its own id. What cannot be removed now is swept later.
    pub async fn discard(&self, received: Received) {
        if received.in_row.is_none() {
            let _ = fs::remove_file(self.path(&received.id)).await;
        }
    }
}

impl Receiving {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// `MO-5002` if the disk is full, `MO-5011` if it fails otherwise.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        if self.file.is_none() && self.small.len() + bytes.len() <= IN_ROW {
            self.small.extend_from_slice(bytes);
            return Ok(());
        }
        let incoming = match &mut self.file {
            Some(incoming) => incoming,
            None => {
                let (path, file) = self.blobs.create(&self.id).await?;
                let incoming = self.file.insert(Incoming { path, file });
                incoming.file.write_all(&std::mem::take(&mut self.small)).await.map_err(failed)?;
                incoming
            }
        };
        incoming.file.write_all(bytes).await.map_err(failed)
    }

    /// Ends the body: when this returns, its bytes are on disk, or in memory to be committed with their row.
    ///
    /// # Errors
    /// `MO-5002` if the disk is full, `MO-5011` if it fails otherwise.
    pub async fn finish(mut self) -> Result<Received> {
        let blake3 = self.hasher.finalize().to_hex().to_string();
        let in_row = match self.file.take() {
            None => Some(self.small),
            Some(mut incoming) => {
                incoming.file.flush().await.map_err(failed)?;
                incoming.file.sync_all().await.map_err(failed)?;
                self.blobs.settle(&incoming.path, &self.id).await?;
                None
            }
        };
        Ok(Received { id: self.id, size: self.size, blake3, in_row })
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // After a rename there is nothing under this name any more.
        let _ = std::fs::remove_file(&self.path);
    }
}
