//! Receiving a body: hashed while it comes, in memory while it is small, else in a file or an object that nobody sees before it is whole.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use model::Result;

use super::{Blobs, Home, IN_ROW, bucket, folder};

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
    large: Option<Incoming>,
}

/// Where a body that is not small goes.
enum Incoming {
    File(folder::Incoming),
    Upload(bucket::Upload),
}

impl Blobs {
    /// Begins to receive a body.
    pub fn receive(self: &Arc<Self>) -> Receiving {
        self.receive_as(HEXLOWER.encode(&self.ambient.random::<16>()))
    }

    /// Begins to receive a body that has an id already: one of a backup.
    pub fn receive_as(self: &Arc<Self>, id: String) -> Receiving {
        let (hasher, small) = (blake3::Hasher::new(), Vec::new());
        Receiving { blobs: self.clone(), id, size: 0, hasher, small, large: None }
    }

    /// Removes a body that was received and is not kept under its own id. What cannot be removed now is swept later.
    pub async fn discard(&self, received: Received) {
        if received.in_row.is_none()
            && let Err(problem) = self.home.remove(&received.id).await
        {
            tracing::debug!(%problem, "a body that nobody keeps is left to the sweep");
        }
    }
}

impl Receiving {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// `MO-5002` if the disk is full, `MO-5011` if it fails otherwise, `MO-5021` if the bucket refuses them.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        if self.large.is_none() && self.small.len() + bytes.len() <= IN_ROW {
            self.small.extend_from_slice(bytes);
            return Ok(());
        }
        if self.large.is_none() {
            let mut large = match &self.blobs.home {
                Home::Folder(folder) => Incoming::File(folder.begin(&self.id).await?),
                Home::Bucket(bucket) => Incoming::Upload(bucket.begin(&self.id)),
            };
            large.write(&std::mem::take(&mut self.small)).await?;
            self.large = Some(large);
        }
        match &mut self.large {
            Some(large) => large.write(bytes).await,
            None => Ok(()),
        }
    }

    /// Ends the body: when this returns, its bytes are stored, or in memory to be committed with their row.
    ///
    /// # Errors
    /// As [`Receiving::write`].
    pub async fn finish(self) -> Result<Received> {
        let blake3 = self.hasher.finalize().to_hex().to_string();
        let in_row = match self.large {
            None => Some(self.small),
            Some(Incoming::File(file)) => {
                file.finish().await?;
                None
            }
            Some(Incoming::Upload(upload)) => {
                upload.finish().await?;
                None
            }
        };
        Ok(Received { id: self.id, size: self.size, blake3, in_row })
    }
}

impl Incoming {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::File(file) => file.write(bytes).await,
            Self::Upload(upload) => upload.write(bytes).await,
        }
    }
}
