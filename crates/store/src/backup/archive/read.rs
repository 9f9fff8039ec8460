//! Reads a backup.

use std::fs::File;
use std::io::{BufReader, Read, Take};
use std::path::Path;

use data_encoding::BASE64;
use model::{Problem, Result, codes};
use serde::de::DeserializeOwned;

use super::{BLOCK, END, HEADER, PURPOSE, head, padding};
use crate::Vault;
use crate::backup::{Counts, End, FORM, Header, broken};

/// The longest entry that is read into memory: a chunk of a table, or one of our own documents.
const LONGEST: u64 = 256 << 20;

/// One entry of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A chunk of a table's rows.
    Table {
        /// The table.
        name: String,
        /// The chunk: the names of the columns in a line, then the rows.
        chunk: Vec<u8>,
    },
    /// A blob, whose bytes [`Reader::read`] returns.
    Blob {
        /// Its id.
        id: String,
        /// Its length.
        size: u64,
    },
    /// The end.
    End(End),
}

/// Reads a backup.
pub struct Reader {
    file: BufReader<Take<File>>,
    hasher: blake3::Hasher,
    /// The hash over everything before the entry that was read last.
    before: blake3::Hash,
    /// What is left to read of a blob, and the padding behind it.
    left: u64,
    padding: usize,
}

impl Reader {
    /// Opens a backup and reads its header.
    ///
    /// # Errors
    /// `MO-7004` if there is no such file, `MO-5030` if it is no backup.
    pub fn open(path: &Path) -> Result<(Header, Self)> {
        Self::open_until(path, u64::MAX)
    }

    /// Opens the first bytes of a backup.
    pub(super) fn open_until(path: &Path, end: u64) -> Result<(Header, Self)> {
        let file = File::open(path).map_err(|cause| {
            Problem::new(&codes::config::FILE_UNREADABLE, format!("{}: {cause}", path.display())).caused_by(cause)
        })?;
        let mut reader = Self {
            file: BufReader::with_capacity(1 << 20, file.take(end)),
            hasher: blake3::Hasher::new(),
            before: blake3::hash(&[]),
            left: 0,
            padding: 0,
        };
        let (name, length) = reader.head()?.ok_or_else(|| broken("it is empty"))?;
        if name != HEADER {
            return Err(broken("it has no header"));
        }
        let header: Header = reader.document(length)?;
        if header.form != FORM {
            return Err(broken(format!("its form is not {FORM}")));
        }
        Ok((header, reader))
    }

    /// Reads the next entry; `None` where the file ends, which an unfinished one does without [`Entry::End`].
    ///
    /// # Errors
    /// `MO-5030` if it is damaged.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        while self.left > 0 {
            self.read()?;
        }
        let Some((name, length)) = self.head()? else { return Ok(None) };
        let entry = match name.split('/').collect::<Vec<_>>()[..] {
            ["tables", table, _] => Entry::Table { name: table.to_owned(), chunk: self.bytes(length)? },
            ["blobs", id] if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
                (self.left, self.padding) = (length, padding(length));
                Entry::Blob { id: id.to_owned(), size: length }
            }
            [END] => Entry::End(self.document(length)?),
            _ => return Err(broken("it holds an entry of another kind")),
        };
        Ok(Some(entry))
    }

    /// Returns the next bytes of a blob; none at its end.
    ///
    /// # Errors
    /// `MO-5030` if it is damaged.
    pub fn read(&mut self) -> Result<Vec<u8>> {
        let length = self.left.min(1 << 16);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.exactly(&mut bytes)?;
        self.hasher.update(&bytes);
        self.left -= length;
        if length > 0 && self.left == 0 {
            self.skip()?;
        }
        Ok(bytes)
    }

    /// Reads the whole backup and checks that it is what was written with this vault's key. Returns what is in it.
    ///
    /// # Errors
    /// `MO-5030` if it is damaged, cut off or changed.
    pub fn check(mut self, vault: &Vault) -> Result<Counts> {
        let mut found = Counts::default();
        while let Some(entry) = self.next_entry()? {
            match entry {
                Entry::Table { name, chunk } => {
                    let rows = chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
                    // The first line holds the names of the columns.
                    *found.tables.entry(name).or_default() += rows.saturating_sub(1);
                }
                Entry::Blob { size, .. } => {
                    found.blobs += 1;
                    found.blob_bytes += size;
                }
                Entry::End(end) => {
                    let digest = BASE64.encode(&vault.digest(PURPOSE, self.before.as_bytes()));
                    if end.digest != digest || end.counts != found {
                        return Err(broken("it was changed or damaged after it was taken"));
                    }
                    return Ok(found);
                }
            }
        }
        Err(broken("it is cut off"))
    }

    /// Reads the head of the next entry: its name and length.
    fn head(&mut self) -> Result<Option<(String, u64)>> {
        let mut header = tar::Header::new_gnu();
        match self.file.read_exact(header.as_mut_bytes()) {
            Err(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read.map_err(damaged)?,
        }
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let name = header.path().ok().and_then(|path| path.to_str().map(str::to_owned));
        let (name, length) = name.zip(header.entry_size().ok()).ok_or_else(|| broken("an entry cannot be read"))?;
        if head(&name, length).is_none_or(|ours| ours.as_bytes() != header.as_bytes()) {
            return Err(broken("it is no archive of ours, or was changed"));
        }
        self.before = self.hasher.finalize();
        self.hasher.update(name.as_bytes());
        self.hasher.update(&[0]);
        self.hasher.update(&length.to_be_bytes());
        Ok(Some((name, length)))
    }

    fn bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        if length > LONGEST {
            return Err(broken("an entry is longer than any of ours"));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.exactly(&mut bytes)?;
        self.hasher.update(&bytes);
        self.padding = padding(length);
        self.skip()?;
        Ok(bytes)
    }

    fn document<T: DeserializeOwned>(&mut self, length: u64) -> Result<T> {
        let bytes = self.bytes(length)?;
        serde_json::from_slice(&bytes).map_err(|cause| broken("a document in it cannot be read").caused_by(cause))
    }

    fn skip(&mut self) -> Result<()> {
        let mut padding = [0; BLOCK];
        let length = std::mem::take(&mut self.padding);
        self.exactly(&mut padding[..length])
    }

    fn exactly(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.file.read_exact(bytes).map_err(damaged)
    }
}

fn damaged(cause: std::io::Error) -> Problem {
    broken("it is cut off or cannot be read").caused_by(cause)
}
