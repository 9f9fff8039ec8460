//! The master keys as they are given: a text of hexadecimal lines, from a file or the environment.

use std::fmt;
use std::path::{Path, PathBuf};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use model::{Ambient, Problem, Result, codes};
use zeroize::Zeroizing;

use super::derive;

/// How many bytes of a sealed value tell its key.
pub(super) const KEY_ID: usize = 4;

/// What sealed values call their key: derived from it, and no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(super) [u8; KEY_ID]);

impl KeyId {
    pub(super) fn of(key: &[u8; 32]) -> Self {
        let derived = derive(key, "key id");
        Self([derived[0], derived[1], derived[2], derived[3]])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// The master keys, newest first; never empty.
#[derive(Clone)]
pub struct Keys {
    pub(super) all: Vec<Zeroizing<[u8; 32]>>,
    /// Where they came from, if they may change there.
    pub(super) file: Option<PathBuf>,
}

impl Keys {
    /// Makes one fresh key.
    pub fn generate(ambient: &Ambient) -> Self {
        Self { all: vec![Zeroizing::new(ambient.random())], file: None }
    }

    /// Reads keys: one a line as 64 hexadecimal digits, newest first; empty lines and lines that begin with `#` do not count.
    ///
    /// # Errors
    /// `MO-5005` if there is no key in it, `MO-7003` if a line is no key. The detail names the line, never what it holds.
    pub fn from_text(text: &str) -> Result<Self> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let keys = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(number, line)| {
                let bytes = HEXLOWER_PERMISSIVE.decode(line.as_bytes()).map(Zeroizing::new).ok();
                bytes.and_then(|bytes| Some(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?))).ok_or_else(
                    || {
                        Problem::new(
                            &codes::config::SECRET_UNREADABLE,
                            format!("line {number} of the keys does not hold 64 hexadecimal digits"),
                        )
                    },
                )
            })
            .collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Err(Problem::new(&codes::store::KEY_MISSING, "no key is given"));
        }
        Ok(Self { all: keys, file: None })
    }

    /// Reads keys from a file; a store that is opened with them notices when the file changes.
    ///
    /// # Errors
    /// `MO-7003` if it cannot be read, and as [`Keys::from_text`].
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|cause| {
            Problem::new(&codes::config::SECRET_UNREADABLE, format!("{}: {cause}", path.display())).caused_by(cause)
        })?;
        Ok(Self { file: Some(path.to_owned()), ..Self::from_text(&text)? })
    }

    /// Returns the file that they came from, if it is watched.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Returns what sealed values call them, newest first.
    pub fn ids(&self) -> Vec<KeyId> {
        self.all.iter().map(|key| KeyId::of(key)).collect()
    }

    /// Writes the keys as [`Keys::from_text`] reads them.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.all.iter().map(|key| HEXLOWER.encode(&key[..]) + "\n").collect())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} hidden)", self.all.len())
    }
}
