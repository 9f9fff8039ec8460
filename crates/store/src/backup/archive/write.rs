//! Writes a backup.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use model::{Problem, Result, codes};

use super::{BLOCK, END, HEADER, PURPOSE, Reader, head, padding};
use crate::Vault;
use crate::backup::{Counts, End, Header, broken};

/// Writes a backup; until it is finished its file has another name.
pub struct Writer {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    /// What the entry under way still lacks.
    missing: u64,
    /// The length of the entry under way, for the padding behind it.
    length: u64,
}

impl Writer {
    /// Begins a backup that is to lie at `path`, for its owner only.
    ///
    /// # Errors
    /// `MO-7005` if it exists already, or the file cannot be written.
    pub fn create(path: &Path, header: &Header) -> Result<Self> {
        if path.exists() {
            let detail = format!("{} exists already", path.display());
            return Err(Problem::new(&codes::config::FILE_UNWRITABLE, detail));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&part).map_err(|cause| unwritable(&part, cause))?;
        let file = BufWriter::with_capacity(1 << 20, file);
        let mut writer =
            Self { path: path.to_owned(), part, file, hasher: blake3::Hasher::new(), missing: 0, length: 0 };
        writer.entry(HEADER, &json(header)?)?;
        Ok(writer)
    }

    /// Writes a whole entry.
    ///
    /// # Errors
    /// `MO-7005` if the file cannot be written.
    pub fn entry(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.begin(name, bytes.len() as u64)?;
        self.write(bytes)?;
        self.end()
    }

    /// Begins an entry of this length.
    ///
    /// # Errors
    /// `MO-7005` if the file cannot be written.
    pub fn begin(&mut self, name: &str, length: u64) -> Result<()> {
        let header = head(name, length).ok_or_else(|| broken("an entry has too long a name"))?;
        self.hasher.update(name.as_bytes());
        self.hasher.update(&[0]);
        self.hasher.update(&length.to_be_bytes());
        (self.missing, self.length) = (length, length);
        self.file.write_all(header.as_bytes()).map_err(|cause| self.failed(cause))
    }

    /// Writes the next bytes of the entry under way.
    ///
    /// # Errors
    /// `MO-5030` if they are more than was said, `MO-7005` if the file cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.missing = self
            .missing
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| broken("something grew while it was backed up"))?;
        self.hasher.update(bytes);
        self.file.write_all(bytes).map_err(|cause| self.failed(cause))
    }

    /// Ends the entry under way.
    ///
    /// # Errors
    /// `MO-5030` if it is shorter than was said, `MO-7005` if the file cannot be written.
    pub fn end(&mut self) -> Result<()> {
        if self.missing > 0 {
            return Err(broken("something shrank while it was backed up"));
        }
        let padding = padding(self.length);
        self.file.write_all(&[0; BLOCK][..padding]).map_err(|cause| self.failed(cause))
    }

    /// Opens what was written so far for reading; what is written later is not seen.
    ///
    /// # Errors
    /// `MO-7005` if the file cannot be written or read.
    pub fn so_far(&mut self) -> Result<Reader> {
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().metadata());
        let length = flushed.map_err(|cause| self.failed(cause))?.len();
        Reader::open_until(&self.part, length).map(|(_, reader)| reader)
    }

    /// Ends the backup and gives it its name. When this returns it is on disk.
    ///
    /// # Errors
    /// `MO-7005` if the file cannot be written.
    pub fn finish(mut self, counts: &Counts, vault: &Vault) -> Result<()> {
        let digest = BASE64.encode(&vault.digest(PURPOSE, self.hasher.finalize().as_bytes()));
        self.entry(END, &json(&End { counts: counts.clone(), digest })?)?;
        // A tar archive ends with two empty blocks.
        let finished = self.file.write_all(&[0; 2 * BLOCK]).and_then(|()| self.file.flush());
        finished.map_err(|cause| self.failed(cause))?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let named = self.file.get_ref().sync_all().and_then(|()| std::fs::hard_link(&self.part, &self.path));
        named.and_then(|()| File::open(folder)?.sync_all()).map_err(|cause| self.failed(cause))
    }

    fn failed(&self, cause: std::io::Error) -> Problem {
        unwritable(&self.part, cause)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Finished, it also has its right name; not finished, it is of no use.
        let _ = std::fs::remove_file(&self.part);
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    Ok(crate::value::json(value)?.into_bytes())
}

fn unwritable(path: &Path, cause: std::io::Error) -> Problem {
    Problem::new(&codes::config::FILE_UNWRITABLE, format!("{}: {cause}", path.display())).caused_by(cause)
}
