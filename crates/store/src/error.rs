//! Turns database errors into problems with a code and a verdict.

use model::{Problem, codes};
use rusqlite::ErrorCode;

/// Maps an error of rusqlite. The SQL text is ours and holds no values, so its message is safe to show.
pub(crate) fn sqlite(name: &str, error: rusqlite::Error) -> Problem {
    let code = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => &codes::store::BUSY,
        Some(ErrorCode::DiskFull) => &codes::store::FULL,
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::NotADatabase) => {
            &codes::store::UNAVAILABLE
        }
        _ => &codes::store::QUERY_FAILED,
    };
    Problem::new(code, format!("in {name}: {error}")).caused_by(error)
}

/// The writer or a reader is gone: the process is stopping, or it panicked.
pub(crate) fn gone(name: &str) -> Problem {
    Problem::new(&codes::store::UNAVAILABLE, format!("in {name}: the store is closed"))
}
