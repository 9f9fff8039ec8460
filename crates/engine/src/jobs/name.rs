//! Under which name a process holds leases, and which names have nobody left.
//!
//! Each process that works on a data folder holds one of its *places*: a small file, locked while the process lives, with
//! the name of its leases. A place that nobody has locked belongs to a process that is gone, so the others give its leases
//! back at once instead of waiting for them to run out. Every process gets a fresh name.

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
    folder: PathBuf,
    /// Locked while we live; none if all were taken.
    place: Option<(usize, File)>,
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
        let mut name = Self { owner: engine.ambient.id(), folder, place: None };
        let mut former = None;
        for place in 1..=PLACES {
            if let Some((mut file, owner)) = lock(&name.path(place))? {
                write_name(&mut file, &name.owner).map_err(|cause| unwritable(&name.path(place), cause))?;
                name.place = Some((place, file));
                former = owner;
                break;
            }
        }
        let mut gone = name.gone()?;
        gone.owners.extend(former);
        Ok((name, gone))
    }

    /// Looks who is gone among the others that worked on this data folder, ever since somebody last looked.
    ///
    /// # Errors
    /// `MO-7005` if the data folder cannot be written.
    pub(super) fn gone(&self) -> Result<Gone> {
        let mut gone = Gone::default();
        let ours = self.place.as_ref().map(|(place, _)| *place);
        for place in (1..=PLACES).filter(|place| Some(*place) != ours) {
            let path = self.path(place);
            if !path.exists() {
                // Places are taken in order, but for those that others hold just now.
                break;
            }
            if let Some((file, Some(owner))) = lock(&path)? {
                gone.owners.push(owner);
                gone.places.push(file);
            }
        }
        Ok(gone)
    }

    fn path(&self, place: usize) -> PathBuf {
        self.folder.join(place.to_string())
    }
}

impl Gone {
    /// Forgets them, once their leases are given back.
    pub(super) fn forget(mut self) {
        for place in &mut self.places {
            // A name that stays is given back once more, which harms nobody.
            let _ = place.set_len(0);
        }
    }
}

/// Locks a place and reads its name, if it has one; `None` while another process lives there.
fn lock(path: &Path) -> Result<Option<(File, Option<String>)>> {
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

/// Replaces the name at a place.
fn write_name(file: &mut File, name: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(name.as_bytes())
}

fn unwritable(path: &Path, cause: std::io::Error) -> Problem {
    Problem::new(&codes::config::FILE_UNWRITABLE, format!("{} cannot be written", path.display())).caused_by(cause)
}
