//! SQLite: a file of somebody's application, `sqlite:./shop.db`.

mod catalog;
mod connection;
mod dialect;
mod erase;
mod errors;
mod inspect;

use std::path::PathBuf;

use crate::open::Described;
use crate::verbs::Capabilities;

/// An application's database in one file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    /// Names the file; it is opened for each verb, and never created.
    pub fn new(path: &str) -> Self {
        Self { path: PathBuf::from(path) }
    }
}

/// What this adapter says of itself.
pub(crate) fn described() -> Described {
    Described {
        name: "sqlite",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "an application's SQLite database: finds, erases and re-reads a person by a map of its tables",
    }
}
