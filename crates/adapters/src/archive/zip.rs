//! Zip: files in any order, each packed by itself, known from the directory at the end.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use model::Result;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::container::{Index, Packing, Stored, Unread, Visitor, unpack_limit};
use super::errors;
use crate::body::{blocking, body};
use crate::verbs::Body;

/// A zip file that has been indexed.
pub struct Zip {
    path: PathBuf,
}

impl Zip {
    /// Reads the directory and shows the documents. Blocks.
    ///
    /// # Errors
    /// `MO-3001`, `MO-3002` if the directory or a file's bytes are not there, or `MO-3023`.
    pub fn open(path: &Path, visitor: &mut dyn Visitor) -> Result<(Self, Index)> {
        let file = File::open(path).map_err(errors::read_failed)?;
        let length = file.metadata().map_err(errors::read_failed)?.len();
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(directory_failed)?;
        let zip = Self { path: path.to_owned() };
        let mut index = Index::default();
        // Entries may share their bytes: what each unpacks to says nothing about the whole.
        let mut left = unpack_limit(length);
        for number in 0..archive.len() {
            let entry =
                archive.by_index_raw(number).map_err(|error| errors::unreadable("an entry is broken", error))?;
            if !entry.is_file() {
                continue;
            }
            left = left.checked_sub(entry.size()).ok_or_else(errors::swollen)?;
            let (packed, crc) = (entry.compressed_size(), entry.crc32());
            let packing = match entry.compression() {
                _ if entry.encrypted() => Packing::Unread(Unread::Locked),
                _ if entry.size() > unpack_limit(packed) => Packing::Unread(Unread::Swollen),
                CompressionMethod::Stored => Packing::Zip { packed, deflated: false, crc },
                CompressionMethod::Deflated => Packing::Zip { packed, deflated: true, crc },
                _ => Packing::Unread(Unread::Method),
            };
            let Some(at) = entry.data_start() else { return Err(errors::truncated("an entry has no data")) };
            if at.checked_add(packed).is_none_or(|end| end > length) {
                return Err(errors::truncated("an entry's data lies behind the end of the file"));
            }
            let name = entry.name().map_err(|error| errors::unreadable("a name cannot be read", error))?.into_owned();
            if index.add(&name, entry.size(), at, packing)? {
                zip.show(index.entries.last(), visitor)?;
            }
        }
        Ok((zip, index))
    }

    fn show(&self, stored: Option<&Stored>, visitor: &mut dyn Visitor) -> Result<()> {
        match stored {
            Some(stored) if visitor.wants(&stored.path) => {
                if let Packing::Unread(why) = stored.packing {
                    visitor.unread(&stored.path, why);
                    return Ok(());
                }
                let mut reader =
                    reader(&self.path, stored.at, stored.size, stored.packing).map_err(errors::read_failed)?;
                visitor.document(&stored.path, &mut reader).map_err(errors::read_failed)
            }
            _ => Ok(()),
        }
    }

    /// Opens the bytes of a file.
    ///
    /// # Errors
    /// What reading the archive gave, a wrong checksum included.
    pub async fn read(&self, stored: &Stored) -> Result<Body> {
        let (path, at, size, packing) = (self.path.clone(), stored.at, stored.size, stored.packing);
        blocking(move || {
            reader(&path, at, size, packing).and_then(|reader| body(size, reader)).map_err(errors::read_failed)
        })
        .await
    }
}

fn directory_failed(error: ZipError) -> model::Problem {
    match error {
        ZipError::Io(error) => errors::read_failed(error),
        // A zip file begins with its first file and ends with its directory.
        ZipError::InvalidArchive(_) => errors::truncated(error),
        error => errors::unreadable("its directory cannot be read", error),
    }
}

fn reader(path: &Path, at: u64, size: u64, packing: Packing) -> io::Result<Unpacked> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let (packed, deflated, crc) = match packing {
        Packing::Zip { packed, deflated, crc } => (packed, deflated, Some(crc)),
        Packing::Plain | Packing::Unread(_) => (size, false, None),
    };
    let bytes = BufReader::with_capacity(64 * 1024, file).take(packed);
    let unpacked: Box<dyn Read + Send> = if deflated { Box::new(DeflateDecoder::new(bytes)) } else { Box::new(bytes) };
    Ok(Unpacked { bytes: CrcReader::new(unpacked), crc, left: size })
}

/// The bytes of one entry; their checksum is compared at the end.
struct Unpacked {
    bytes: CrcReader<Box<dyn Read + Send>>,
    crc: Option<u32>,
    left: u64,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "an entry is longer than the directory says"))?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        if self.left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match self.crc {
            Some(crc) if crc != self.bytes.crc().sum() => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "an entry's checksum is wrong"))
            }
            _ => Ok(0),
        }
    }
}
