//! What SQLite's errors mean. Its messages may quote values (a trigger's words do), so they are never passed on.

use model::{Problem, codes};
use rusqlite::{ErrorCode, ffi};

use crate::sql::Purpose;

/// Maps an error that a statement about `table` met.
pub(super) fn map(error: &rusqlite::Error, purpose: Purpose, table: &str) -> Problem {
    let at = |what: &str| if table.is_empty() { what.to_owned() } else { format!("{table}: {what}") };
    let message = match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) | rusqlite::Error::SqlInputError { msg: message, .. } => {
            message
        }
        _ => "",
    };
    if message.starts_with("no such table") {
        return Problem::new(&codes::erasure::TABLE_MISSING, at("it is no longer there"));
    }
    if message.starts_with("no such column") {
        return Problem::new(&codes::erasure::COLUMN_MISSING, at("a column is no longer there"));
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Problem::new(&codes::erasure::SYSTEM_BUSY, at("another transaction holds the file"))
        }
        Some(ErrorCode::OperationInterrupted) => {
            Problem::new(&codes::erasure::SYSTEM_BUSY, at("a time limit cut the statement off"))
        }
        Some(ErrorCode::CannotOpen) => {
            Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, "there is no such file, or it may not be opened")
        }
        Some(
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure | ErrorCode::DiskFull,
        ) => Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, at(&words(error))),
        _ => match purpose {
            Purpose::Catalog => Problem::new(&codes::erasure::CATALOG_UNREADABLE, at(&words(error))),
            Purpose::Read => Problem::new(&codes::erasure::TABLE_UNREADABLE, at(&words(error))),
            Purpose::Change => Problem::new(&codes::erasure::ERASE_REFUSED, at(&words(error))),
        },
    }
}

/// Says in words what kind of error it was.
fn words(error: &rusqlite::Error) -> String {
    let code = error.sqlite_error().map_or(0, |error| error.extended_code);
    let known = match code {
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "rows elsewhere still refer to it by a foreign key",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "a trigger refused the change",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "a column may not be null",
        ffi::SQLITE_CONSTRAINT_CHECK => "a check constraint refused the change",
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "a unique index refused the change",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "a strict column refused a value of another type",
        ffi::SQLITE_READONLY => "the file may only be read",
        0 => "the statement could not be run",
        _ => return format!("SQLite error {code}"),
    };
    known.to_owned()
}
