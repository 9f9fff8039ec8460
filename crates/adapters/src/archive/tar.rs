//! Tar, compressed or not: files one behind the other.
//!
//! A compressed tar has one lane: it is unpacked from the front, and what lies behind the lane's position starts over.
//! Small files passed on the way are kept for a while, so that several opened at once, not quite in order, cost one pass.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use model::Result;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::container::{Index, Packing, Stored, Unread, Visitor, unpack_limit};
use super::errors;
use crate::body::{SMALL, blocking, body, read_whole, whole};
use crate::verbs::{Body, ContentOrder};

/// How much of what was passed by is kept, in bytes.
const KEPT: usize = 16 * 1024 * 1024;

const BLOCK: u64 = 512;

/// A tar file that has been indexed.
pub struct Tar {
    path: PathBuf,
    lane: Option<Arc<Mutex<Lane>>>,
}

impl Tar {
    /// Reads the archive to its end and shows the documents. Blocks.
    ///
    /// # Errors
    /// `MO-3001`, or `MO-3002` if it ends in the middle.
    pub fn open(path: &Path, gzip: bool, visitor: &mut dyn Visitor) -> Result<(Self, Index)> {
        let length = std::fs::metadata(path).map_err(errors::read_failed)?.len();
        let mut stream = Watched {
            inner: unpacked(path, gzip).map_err(errors::read_failed)?,
            zeros: 0,
            ended: false,
            left: unpack_limit(length),
        };
        let indexed = index(&mut stream, visitor);
        match indexed {
            Err(_) if stream.left == 0 => Err(errors::swollen()),
            Err(error) if stream.ended => Err(errors::truncated(error)),
            Err(error) => Err(error),
            // An archive ends with blocks of zeros; one that was cut between two files lacks them.
            Ok(_) if stream.zeros < BLOCK => Err(errors::truncated("the end mark is missing")),
            Ok(index) => {
                let lane = gzip.then(|| Arc::new(Mutex::new(Lane::new(path.to_owned()))));
                Ok((Self { path: path.to_owned(), lane }, index))
            }
        }
    }

    /// Returns in which order files can be opened cheaply.
    pub fn content_order(&self) -> ContentOrder {
        if self.lane.is_some() { ContentOrder::AsRead } else { ContentOrder::Any }
    }

    /// Opens the bytes of a file.
    ///
    /// # Errors
    /// What reading the archive gave.
    pub async fn read(&self, entries: Arc<[Stored]>, number: usize) -> Result<Body> {
        let Some(lane) = &self.lane else {
            let (path, at, size) = (self.path.clone(), entries[number].at, entries[number].size);
            return blocking(move || open_plain(&path, at, size).map_err(errors::read_failed)).await;
        };
        let lane = lane.clone().lock_owned().await;
        blocking(move || open_in_lane(lane, &entries, number).map_err(errors::read_failed)).await
    }
}

fn open_plain(path: &Path, at: u64, size: u64) -> io::Result<Body> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    body(size, file.take(size))
}

fn open_in_lane(mut lane: OwnedMutexGuard<Lane>, entries: &[Stored], number: usize) -> io::Result<Body> {
    if let Some(bytes) = lane.kept(number) {
        return Ok(whole(bytes));
    }
    lane.go_to(entries, number)?;
    let size = entries[number].size;
    body(size, LaneReader { lane, left: size })
}

fn unpacked(path: &Path, gzip: bool) -> io::Result<Box<dyn Read + Send>> {
    let file = BufReader::with_capacity(128 * 1024, File::open(path)?);
    Ok(if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

fn index(stream: &mut Watched, visitor: &mut dyn Visitor) -> Result<Index> {
    let mut index = Index::default();
    let mut archive = tar::Archive::new(&mut *stream);
    for entry in archive.entries().map_err(errors::read_failed)? {
        let mut entry = entry.map_err(errors::read_failed)?;
        let kind = entry.header().entry_type();
        let packing = match kind {
            kind if kind.is_file() || kind.is_contiguous() => Packing::Plain,
            kind if kind.is_hard_link() => Packing::Unread(Unread::Link),
            kind if kind.is_gnu_sparse() => Packing::Unread(Unread::Sparse),
            _ => continue,
        };
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        // The size of what is not read is not that of its bytes here: the lane would read too far.
        let size = if matches!(packing, Packing::Plain) { entry.size() } else { 0 };
        let added = index.add(&name, size, entry.raw_file_position(), packing)?;
        if let Some(stored) = index.entries.last().filter(|stored| added && visitor.wants(&stored.path)) {
            if let Packing::Unread(why) = packing {
                visitor.unread(&stored.path, why);
                continue;
            }
            visitor.document(&stored.path, &mut entry).map_err(errors::read_failed)?;
        }
    }
    // What follows the end mark holds the checksum of the compressed stream.
    io::copy(stream, &mut io::sink()).map_err(errors::read_failed)?;
    Ok(index)
}

/// The unpacked stream while it is indexed: notices where it ends, and when it unpacks to too much.
struct Watched {
    inner: Box<dyn Read + Send>,
    /// How many zeros were read last.
    zeros: u64,
    ended: bool,
    /// How much more may come.
    left: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).inspect_err(|error| {
            self.ended |= error.kind() == io::ErrorKind::UnexpectedEof;
        })?;
        self.ended |= read == 0 && !buffer.is_empty();
        self.left = self.left.saturating_sub(read as u64);
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        match buffer[..read].iter().rposition(|byte| *byte != 0) {
            Some(last) => self.zeros = (read - last - 1) as u64,
            None => self.zeros += read as u64,
        }
        Ok(read)
    }
}

/// The one place in a compressed tar that is being read.
struct Lane {
    path: PathBuf,
    stream: Option<Box<dyn Read + Send>>,
    position: u64,
    /// The first entry that lies wholly behind the position.
    next: usize,
    recent: VecDeque<(usize, Bytes)>,
    recent_size: usize,
}

impl Lane {
    fn new(path: PathBuf) -> Self {
        Self { path, stream: None, position: 0, next: 0, recent: VecDeque::new(), recent_size: 0 }
    }

    /// Takes a file that was passed by, if it is still there.
    fn kept(&mut self, number: usize) -> Option<Bytes> {
        let found = self.recent.iter().position(|(kept, _)| *kept == number)?;
        let (_, bytes) = self.recent.remove(found)?;
        self.recent_size -= bytes.len();
        Some(bytes)
    }

    fn keep(&mut self, number: usize, bytes: Bytes) {
        self.recent_size += bytes.len();
        self.recent.push_back((number, bytes));
        while self.recent_size > KEPT
            && let Some((_, oldest)) = self.recent.pop_front()
        {
            self.recent_size -= oldest.len();
        }
    }

    /// Moves to the beginning of a file, keeping small ones on the way.
    fn go_to(&mut self, entries: &[Stored], number: usize) -> io::Result<()> {
        if self.stream.is_none() || entries[number].at < self.position {
            self.stream = Some(unpacked(&self.path, true)?);
            self.position = 0;
            self.next = 0;
        }
        while self.next < number {
            let passed = &entries[self.next];
            if passed.at >= self.position && passed.size <= SMALL {
                self.skip_to(passed.at)?;
                let bytes = self.read_small(passed.size)?;
                self.keep(self.next, bytes);
            }
            self.next += 1;
        }
        self.skip_to(entries[number].at)?;
        self.next = number + 1;
        Ok(())
    }

    fn skip_to(&mut self, at: u64) -> io::Result<()> {
        let gap = at - self.position;
        if io::copy(&mut self.take(gap), &mut io::sink())? == gap {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    fn read_small(&mut self, size: u64) -> io::Result<Bytes> {
        read_whole(size, &mut self.take(size))
    }
}

impl Read for Lane {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return Ok(0) };
        let read = stream.read(buffer);
        match &read {
            Ok(read) => self.position += *read as u64,
            // A stream that failed is not read on: the next file starts over.
            Err(_) => self.stream = None,
        }
        read
    }
}

/// One file: holds the lane until it is read or dropped.
struct LaneReader {
    lane: OwnedMutexGuard<Lane>,
    left: u64,
}

impl Read for LaneReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.lane.read(&mut buffer[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}
