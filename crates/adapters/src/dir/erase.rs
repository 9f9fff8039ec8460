//! Erasing files of a folder on this machine.
//!
//! Links are not followed: a link on the way, or among a person's files, leads to data that would stay, so it blocks. Empty
//! folders count, because their names may be a person's.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use model::location::Place;
use model::{Problem, Result, codes};

use crate::files::{Which, refused, steps, unreadable};
use crate::locations::{Locations, Person, Removed};

/// How deep folders may lie in each other.
const MAX_DEPTH: usize = 256;

/// A folder with files of many people.
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// Uses the folder at `path`.
    pub fn new(path: &str) -> Self {
        Self { root: PathBuf::from(path) }
    }

    /// Runs `work` on the person's place where it may wait for the disk.
    async fn at<T: Default + Send + 'static>(
        &self,
        place: &Place,
        person: &Person<'_>,
        work: fn(&Path, &Which) -> Result<T>,
    ) -> Result<T> {
        let (steps, which) = steps(place, person)?;
        let root = self.root.clone();
        let done = tokio::task::spawn_blocking(move || match walk(&root, &steps)? {
            Some(path) => work(&path, &which),
            None => Ok(T::default()),
        });
        done.await.map_err(|cause| Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, "").caused_by(cause))?
    }
}

#[async_trait]
impl Locations for Files {
    async fn reach(&self) -> Result<()> {
        let metadata = tokio::fs::metadata(&self.root).await.map_err(|cause| {
            let words = format!("the folder cannot be read: {}", cause.kind());
            Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, words)
        })?;
        if metadata.is_dir() { Ok(()) } else { Err(unreadable("the address is no folder")) }
    }

    async fn count(&self, place: &Place, person: &Person<'_>) -> Result<u64> {
        self.at(place, person, |path, which| match which {
            Which::One => file(path).map(|_| 1),
            Which::Below => count(path, 0),
        })
        .await
    }

    async fn erase(&self, place: &Place, person: &Person<'_>) -> Result<Removed> {
        self.at(place, person, erase).await.map(Removed::from)
    }
}

/// Follows the steps, through folders only; `None` if there is nothing at their end.
fn walk(root: &Path, steps: &[String]) -> Result<Option<PathBuf>> {
    let mut path = root.to_owned();
    for (index, step) in steps.iter().enumerate() {
        path.push(step);
        let Some(metadata) = look(&path)? else { return Ok(None) };
        if index + 1 < steps.len() && !metadata.is_dir() {
            return Ok(None);
        }
    }
    Ok(Some(path))
}

/// Looks at what a name stands for, without following it; `None` if there is nothing.
fn look(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(unreadable(
            "a link lies there, and what it leads to would stay; put the files themselves there, or take the link away",
        )),
        Ok(metadata) => Ok(Some(metadata)),
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(cause) => Err(failed(&cause)),
    }
}

fn file(path: &Path) -> Result<()> {
    if look(path)?.is_some_and(|metadata| metadata.is_dir()) {
        return Err(unreadable("a folder lies where one file is declared; declare a prefix"));
    }
    Ok(())
}

/// Lists a folder, links refused.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, bool)>> {
    let mut found = Vec::new();
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(found),
        Err(cause) => return Err(failed(&cause)),
    };
    for entry in listed {
        let path = entry.map_err(|cause| failed(&cause))?.path();
        if let Some(metadata) = look(&path)? {
            found.push((path, metadata.is_dir()));
        }
    }
    Ok(found)
}

/// Counts files and empty folders below a folder; what is no folder counts as one.
fn count(path: &Path, depth: usize) -> Result<u64> {
    if depth > MAX_DEPTH {
        return Err(unreadable(format!("folders lie in each other more than {MAX_DEPTH} deep")));
    }
    match look(path)? {
        None => return Ok(0),
        Some(metadata) if !metadata.is_dir() => return Ok(1),
        Some(_) => {}
    }
    let mut counted: u64 = 0;
    for (entry, is_folder) in entries(path)? {
        counted += if is_folder { count(&entry, depth + 1)? } else { 1 };
    }
    Ok(counted.max(1))
}

fn erase(path: &Path, which: &Which) -> Result<u64> {
    let erased = match which {
        Which::One => {
            file(path)?;
            u64::from(remove(fs::remove_file(path))?)
        }
        Which::Below => {
            // Also finds a link before anything is removed.
            let counted = count(path, 0)?;
            remove_below(path)?;
            counted
        }
    };
    let folder = path.parent().unwrap_or(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| failed(&cause))?;
    Ok(erased)
}

fn remove_below(path: &Path) -> Result<()> {
    if look(path)?.is_some_and(|metadata| !metadata.is_dir()) {
        return remove(fs::remove_file(path)).map(drop);
    }
    for (entry, is_folder) in entries(path)? {
        if is_folder {
            remove_below(&entry)?;
        } else {
            remove(fs::remove_file(&entry))?;
        }
    }
    match fs::remove_dir(path) {
        // Somebody wrote there meanwhile: reading again tells.
        Err(cause) if cause.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => remove(removed).map(drop),
    }
}

/// Tells whether something was removed that was still there.
fn remove(removed: io::Result<()>) -> Result<bool> {
    match removed {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(failed(&cause)),
    }
}

/// Maps an error of the file system. Its words may name a path, and a path may name a person.
fn failed(cause: &io::Error) -> Problem {
    match cause.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => refused(format!(
            "a file or folder: {}; the rights of the account that runs moveout are missing",
            cause.kind()
        )),
        kind => Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, format!("a file or folder: {kind}")),
    }
}
