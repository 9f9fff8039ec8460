//! Writing into a bag: a file first, then the line that names it; confirmed when both are on disk.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_lc_rs::digest;
use futures_util::StreamExt;
use model::{DataType, Item, Problem, Result};
use tokio::io::AsyncWriteExt;
use wire::bag::{self, Line};

use super::commit::{Committer, sync_folder};
use super::{capabilities, errors, hex, manifest};
use crate::body::{blocking, length_changed, unreadable};
use crate::verbs::{Body, Capabilities, Destination, ItemKey, Written};

/// Where files grow until they are whole: outside the payload, so that a crash leaves no half file in the bag.
const PARTS: &str = ".parts";

/// A bag that is open for writing.
pub struct BagWriter {
    root: PathBuf,
    /// What is there already.
    known: Mutex<HashMap<Digest, Known>>,
    committer: Committer,
    /// Held while the bag is open, so that no two transfers write the same lines.
    _lock: File,
}

/// A short digest of an item's key.
type Digest = [u8; 16];

/// What is remembered of an item that is there.
struct Known {
    bytes: u64,
    blake3: Option<[u8; 32]>,
}

impl BagWriter {
    /// Opens the bag in `root`, or makes one where there is nothing, and mends what a crash has left.
    ///
    /// # Errors
    /// `MO-3019` if the folder holds other things or cannot be written.
    pub async fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        blocking(move || {
            let lock = prepare(&root).map_err(|error| errors::unwritable(error.kind()))??;
            let known = recall(&root).map_err(|error| errors::unwritable(error.kind()))?;
            let committer = Committer::start(root.clone())?;
            Ok(Self { root, known: Mutex::new(known), committer, _lock: lock })
        })
        .await
    }

    fn recognised(&self, digest: &Digest) -> Option<Written> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { bytes, blake3 } = known.get(digest)?;
        let blake3 = blake3.map(|hash| blake3::Hash::from_bytes(hash).to_hex().to_string());
        Some(Written { remote_id: None, already_there: true, bytes: *bytes, blake3, loss: vec![] })
    }

    async fn receive(&self, item: &Item, name: &str, body: Body) -> Result<bag::File> {
        let original = item.content.as_ref().and_then(|content| content.name.as_deref());
        let path = bag::media_file(item.data_type, name, original);
        let part = self.root.join(PARTS).join(name);
        let received = receive(&part, &self.root.join(&path), body).await;
        if received.is_err() {
            // It is no part of the bag, and opening the bag sweeps it.
            tokio::fs::remove_file(&part).await.ok();
        }
        let (size, sha256, blake3) = received?;
        Ok(bag::File { path, size, sha256, blake3 })
    }
}

#[async_trait]
impl Destination for BagWriter {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn refuses(&self, _: &Item) -> Option<Problem> {
        None
    }

    async fn write(&self, item: &Item, key: &ItemKey, body: Option<Body>) -> Result<Written> {
        let digest = digest_of(&key.key);
        if let Some(written) = self.recognised(&digest) {
            return Ok(written);
        }
        let file = match body {
            Some(body) => Some(self.receive(item, &hex(&digest), body).await?),
            None => None,
        };
        let folder = file.as_ref().and_then(|file| self.root.join(&file.path).parent().map(Path::to_owned));
        let line = Line { key: key.key.clone(), file, item: item.clone() };
        self.committer.append(item.data_type, line.to_bytes()?, folder).await?;

        let known = Known::of(&line);
        let bytes = known.bytes;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, known);
        let blake3 = line.file.map(|file| file.blake3);
        Ok(Written { remote_id: None, already_there: false, bytes, blake3, loss: vec![] })
    }

    async fn finish(&self) -> Result<()> {
        let root = self.root.clone();
        blocking(move || manifest::write(&root).map_err(|error| errors::unwritable(error.kind()))).await
    }
}

impl Known {
    fn of(line: &Line) -> Self {
        let hash = line.file.as_ref().and_then(|file| blake3::Hash::from_hex(&file.blake3).ok());
        Self { bytes: line.file.as_ref().map_or(0, |file| file.size), blake3: hash.map(|hash| *hash.as_bytes()) }
    }
}

fn digest_of(key: &str) -> Digest {
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
    digest
}

/// Writes a body into `part` and, when it is whole and on disk, moves it to `path`. Returns its length, SHA-256 and BLAKE3.
async fn receive(part: &Path, path: &Path, mut body: Body) -> Result<(u64, String, String)> {
    let failed = |error: io::Error| errors::unwritable(error.kind());
    let mut file = tokio::fs::File::create(part).await.map_err(failed)?;
    let (mut size, mut sha256, mut blake3) = (0, digest::Context::new(&digest::SHA256), blake3::Hasher::new());
    while let Some(chunk) = body.stream.next().await {
        let chunk = chunk.map_err(unreadable)?;
        size += chunk.len() as u64;
        sha256.update(&chunk);
        blake3.update(&chunk);
        file.write_all(&chunk).await.map_err(failed)?;
    }
    if let Some(announced) = body.size.filter(|announced| *announced != size) {
        return Err(length_changed(announced));
    }
    file.sync_all().await.map_err(failed)?;
    tokio::fs::rename(part, path).await.map_err(failed)?;
    Ok((size, hex(sha256.finish().as_ref()), blake3.finalize().to_hex().to_string()))
}

/// Whose a folder is.
pub enum Occupancy {
    /// Nothing is in it, or a mark that was not written to its end.
    Empty,
    /// It is a bag with our mark.
    Ours,
    /// It holds other things, perhaps a bag of somebody else's.
    Foreign,
}

/// Looks whose a folder is.
pub fn occupancy(root: &Path) -> io::Result<Occupancy> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root)?.take(2) {
        names.push(entry?.file_name());
    }
    let mut info = Vec::new();
    match File::open(root.join(bag::INFO_FILE)) {
        Ok(file) => file.take(64 * 1024).read_to_end(&mut info)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let only_mark = names.iter().all(|name| name == bag::INFO_FILE) && bag::MARK.as_bytes().starts_with(&info);
    Ok(match bag::is_ours(&String::from_utf8_lossy(&info)) {
        _ if only_mark => Occupancy::Empty,
        true => Occupancy::Ours,
        false => Occupancy::Foreign,
    })
}

fn mark(root: &Path) -> io::Result<()> {
    let mut file = File::create(root.join(bag::INFO_FILE))?;
    file.write_all(bag::MARK.as_bytes())?;
    file.sync_all()?;
    sync_folder(root)
}

/// Makes the folders and tag files of a bag where they lack, and sweeps what a crash has left. The inner error is a refusal.
fn prepare(root: &Path) -> io::Result<Result<File>> {
    fs::create_dir_all(root)?;
    let declaration = root.join(bag::DECLARATION_FILE);
    match occupancy(root)? {
        Occupancy::Ours => {}
        // The mark comes before anything else, so that a first run that was interrupted is known as ours.
        Occupancy::Empty => mark(root)?,
        Occupancy::Foreign => return Ok(Err(errors::occupied())),
    }
    let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&declaration)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Err(errors::busy())),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    if lock.metadata()?.len() != bag::DECLARATION.len() as u64 {
        lock.set_len(0)?;
        (&lock).write_all(bag::DECLARATION.as_bytes())?;
        lock.sync_all()?;
    }
    let parts = root.join(PARTS);
    if parts.exists() {
        fs::remove_dir_all(&parts)?;
    }
    fs::create_dir(&parts)?;
    for data_type in DataType::ALL {
        fs::create_dir_all(root.join(format!("{}{data_type}", bag::MEDIA)))?;
        mend(&root.join(bag::lines_file(data_type)))?;
    }
    // What is written from now on is not in the manifest: until it is written anew there is none.
    match fs::remove_file(root.join(bag::MANIFEST_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    for folder in [bag::MEDIA, bag::PAYLOAD, ""] {
        sync_folder(&root.join(folder))?;
    }
    Ok(Ok(lock))
}

/// Cuts off a last line that was not written to its end.
fn mend(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut end = file.metadata()?.len();
    let length = end;
    let mut block = vec![0; 64 * 1024];
    while end > 0 {
        let begin = end.saturating_sub(block.len() as u64);
        let part = &mut block[..usize::try_from(end - begin).map_err(io::Error::other)?];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(part)?;
        if let Some(newline) = part.iter().rposition(|byte| *byte == b'\n') {
            end = begin + newline as u64 + 1;
            break;
        }
        end = begin;
    }
    if end < length {
        file.set_len(end)?;
        file.sync_all()?;
    }
    Ok(())
}

/// Reads what is there.
fn recall(root: &Path) -> io::Result<HashMap<Digest, Known>> {
    let mut known = HashMap::new();
    for data_type in DataType::ALL {
        each_line(root, data_type, |line| {
            known.insert(digest_of(&line.key), Known::of(&line));
            Ok(())
        })?;
    }
    Ok(known)
}

/// Shows every line of a data type that can be read; others were spoilt by hand, and are left as they are.
pub fn each_line(root: &Path, data_type: DataType, mut each: impl FnMut(Line) -> io::Result<()>) -> io::Result<()> {
    let file = match File::open(root.join(bag::lines_file(data_type))) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut lines = BufReader::with_capacity(128 * 1024, file);
    let mut line = Vec::new();
    while lines.by_ref().take(bag::MAX_LINE as u64).read_until(b'\n', &mut line)? > 0 {
        if let Ok(line) = Line::parse(&line) {
            each(line)?;
        }
        line.clear();
    }
    Ok(())
}
