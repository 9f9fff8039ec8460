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

/// How a try went wrong, and how often the operation is worth running.
pub(crate) struct Trouble {
    /// What went wrong.
    pub(crate) problem: Problem,
    /// How often the operation is worth running, within the patience of the store.
    pub(crate) tries: u32,
}

impl Trouble {
    /// Judges an error that an operation met.
    pub(crate) fn new(name: &str, cause: tokio_postgres::Error) -> Self {
        Self { tries: tries(&cause), problem: postgres(name, cause) }
    }
}

/// Maps an error of PostgreSQL. Its message may quote values, so only its class is shown; the rest is for logs.
pub(crate) fn postgres(name: &str, error: tokio_postgres::Error) -> Problem {
    let (code, detail) = match error.code() {
        None if is_lost(&error) => (&codes::store::UNAVAILABLE, "the connection to PostgreSQL broke".to_owned()),
        None => (&codes::store::QUERY_FAILED, "a value does not fit its statement".to_owned()),
        Some(state) if is_shutdown(state) => {
            (&codes::store::UNAVAILABLE, "PostgreSQL is stopping or starting".to_owned())
        }
        Some(_) if tries(&error) > 1 => (&codes::store::BUSY, "others were in the way".to_owned()),
        Some(state) if *state == SqlState::DISK_FULL => (&codes::store::FULL, "PostgreSQL's disk is full".to_owned()),
        Some(state) if *state == SqlState::READ_ONLY_SQL_TRANSACTION => {
            (&codes::store::QUERY_FAILED, "an operation that only reads tried to write".to_owned())
        }
        Some(state) => (&codes::store::QUERY_FAILED, format!("PostgreSQL says SQLSTATE {}", state.code())),
    };
    Problem::new(code, format!("in {name}: {detail}")).caused_by(error)
}

/// Worth running as long as the patience lasts: others were in the way, or the server went away, and it will pass.
pub(crate) const MANY: u32 = u32::MAX;

/// Returns how often an operation that meets this error is worth running.
pub(crate) fn tries(error: &tokio_postgres::Error) -> u32 {
    /// A unique key that is taken may be another's of just now, invisible when this one looked; or it stays taken.
    const SOME: u32 = 3;
    let passing =
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::TOO_MANY_CONNECTIONS];
    match error.code() {
        None if is_lost(error) => MANY,
        None => 1,
        Some(state) if is_shutdown(state) || passing.contains(state) => MANY,
        Some(state) if *state == SqlState::UNIQUE_VIOLATION => SOME,
        Some(_) => 1,
    }
}

/// Tells whether a COMMIT that ended like this may have been kept all the same.
pub(crate) fn leaves_open(error: &tokio_postgres::Error) -> bool {
    error.code().map_or_else(
        || is_lost(error),
        |state| is_shutdown(state) || *state == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN,
    )
}

/// Tells an error of the connection from one of a value that could not be sent or read.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    use std::error::Error as _;
    error.is_closed() || error.source().is_none_or(<dyn std::error::Error>::is::<std::io::Error>)
}

/// PostgreSQL says goodbye with class 57P, poolers with class 08.
fn is_shutdown(state: &SqlState) -> bool {
    state.code().starts_with("57P") || state.code().starts_with("08")
}

/// Says a problem once more, to somebody else whom it concerns.
pub(crate) fn again(problem: &Problem) -> Problem {
    Problem::new(problem.code, problem.detail.clone())
}

/// The writer or a reader is gone: the process is stopping, or it panicked.
pub(crate) fn gone(name: &str) -> Problem {
    Problem::new(&codes::store::UNAVAILABLE, format!("in {name}: the store is closed"))
}
