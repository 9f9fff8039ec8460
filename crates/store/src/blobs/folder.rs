//! The folder of blob files: `ab/abcdef…` for what is received, `incoming/` for what is on its way.
//!
//! A file counts when it is synced and has been renamed to its place, and its folder is synced too. Nobody else may read it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use model::{Problem, Result, codes};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{missing, shard};

/// How much of a file is read at once.
const CHUNK: usize = 64 * 1024;
/// The folder of what is on its way.
const INCOMING: &str = "incoming";
/// The file with the mark of the store that the folder belongs to.
const MARK: &str = ".store";

/// The folder.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// The file of a body on its way; removed when dropped, unless it was moved to its place.
pub(super) struct Incoming {
    path: PathBuf,
    place: PathBuf,
    file: File,
}

impl Folder {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn path(&self, id: &str) -> PathBuf {
        self.0.join(shard(id)).join(id)
    }

    /// Creates a file for a body on its way.
    pub(super) async fn begin(&self, id: &str) -> Result<Incoming> {
        let folder = self.0.join(INCOMING);
        if !fs::try_exists(&folder).await.map_err(failed)? {
            fs::create_dir_all(&folder).await.map_err(failed)?;
            sync(self.0.parent().unwrap_or(&self.0)).await?;
        }
        let path = folder.join(id);
        let file = create_new(&path).await.map_err(failed)?;
        Ok(Incoming { path, place: self.path(id), file })
    }

    pub(super) async fn read(&self, id: &str) -> Result<BoxStream<'static, io::Result<Bytes>>> {
        let file = File::open(self.path(id)).await.map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => missing(id),
            _ => failed(cause),
        })?;
        let chunks = stream::try_unfold(file, |mut file| async move {
            let mut chunk = BytesMut::with_capacity(CHUNK);
            let read = file.read_buf(&mut chunk).await?;
            Ok((read > 0).then(|| (chunk.freeze(), file)))
        });
        Ok(chunks.boxed())
    }

    pub(super) async fn remove(&self, id: &str) -> Result<()> {
        match fs::remove_file(self.path(id)).await {
            Ok(()) => sync(&self.0.join(shard(id))).await,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => Err(failed(cause)),
        }
    }

    /// Removes what was on its way since before `then` and never arrived; returns how many files.
    pub(super) async fn remove_unfinished(&self, then: SystemTime) -> Result<u64> {
        let folder = self.0.join(INCOMING);
        let old = old_files(&folder, then).await.map_err(failed)?;
        for name in &old {
            fs::remove_file(folder.join(name)).await.map_err(failed)?;
        }
        Ok(old.len() as u64)
    }

    /// Returns the ids of bodies that arrived before `then`, a group of files at a time.
    pub(super) fn older_than(&self, then: SystemTime) -> BoxStream<'_, Result<Vec<String>>> {
        let folders = stream::try_unfold(None, move |entries: Option<fs::ReadDir>| async move {
            let mut entries = match entries {
                Some(entries) => entries,
                None => match fs::read_dir(&self.0).await {
                    Ok(entries) => entries,
                    Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(cause) => return Err(failed(cause)),
                },
            };
            while let Some(entry) = entries.next_entry().await.map_err(failed)? {
                if entry.file_name() != INCOMING && entry.file_type().await.map_err(failed)?.is_dir() {
                    let old = old_files(&entry.path(), then).await.map_err(failed)?;
                    return Ok(Some((old, Some(entries))));
                }
            }
            Ok(None)
        });
        folders.boxed()
    }

    /// Returns the mark of the store that the folder belongs to.
    pub(super) async fn mark(&self) -> Result<Option<String>> {
        match fs::read_to_string(self.0.join(MARK)).await {
            Ok(mark) => Ok(Some(mark.trim().to_owned())),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(failed(cause)),
        }
    }

    /// Marks the folder as that of a store. A mark that somebody else has just made stays.
    pub(super) async fn set_mark(&self, mark: &str) -> Result<()> {
        fs::create_dir_all(&self.0).await.map_err(failed)?;
        match create_new(&self.0.join(MARK)).await {
            Ok(mut file) => {
                file.write_all(mark.as_bytes()).await.map_err(failed)?;
                file.sync_all().await.map_err(failed)?;
                sync(&self.0).await
            }
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(cause) => Err(failed(cause)),
        }
    }
}

impl Incoming {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).await.map_err(failed)
    }

    /// Moves the file to its place, and makes sure that it stays there.
    pub(super) async fn finish(mut self) -> Result<()> {
        self.file.flush().await.map_err(failed)?;
        self.file.sync_all().await.map_err(failed)?;
        let shard = self.place.parent().map(Path::to_owned).unwrap_or_default();
        fs::create_dir_all(&shard).await.map_err(failed)?;
        fs::rename(&self.path, &self.place).await.map_err(failed)?;
        sync(&shard).await?;
        sync(shard.parent().unwrap_or(&shard)).await
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // After a rename there is nothing under this name any more.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Creates a file that nobody else may read.
async fn create_new(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    options.mode(0o600);
    options.write(true).create_new(true).open(path).await
}

/// Makes the entries of a folder durable.
async fn sync(folder: &Path) -> Result<()> {
    File::open(folder).await.map_err(failed)?.sync_all().await.map_err(failed)
}

/// Returns the names of the files in a folder that were last written before `then`.
async fn old_files(folder: &Path, then: SystemTime) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut entries = match fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(names),
        Err(cause) => return Err(cause),
    };
    while let Some(entry) = entries.next_entry().await? {
        if entry.metadata().await?.modified()? < then
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Turns a failure of the file system into a problem.
fn failed(cause: io::Error) -> Problem {
    let code = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => &codes::store::FULL,
        _ => &codes::store::BLOB_FAILED,
    };
    Problem::new(code, cause.kind().to_string()).caused_by(cause)
}
