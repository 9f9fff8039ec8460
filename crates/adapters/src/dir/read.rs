//! Reading a bag back: the same items, in the order of data types, containers first.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use model::item::Content;
use model::{DataType, Problem, Result, codes};
use wire::bag::{self, Line};

use super::{capabilities, errors};
use crate::body::{blocking, body};
use crate::verbs::{Body, Capabilities, Cursor, Entry, Page, Source};

/// How many entries a page has.
const PAGE: usize = 1000;

/// A bag that is open for reading.
pub struct BagReader {
    root: PathBuf,
}

impl BagReader {
    /// Opens the bag in `root`.
    ///
    /// # Errors
    /// `MO-3001` if it cannot be read, `MO-3003` if it is another kind of folder.
    pub async fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        blocking(move || {
            let declared = std::fs::metadata(&root).and_then(|_| std::fs::read(root.join(bag::DECLARATION_FILE)));
            match declared {
                Ok(text) if text.starts_with(b"BagIt-Version:") && root.join(bag::PAYLOAD).is_dir() => {
                    Ok(Self { root })
                }
                Err(error) if !root.is_dir() => Err(errors::unreadable(error)),
                _ => {
                    Err(Problem::new(&codes::transfer::ARCHIVE_UNKNOWN_FORMAT, "the folder is not a bag of moveout's"))
                }
            }
        })
        .await
    }
}

#[async_trait]
impl Source for BagReader {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    async fn fingerprint(&self) -> Result<String> {
        let root = self.root.clone();
        blocking(move || fingerprint(&root).map_err(errors::unreadable)).await
    }

    async fn page(&self, cursor: Option<&Cursor>) -> Result<Page> {
        let place = cursor.map_or(Some(Place::default()), |Cursor(text)| Place::parse(text)).ok_or_else(|| {
            Problem::new(&codes::transfer::SOURCE_CHANGED, "the place to go on from is not in this folder")
        })?;
        let root = self.root.clone();
        blocking(move || page(&root, place).map_err(errors::unreadable)).await
    }

    async fn open(&self, content: &Content) -> Result<Body> {
        let inside =
            content.locator.strip_prefix(bag::MEDIA).is_some_and(|rest| !rest.split('/').any(|part| part == ".."));
        if !inside {
            return Err(Problem::new(
                &codes::transfer::NAME_UNSAFE,
                "the file of an item is not among the folder's files",
            ));
        }
        let path = self.root.join(&content.locator);
        blocking(move || open(&path)).await
    }
}

fn open(path: &Path) -> Result<Body> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    match opened.and_then(|(size, file)| body(size, file)) {
        Ok(body) => Ok(body),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Problem::new(&codes::transfer::MEDIA_MISSING, "the folder does not hold it").caused_by(error))
        }
        Err(error) => Err(errors::unreadable(error)),
    }
}

/// Where a page begins: a data type, and a byte of its file.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The number of the type in [`DataType::ALL`].
    part: usize,
    offset: u64,
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let (name, offset) = text.split_once(':')?;
        let part = DataType::ALL.iter().position(|data_type| data_type.name() == name)?;
        Some(Self { part, offset: offset.parse().ok()? })
    }

    fn cursor(self) -> Option<Cursor> {
        let data_type = DataType::ALL.get(self.part)?;
        Some(Cursor(format!("{data_type}:{}", self.offset)))
    }
}

fn page(root: &Path, mut place: Place) -> io::Result<Page> {
    let mut page = Page::default();
    while let Some(data_type) = DataType::ALL.get(place.part)
        && page.entries.len() < PAGE
    {
        match File::open(root.join(bag::lines_file(*data_type))) {
            Ok(file) => place.offset = read_lines(file, *data_type, place.offset, &mut page.entries)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if page.entries.len() < PAGE {
            place = Place { part: place.part + 1, offset: 0 };
        }
    }
    page.next = place.cursor();
    Ok(page)
}

/// Reads lines until the page is full or the file ends; returns where it stopped.
fn read_lines(mut file: File, data_type: DataType, mut offset: u64, entries: &mut Vec<Entry>) -> io::Result<u64> {
    file.seek(SeekFrom::Start(offset))?;
    let mut lines = BufReader::with_capacity(128 * 1024, file);
    let mut line = Vec::new();
    while entries.len() < PAGE {
        line.clear();
        let read = lines.by_ref().take(bag::MAX_LINE as u64).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        entries.push(entry(&line, data_type, offset));
        offset += read as u64;
    }
    Ok(offset)
}

fn entry(line: &[u8], data_type: DataType, offset: u64) -> Entry {
    match Line::parse(line) {
        Ok(Line { mut item, file, .. }) => {
            if let (Some(content), Some(file)) = (&mut item.content, file) {
                content.locator = file.path;
                content.size = Some(file.size);
                content.blake3 = Some(file.blake3);
            }
            Entry::Item(Box::new(item))
        }
        Err(problem) => Entry::Broken { data_type, id: format!("{data_type}.jsonl@{offset}"), problem },
    }
}

/// Returns what changes when the bag's lines do.
fn fingerprint(root: &Path) -> io::Result<String> {
    let mut hash = blake3::Hasher::new();
    for data_type in DataType::ALL {
        let Ok(metadata) = std::fs::metadata(root.join(bag::lines_file(data_type))) else { continue };
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        hash.update(data_type.name().as_bytes());
        hash.update(&metadata.len().to_le_bytes());
        hash.update(&modified.unwrap_or_default().as_nanos().to_le_bytes());
    }
    Ok(hash.finalize().to_hex().to_string())
}
