//! What goes wrong with folders, as coded problems.

use std::io;

use model::{Problem, codes};

/// The folder cannot be read.
pub fn unreadable(error: io::Error) -> Problem {
    let detail = match error.kind() {
        io::ErrorKind::NotFound => "there is no such folder, or a file of it is gone",
        io::ErrorKind::PermissionDenied => "its permissions do not allow reading it",
        _ => "reading it failed",
    };
    Problem::new(&codes::transfer::ARCHIVE_UNREADABLE, detail).caused_by(error)
}

/// The folder cannot be written: what kind of error it was tells whether trying again may help.
pub fn unwritable(kind: io::ErrorKind) -> Problem {
    let code = match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => &codes::transfer::DESTINATION_FULL,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::NotADirectory => {
            &codes::transfer::DESTINATION_UNWRITABLE
        }
        _ => &codes::transfer::DESTINATION_FAILED,
    };
    Problem::new(code, format!("the folder: {kind}"))
}

/// The folder is somebody else's: what is there is neither ours nor nothing.
pub fn occupied() -> Problem {
    Problem::new(&codes::transfer::DESTINATION_UNWRITABLE, "the folder holds other things; name an empty or a new one")
}

/// Another process writes into the folder.
pub fn busy() -> Problem {
    Problem::new(&codes::transfer::DESTINATION_FAILED, "another transfer is writing into this folder")
}
