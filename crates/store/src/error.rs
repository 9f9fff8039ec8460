//! Turns database errors into problems with a code and a verdict.

use model::{Problem, codes};
use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;

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

/// Maps an error of PostgreSQL. Its message may quote values, so only its class is shown; the rest is for logs.
pub(crate) fn postgres(name: &str, error: tokio_postgres::Error) -> Problem {
    let (code, detail) = match error.code() {
        None => (&codes::store::UNAVAILABLE, "the connection to PostgreSQL broke".to_owned()),
        Some(_) if tries(&error) > 1 => (&codes::store::BUSY, "others were in the way".to_owned()),
        Some(state) if *state == SqlState::DISK_FULL => (&codes::store::FULL, "PostgreSQL's disk is full".to_owned()),
        Some(state) if *state == SqlState::READ_ONLY_SQL_TRANSACTION => {
            (&codes::store::QUERY_FAILED, "an operation that only reads tried to write".to_owned())
        }
        Some(state) => (&codes::store::QUERY_FAILED, format!("PostgreSQL says SQLSTATE {}", state.code())),
    };
    Problem::new(code, format!("in {name}: {detail}")).caused_by(error)
}

/// Returns how often an operation that meets this error is worth running.
pub(crate) fn tries(error: &tokio_postgres::Error) -> u32 {
    /// Others were in the way, or the server went away: it will pass, if it takes half a minute.
    const MANY: u32 = 16;
    /// A unique key that is taken may be another's of just now, invisible when this one looked; or it stays taken.
    const SOME: u32 = 3;
    let passing = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
    ];
    match error.code() {
        None => MANY,
        Some(state) if passing.contains(state) => MANY,
        Some(state) if *state == SqlState::UNIQUE_VIOLATION => SOME,
        Some(_) => 1,
    }
}

/// The writer or a reader is gone: the process is stopping, or it panicked.
pub(crate) fn gone(name: &str) -> Problem {
    Problem::new(&codes::store::UNAVAILABLE, format!("in {name}: the store is closed"))
}
