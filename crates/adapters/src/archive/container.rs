//! What tar and zip have in common: an index of files, and their bytes one by one, without unpacking to disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use model::Result;

use super::errors;
use super::tar::Tar;
use super::zip::Zip;
use crate::verbs::{Body, ContentOrder};

/// How many files an archive may hold.
pub const MAX_ENTRIES: usize = 4_000_000;

/// The longest path of a file that is taken, in bytes.
const MAX_PATH: usize = 4096;

/// Bytes that anything may unpack to; beyond that it is [`MAX_RATIO`] that counts.
const MAX_UNPACKED: u64 = 64 * 1024 * 1024;

/// How many times its packed size a thing may unpack to. Text packs 10 to 30 times; deflate allows 1,032.
const MAX_RATIO: u64 = 200;

/// One file of an archive.
#[derive(Debug)]
pub struct Stored {
    /// Its path, checked by [`safe_path`].
    pub path: Box<str>,
    /// Its length once unpacked, in bytes.
    pub size: u64,
    /// Where its bytes begin: in the file (zip, tar), or in the unpacked stream (compressed tar).
    pub at: u64,
    /// How its bytes are packed.
    pub packing: Packing,
}

/// How the bytes of one file are packed.
#[derive(Clone, Copy, Debug)]
pub enum Packing {
    /// Not by themselves.
    Plain,
    /// In a zip entry.
    Zip {
        /// The packed length.
        packed: u64,
        /// Whether they are deflated.
        deflated: bool,
        /// CRC-32 of the unpacked bytes.
        crc: u32,
    },
    /// In a way that is not read: the file is counted, and fails when it is opened.
    Unread(Unread),
}

/// Why a file of an archive is not read, although the rest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is encrypted.
    Locked,
    /// Its compression is not deflate.
    Method,
    /// It is another name of a file (tar's hard link).
    Link,
    /// Its holes are left out (GNU tar).
    Sparse,
    /// By itself it unpacks to far more than it should.
    Swollen,
}

impl Unread {
    /// Returns it in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Locked => "it is locked with a password",
            Self::Method => "it is packed in a way we do not read",
            Self::Link => "it is a hard link; pack the archive with --hard-dereference",
            Self::Sparse => "it is packed as a sparse file; pack the archive without --sparse",
            Self::Swollen => "it unpacks to far more than it should",
        }
    }
}

/// What an archive holds.
#[derive(Debug, Default)]
pub struct Index {
    /// Its files, in the order of the archive.
    pub entries: Vec<Stored>,
    /// Names that would leave the archive; their files are skipped.
    pub refused: Vec<String>,
}

impl Index {
    /// Adds a file, or notes that its name is refused; tells whether it was added.
    pub fn add(&mut self, name: &str, size: u64, at: u64, packing: Packing) -> Result<bool> {
        if self.entries.len() + self.refused.len() >= MAX_ENTRIES {
            return Err(errors::too_many_entries());
        }
        match safe_path(name) {
            Some(path) => self.entries.push(Stored { path: path.into(), size, at, packing }),
            None => self.refused.push(name.chars().take(200).collect()),
        }
        Ok(safe_path(name).is_some())
    }
}

/// Is shown the documents of an archive while it is indexed.
pub trait Visitor {
    /// Tells whether a file is a document to be read.
    fn wants(&self, path: &str) -> bool;

    /// Reads a document to its end.
    ///
    /// # Errors
    /// What reading it gave.
    fn document(&mut self, path: &str, content: &mut dyn Read) -> io::Result<()>;

    /// Notes a document that cannot be read.
    fn unread(&mut self, path: &str, why: Unread);
}

/// An archive that has been indexed.
pub enum Container {
    /// tar, compressed or not.
    Tar(Tar),
    /// zip.
    Zip(Zip),
}

impl Container {
    /// Indexes an archive, reading it to its end and showing its documents. Blocks.
    ///
    /// # Errors
    /// `MO-3001`, or `MO-3002` if it ends in the middle.
    pub fn open(path: &Path, visitor: &mut dyn Visitor) -> Result<(Self, Index)> {
        let mut magic = Vec::with_capacity(512);
        let file = File::open(path).map_err(errors::read_failed)?;
        file.take(512).read_to_end(&mut magic).map_err(errors::read_failed)?;
        match magic.as_slice() {
            [0x1f, 0x8b, ..] => Tar::open(path, true, visitor).map(|(tar, index)| (Self::Tar(tar), index)),
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Zip::open(path, visitor).map(|(zip, index)| (Self::Zip(zip), index)),
            block if block.get(257..262) == Some(b"ustar") => {
                Tar::open(path, false, visitor).map(|(tar, index)| (Self::Tar(tar), index))
            }
            [] => Err(errors::truncated("the file is empty")),
            _ => Err(errors::unreadable("it is neither zip, tar nor gzip", "unknown first bytes")),
        }
    }

    /// Returns in which order files can be opened cheaply.
    pub fn content_order(&self) -> ContentOrder {
        match self {
            Self::Tar(tar) => tar.content_order(),
            Self::Zip(_) => ContentOrder::Any,
        }
    }

    /// Opens the bytes of a file.
    ///
    /// # Errors
    /// What reading the archive gave.
    pub async fn read(&self, entries: Arc<[Stored]>, number: usize) -> Result<Body> {
        if let Packing::Unread(why) = entries[number].packing {
            return Err(errors::unread(why));
        }
        match self {
            Self::Tar(tar) => tar.read(entries, number).await,
            Self::Zip(zip) => zip.read(&entries[number]).await,
        }
    }
}

/// Returns the path of a file without `./`, or nothing if it would leave the archive.
pub fn safe_path(name: &str) -> Option<&str> {
    let name = name.trim_start_matches("./");
    let safe = !name.is_empty()
        && name.len() <= MAX_PATH
        && !name.contains(['\0', '\\'])
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    safe.then_some(name)
}

/// Returns to how many bytes something of this packed size may unpack.
pub fn unpack_limit(packed: u64) -> u64 {
    MAX_UNPACKED.saturating_add(packed.saturating_mul(MAX_RATIO))
}
