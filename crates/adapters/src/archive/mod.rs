//! Export archives as a source: zip and tar read in place, in the formats that services hand out.
//!
//! Opening reads the archive once: that proves it whole, indexes its files and keeps its records packed in memory.
//! Content is read when an item is opened, on a blocking thread, a few chunks ahead of whoever consumes it.

mod container;
mod errors;
mod mastodon;
mod read;
mod records;
mod tar;
mod zip;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{DataType, Result};

use crate::body::blocking;
use crate::open::Described;
use crate::verbs::{Capabilities, ContentOrder};
use container::{Container, Stored};
use mastodon::{Documents, Export};

/// An export archive that has been opened and found whole.
pub struct Archive {
    container: Container,
    entries: Arc<[Stored]>,
    /// The numbers of the entries, in the order of their paths.
    by_path: Vec<u32>,
    export: Arc<Export>,
    fingerprint: String,
}

/// Returns what archives can do; the order of content depends on the file.
fn capabilities() -> Capabilities {
    let reads = vec![
        DataType::Albums,
        DataType::Photos,
        DataType::Videos,
        DataType::Posts,
        DataType::Likes,
        DataType::Files,
        DataType::Bookmarks,
    ];
    Capabilities { reads, concurrency: 8, ..Capabilities::default() }
}

/// Returns the adapter's line in the registry.
pub fn described() -> Described {
    Described {
        name: "archive",
        capabilities: capabilities(),
        about: "an export archive (.zip, .tar.gz) that a service handed out: Mastodon",
    }
}

impl Archive {
    /// Opens an archive, reading it to its end.
    ///
    /// # Errors
    /// `MO-3001` if it cannot be read, `MO-3002` if it ends in the middle, `MO-3003` if it is no export that we know,
    /// `MO-3023` if it unpacks to far more than it should.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        blocking(move || Self::open_blocking(&path)).await
    }

    fn open_blocking(path: &Path) -> Result<Self> {
        let mut documents = Documents::default();
        let (container, index) = Container::open(path, &mut documents)?;
        let by_path = mastodon::sort_paths(&index.entries);
        let export = documents.choose(&index, &by_path)?;
        let fingerprint = fingerprint(path, &index.entries)?;
        Ok(Self { container, entries: index.entries.into(), by_path, export: Arc::new(export), fingerprint })
    }

    fn content_order(&self) -> ContentOrder {
        self.container.content_order()
    }
}

/// Returns what changes when the file does: its length, its time, its files. Where it lies does not matter.
fn fingerprint(path: &Path, entries: &[Stored]) -> Result<String> {
    let metadata = std::fs::metadata(path).map_err(errors::read_failed)?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let mut hash = blake3::Hasher::new();
    hash.update(&metadata.len().to_le_bytes());
    hash.update(&modified.unwrap_or_default().as_nanos().to_le_bytes());
    for stored in entries {
        hash.update(stored.path.as_bytes());
        hash.update(&[0]);
        hash.update(&stored.size.to_le_bytes());
        hash.update(&stored.at.to_le_bytes());
    }
    Ok(hash.finalize().to_hex().to_string())
}
