//! Under which name a process holds leases, and which names have nobody left.
//!
//! Each process that works on a data folder holds one of its *places*: a small file, locked while the process lives, with
//! the name of its leases. A place that nobody has locked belongs to a process that is gone, so the others give its leases
//! back at once instead of waiting for them to run out. Every process gets a fresh name.
//!
//! A lock says nothing about a process on another machine that sees the same folder, so the file also names the boot of the
//! kernel that the process runs on: leases of other boots run out by themselves.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use model::{Problem, Result, codes};

use crate::Engine;

/// Where the places lie within the data folder.
pub(super) const FOLDER: &str = "workers";
/// How many processes can work on one data folder under lasting names; more have leases that run out by themselves.
pub(super) const PLACES: usize = 32;

/// A process's name; it lets go of its place when it is dropped.
pub(super) struct Name {
    /// The name that leases bear.
    pub(super) owner: String,
    /// The boot of this machine's kernel.
    boot: String,
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
        let mut name = Self { owner: engine.ambient.id(), boot: boot(), folder, place: None };
        let mut former = None;
        for place in 1..=PLACES {
            if let Some((mut file, owner)) = name.lock(place)? {
                write(&mut file, &format!("{} {}", name.owner, name.boot))
                    .map_err(|cause| unwritable(&name.path(place), cause))?;
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
            if !self.path(place).exists() {
                // Places are taken in order, but for those that others hold just now.
                break;
            }
            if let Some((file, Some(owner))) = self.lock(place)? {
                gone.owners.push(owner);
                gone.places.push(file);
            }
        }
        Ok(gone)
    }

    /// Locks a place and reads who of this boot lived there, if anybody; `None` while another process lives there.
    fn lock(&self, place: usize) -> Result<Option<(File, Option<String>)>> {
        let path = self.path(place);
        let failed = |cause| unwritable(&path, cause);
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        if file.try_lock().is_err() {
            return Ok(None);
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let owner = text.split_once(' ').filter(|(_, boot)| *boot == self.boot).map(|(owner, _)| owner.to_owned());
        Ok(Some((file, owner)))
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

/// Replaces what a place says.
fn write(file: &mut File, text: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// Returns what tells this run of the machine's kernel from all others; nothing where it has no such name.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

fn unwritable(path: &Path, cause: std::io::Error) -> Problem {
    Problem::new(&codes::config::FILE_UNWRITABLE, format!("{} cannot be written", path.display())).caused_by(cause)
}
