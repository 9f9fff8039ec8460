//! Under which name a process holds leases, and which names have nobody left.
//!
//! Each process that works on a data folder holds one of its *places*: a small file, locked while the process lives, with
//! the name of its leases. A place that nobody has locked belongs to a process that is gone, so whoever comes next gives its
//! leases back at once instead of waiting for them to run out.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use model::{Problem, Result, codes};

use crate::Engine;

/// Where the places lie within the data folder.
const FOLDER: &str = "workers";
/// How many processes can work on one data folder under lasting names; more have leases that run out by themselves.
const PLACES: usize = 32;

/// A process's name; it lets go of its place when it is dropped.
pub(super) struct Name {
    /// The name that leases bear.
    pub(super) owner: String,
    /// Locked while we live.
    _place: Option<File>,
}

/// The names of processes that are gone. Their places stay locked until this is dropped, so that nobody takes up a name
/// whose leases are just being given back.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) owners: Vec<String>,
    places: Vec<File>,
}

impl Name {
    /// Takes the first free place and returns it with the names of all that are gone, its own former one included.
    ///
    /// # Errors
    /// `MO-7005` if the data folder cannot be written.
    pub(super) fn take(engine: &Engine) -> Result<(Self, Gone)> {
        let folder = engine.settings.data.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|cause| unwritable(&folder, cause))?;
        let mut ours = None;
        let mut gone = Gone::default();
        for place in 1..=PLACES {
            let path = folder.join(place.to_string());
            if ours.is_some() && !path.exists() {
                break;
            }
            let Some((file, former)) = lock(&path)? else { continue };
            gone.owners.extend(former.clone());
            if ours.is_some() {
                gone.places.push(file);
            } else {
                let owner = former.map_or_else(|| christen(engine, &file, &path), Ok)?;
                ours = Some(Self { owner, _place: Some(file) });
            }
        }
        let name = ours.unwrap_or_else(|| Self { owner: engine.ambient.id(), _place: None });
        Ok((name, gone))
    }
}

/// Locks a place and reads its name, if it has one; `None` while another process lives there.
fn lock(path: &PathBuf) -> Result<Option<(File, Option<String>)>> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|cause| unwritable(path, cause))?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    let mut name = String::new();
    file.read_to_string(&mut name).map_err(|cause| unwritable(path, cause))?;
    Ok(Some((file, Some(name).filter(|name| !name.is_empty()))))
}

/// Gives a new place its name.
fn christen(engine: &Engine, mut file: &File, path: &Path) -> Result<String> {
    let owner = engine.ambient.id();
    file.rewind().and_then(|()| file.write_all(owner.as_bytes())).map_err(|cause| unwritable(path, cause))?;
    Ok(owner)
}

fn unwritable(path: &Path, cause: std::io::Error) -> Problem {
    Problem::new(&codes::config::FILE_UNWRITABLE, format!("{} cannot be written", path.display())).caused_by(cause)
}
