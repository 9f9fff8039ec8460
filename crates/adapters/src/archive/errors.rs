//! What goes wrong with archives, as coded problems.

use std::io;

use model::{Problem, codes};

use super::container::Unread;

/// The archive ends in the middle.
pub fn truncated(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Problem {
    Problem::new(&codes::transfer::ARCHIVE_TRUNCATED, "").caused_by(source)
}

/// The archive cannot be opened, or not read on.
pub fn unreadable(detail: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Problem {
    Problem::new(&codes::transfer::ARCHIVE_UNREADABLE, detail).caused_by(source)
}

/// The archive, or one of its files, unpacks to far more than it should.
pub fn swollen() -> Problem {
    Problem::new(&codes::transfer::ARCHIVE_SWOLLEN, "it was not read any further")
}

/// A read failed: whether because the archive ends is told by the kind of the error.
pub fn read_failed(error: io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => truncated(error),
        io::ErrorKind::FileTooLarge => swollen(),
        io::ErrorKind::NotFound => unreadable("there is no such file", error),
        io::ErrorKind::PermissionDenied => unreadable("its permissions do not allow reading it", error),
        _ => unreadable("reading it failed", error),
    }
}

/// One file of the archive is not read.
pub fn unread(why: Unread) -> Problem {
    Problem::new(&codes::transfer::CONTENT_BROKEN, why.reason())
}

/// A document that an export cannot do without is not read.
pub fn document_unread(name: &str, why: Unread) -> Problem {
    match why {
        Unread::Swollen => swollen(),
        _ => Problem::new(&codes::transfer::ARCHIVE_UNREADABLE, format!("{name}: {}", why.reason())),
    }
}

/// The archive holds more than we index.
pub fn too_many_entries() -> Problem {
    Problem::new(&codes::transfer::ARCHIVE_UNREADABLE, "it has more files than we take")
}

/// It is an archive, but not of a kind we know.
pub fn unknown_format() -> Problem {
    Problem::new(
        &codes::transfer::ARCHIVE_UNKNOWN_FORMAT,
        "it holds no outbox.json and actor.json of a Mastodon export",
    )
}

/// A file that a record names is not in the archive.
pub fn media_missing() -> Problem {
    Problem::new(&codes::transfer::MEDIA_MISSING, "the archive does not hold it")
}
