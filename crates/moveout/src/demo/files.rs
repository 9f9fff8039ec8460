//! The files of the demo: each is written beside its place and moved there, so that a crash leaves all of it or nothing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::secrets::create_private;

/// The folder of the demo's files.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Makes the folder if there is none; only its owner may enter it, since it holds secrets.
    ///
    /// # Errors
    /// What the file system gave.
    pub fn open(path: PathBuf) -> Result<Self> {
        create_private(&path).with_context(|| format!("the folder {} cannot be made", path.display()))?;
        Ok(Self(path.canonicalize()?))
    }

    /// Returns the path of a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes a file unless it is there already.
    ///
    /// # Errors
    /// What making it gave; then there is none.
    pub fn make(&self, name: &str, write: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let path = self.path(name);
        if !path.exists() {
            let part = self.path(&format!("{name}.part"));
            if part.exists() {
                fs::remove_file(&part)?;
            }
            write(&part).with_context(|| format!("{} cannot be written", path.display()))?;
            File::open(&part)?.sync_all()?;
            fs::rename(&part, &path)?;
            File::open(&self.0)?.sync_all()?;
        }
        Ok(path)
    }

    /// Returns the text of a file, made by `text` unless it is there already.
    ///
    /// # Errors
    /// What making or reading it gave.
    pub fn remember(&self, name: &str, text: impl FnOnce() -> Result<String>) -> Result<String> {
        let path = self.make(name, |path| Ok(fs::write(path, text()?)?))?;
        Ok(fs::read_to_string(path)?)
    }

    /// Writes a file anew.
    ///
    /// # Errors
    /// What writing it gave; then the old one is there.
    pub fn replace(&self, name: &str, text: &str) -> Result<PathBuf> {
        let (path, part) = (self.path(name), self.path(&format!("{name}.part")));
        fs::write(&part, text)?;
        File::open(&part)?.sync_all()?;
        fs::rename(&part, &path)?;
        Ok(path)
    }
}
