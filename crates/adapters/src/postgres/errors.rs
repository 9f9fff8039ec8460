//! What PostgreSQL's errors mean. Its messages may quote values (a trigger's words do), so they are never passed on.

use model::{Problem, codes};
use tokio_postgres::error::SqlState;

use crate::sql::Purpose;

/// Maps an error that a statement about `table` met.
pub(super) fn map(error: &tokio_postgres::Error, purpose: Purpose, table: &str) -> Problem {
    let at = |what: &str| if table.is_empty() { what.to_owned() } else { format!("{table}: {what}") };
    let Some(answer) = error.as_db_error() else {
        return Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, at("the connection was lost"));
    };
    let state = answer.code();
    match state {
        _ if *state == SqlState::UNDEFINED_TABLE => {
            Problem::new(&codes::erasure::TABLE_MISSING, at("it is no longer there"))
        }
        _ if *state == SqlState::UNDEFINED_COLUMN => {
            Problem::new(&codes::erasure::COLUMN_MISSING, at("a column is no longer there"))
        }
        // Class 40: rolled back by a deadlock or a conflict; 55P03: a lock was not to be had; 57: the server goes down.
        _ if state.code().starts_with("40") || *state == SqlState::LOCK_NOT_AVAILABLE => {
            Problem::new(&codes::erasure::SYSTEM_BUSY, at("other transactions hold the rows"))
        }
        _ if *state == SqlState::QUERY_CANCELED => {
            Problem::new(&codes::erasure::SYSTEM_BUSY, at("a time limit cut the statement off"))
        }
        _ if state.code().starts_with("57") || state.code().starts_with("53") => {
            Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, at("the server is going down or has no resources left"))
        }
        _ => {
            let constraint = answer.constraint().map_or(String::new(), |name| format!(" ({name})"));
            let words = at(&format!("{}{constraint}, SQLSTATE {}", words(state), state.code()));
            match purpose {
                Purpose::Catalog => Problem::new(&codes::erasure::CATALOG_UNREADABLE, words),
                Purpose::Read => Problem::new(&codes::erasure::TABLE_UNREADABLE, words),
                Purpose::Change => Problem::new(&codes::erasure::ERASE_REFUSED, words),
            }
        }
    }
}

/// The server could not be connected to, or did not let us in.
pub(super) fn unreachable(error: &tokio_postgres::Error) -> Problem {
    let what = match error.as_db_error().map(|answer| answer.code()) {
        Some(state)
            if *state == SqlState::INVALID_PASSWORD || *state == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
        {
            "the server does not accept the user or password"
        }
        Some(state) if *state == SqlState::INVALID_CATALOG_NAME => "there is no such database on the server",
        Some(_) => "the server refused the connection",
        None => "nothing answers at its address",
    };
    Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, what)
}

/// The address demands what we cannot do; connecting without it would break the demand.
pub(super) fn no_tls() -> Problem {
    let what =
        "its address demands TLS, which this adapter does not speak; reach it through a private network or a tunnel";
    Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, what)
}

/// Says in words what kind of error it was.
fn words(state: &SqlState) -> &'static str {
    match state.code() {
        "23503" | "23001" => "rows elsewhere still refer to it by a foreign key",
        "23502" => "a column may not be null",
        "23505" => "a unique index refused the change",
        "23514" => "a check constraint refused the change",
        "42501" => "the account lacks the right to it, or row-level security hides rows from it",
        "P0001" => "a trigger refused the change",
        "25006" => "the server only lets it be read",
        _ => "the statement could not be run",
    }
}
