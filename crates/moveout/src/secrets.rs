//! Secrets: read from a file or the environment, never from the command line.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use model::world::SecretRef;
use model::{Ambient, Problem, Result, codes};

use crate::config::{Environment, GivenKeys};

/// Resolves `file:PATH` (relative to `folder`) or `env:NAME`; anything else is the value itself.
///
/// # Errors
/// `MO-7003` if it cannot be read or is empty.
pub fn resolve(reference: &SecretRef, folder: &Path, environment: &Environment) -> Result<String> {
    if let Some(path) = reference.0.strip_prefix("file:") {
        return from_file(&folder.join(path));
    }
    let Some(name) = reference.0.strip_prefix("env:") else { return Ok(reference.0.clone()) };
    let value = environment.get(name).ok_or_else(|| unreadable(format!("the environment has no {name}")))?;
    filled(&value, || name.to_owned())
}

/// Reads a secret from a file; white space around it does not belong to it.
///
/// # Errors
/// `MO-7003` if it cannot be read or is empty.
pub fn from_file(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| unreadable(format!("{}: {cause}", path.display())).caused_by(cause))?;
    filled(&text, || path.display().to_string())
}

fn filled(text: &str, place: impl FnOnce() -> String) -> Result<String> {
    let secret = text.trim();
    if secret.is_empty() {
        return Err(unreadable(format!("{} is empty", place())));
    }
    Ok(secret.to_owned())
}

fn unreadable(detail: String) -> Problem {
    Problem::new(&codes::config::SECRET_UNREADABLE, detail)
}

/// Reads the master keys of a store in PostgreSQL. They must be given: every machine needs the same, and none may make its own.
///
/// # Errors
/// `MO-5005` if none is given, `MO-7003` if it cannot be read.
pub fn given_keys(given: Option<&GivenKeys>) -> Result<store::Keys> {
    let missing = "a store in PostgreSQL needs the setting `keys` (or MOVEOUT_KEYS_FILE); `openssl rand -hex 32` makes one for a new store";
    given.map_or_else(|| Err(Problem::new(&codes::store::KEY_MISSING, missing)), read_keys)
}

fn read_keys(given: &GivenKeys) -> Result<store::Keys> {
    match given {
        GivenKeys::File(path) => store::Keys::from_file(path),
        GivenKeys::Text(text) => store::Keys::from_text(text),
    }
}

/// Returns the master keys of the SQLite store in `folder`: those given, else those of its file `master.key`, which is made
/// only for a store that does not exist yet.
///
/// # Errors
/// `MO-5005` if there is a store but no key, `MO-7003` or `MO-7005` if the file cannot be read or written.
pub fn master_keys(folder: &Path, given: Option<&GivenKeys>, ambient: &Ambient) -> Result<store::Keys> {
    let path = key_file(folder);
    if given.is_some() || path.exists() || folder.join("moveout.db").exists() {
        return existing_keys(folder, given);
    }
    let keys = store::Keys::generate(ambient);
    let written = create_private(folder).and_then(|()| write_new(&path, keys.to_text().as_bytes()));
    match written {
        // Another process may have been faster: then its key is the key.
        Ok(()) => store::Keys::from_file(&path),
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => store::Keys::from_file(&path),
        Err(cause) => {
            let detail = format!("{}: {cause}", path.display());
            Err(Problem::new(&codes::config::FILE_UNWRITABLE, detail).caused_by(cause))
        }
    }
}

/// Returns the master keys of a store or backup that is there: those given, else those of the file `master.key`.
///
/// # Errors
/// `MO-5005` if there are none, `MO-7003` if they cannot be read.
pub fn existing_keys(folder: &Path, given: Option<&GivenKeys>) -> Result<store::Keys> {
    let path = key_file(folder);
    match given {
        Some(given) => read_keys(given),
        None if path.exists() => store::Keys::from_file(&path),
        None => Err(Problem::new(&codes::store::KEY_MISSING, format!("there is no {}", path.display()))),
    }
}

/// Returns where the master keys of the store in `folder` lie unless they are given.
pub fn key_file(folder: &Path) -> PathBuf {
    folder.join("master.key")
}

/// Creates a folder that only its owner may enter; one that exists stays as it is.
pub fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file that must not exist yet, for its owner only, whole and on disk or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    let linked = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        // Unlike a rename, a link never replaces what is there.
        .and_then(|()| std::fs::hard_link(&temporary, path));
    std::fs::remove_file(&temporary)?;
    linked?;
    std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
