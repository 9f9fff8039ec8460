//! The folder of blob files: `ab/abcdef…` for what is received, `incoming/` for what is on its way.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use model::{Ambient, Problem, Result, codes};
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;

use super::{failed, in_files};
use crate::Store;

/// How much of a file is read at once.
const CHUNK: usize = 64 * 1024;
/// A file that no row names is left alone for so long: its operation may still be under way.
const ORPHANED_AFTER: Duration = Duration::from_hours(24);
/// The folder of what is on its way.
const INCOMING: &str = "incoming";

/// The blobs of a store.
pub struct Blobs {
    folder: PathBuf,
    pub(super) ambient: Ambient,
}

impl Blobs {
    /// Uses `folder`, which is made when the first file is written.
    pub(crate) fn new(folder: PathBuf, ambient: Ambient) -> Self {
        Self { folder, ambient }
    }

    pub(super) fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id.get(..2).unwrap_or_default()).join(id)
    }

    /// Creates a file for a body on its way, readable by nobody else.
    pub(super) async fn create(&self, id: &str) -> Result<(PathBuf, File)> {
        let folder = self.folder.join(INCOMING);
        if !fs::try_exists(&folder).await.map_err(failed)? {
            fs::create_dir_all(&folder).await.map_err(failed)?;
            sync(self.folder.parent().unwrap_or(&self.folder)).await?;
        }
        let path = folder.join(id);
        let mut options = File::options();
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.write(true).create_new(true).open(&path).await.map_err(failed)?;
        Ok((path, file))
    }

    /// Moves a finished and synced file to its place, and makes sure that it stays there.
    pub(super) async fn settle(&self, incoming: &Path, id: &str) -> Result<()> {
        let path = self.path(id);
        let shard = path.parent().map(Path::to_owned).unwrap_or_default();
        fs::create_dir_all(&shard).await.map_err(failed)?;
        fs::rename(incoming, &path).await.map_err(failed)?;
        sync(&shard).await?;
        sync(&self.folder).await
    }

    pub(super) async fn read(&self, id: &str) -> Result<BoxStream<'static, io::Result<Bytes>>> {
        let file = File::open(self.path(id)).await.map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => Problem::new(&codes::store::BLOB_MISSING, format!("blob {id}")),
            _ => failed(cause),
        })?;
        let chunks = stream::try_unfold(file, |mut file| async move {
            let mut chunk = BytesMut::with_capacity(CHUNK);
            let read = file.read_buf(&mut chunk).await?;
            Ok((read > 0).then(|| (chunk.freeze(), file)))
        });
        Ok(chunks.boxed())
    }

    /// Removes a file, if it is there: for what must go at once, and not with the next sweep.
    ///
    /// # Errors
    /// `MO-5011` if it cannot be removed.
    pub async fn remove(&self, id: &str) -> Result<()> {
        match fs::remove_file(self.path(id)).await {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(failed(cause)),
            _ => Ok(()),
        }
    }

    /// Removes files that no row names and that are older than a day; returns how many.
    ///
    /// # Errors
    /// `MO-5011` if the folder cannot be read, and problems of the store.
    pub async fn sweep(&self, store: &Store) -> Result<u64> {
        let mut removed = 0;
        let mut folders = match fs::read_dir(&self.folder).await {
            Ok(folders) => folders,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(cause) => return Err(failed(cause)),
        };
        while let Some(folder) = folders.next_entry().await.map_err(failed)? {
            let old = old_files(&folder.path(), &self.ambient).await.map_err(failed)?;
            let kept = if folder.file_name() == INCOMING {
                vec![]
            } else {
                let ids = old.clone();
                store.read("blobs.sweep", move |tx| Box::pin(async move { in_files(tx, &ids).await })).await?
            };
            for id in old.iter().filter(|id| !kept.contains(id)) {
                fs::remove_file(folder.path().join(id)).await.map_err(failed)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Makes the entries of a folder durable.
async fn sync(folder: &Path) -> Result<()> {
    File::open(folder).await.map_err(failed)?.sync_all().await.map_err(failed)
}

/// Returns the names of the files in a folder that were last written more than a day ago.
async fn old_files(folder: &Path, ambient: &Ambient) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut entries = fs::read_dir(folder).await?;
    while let Some(entry) = entries.next_entry().await? {
        let written = entry.metadata().await?.modified()?;
        let age = std::time::SystemTime::from(ambient.now()).duration_since(written).unwrap_or_default();
        if age > ORPHANED_AFTER
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blobs({})", self.folder.display())
    }
}
