//! What the errors of MySQL and MariaDB mean
//! (<https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>). Their messages may quote values (a
//! trigger's words do), so they are never passed on.

use model::{Problem, codes};
use mysql_async::{DriverError, Error, IoError, ServerError};

use crate::sql::Purpose;

/// Maps an error that a statement about `table` met.
pub(super) fn map(error: &Error, purpose: Purpose, table: &str) -> Problem {
    let at = |what: &str| if table.is_empty() { what.to_owned() } else { format!("{table}: {what}") };
    let Error::Server(answer) = error else {
        return Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, at("the connection was lost"));
    };
    match answer.code {
        1146 | 1051 => Problem::new(&codes::erasure::TABLE_MISSING, at("it is no longer there")),
        1054 => Problem::new(&codes::erasure::COLUMN_MISSING, at("a column is no longer there")),
        // A deadlock or a lock that was not to be had, a row or table changed meanwhile; class 40 says the same.
        1213 | 1205 | 1020 | 1412 | 3572 => busy(&at("other transactions hold the rows")),
        1969 | 3024 => busy(&at("a time limit cut the statement off")),
        _ if answer.state.starts_with("40") => busy(&at("other transactions hold the rows")),
        // Too many connections, shutting down, out of memory or disk, killed, a cluster node that is not ready.
        1021 | 1037 | 1038 | 1040 | 1041 | 1053 | 1077 | 1079 | 1203 | 1317 | 1927 | 1047 | 3168 | 3169 => {
            Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, at("the server is going down or has no resources left"))
        }
        _ => {
            let words = at(&format!("{}, error {}", words(answer), answer.code));
            match purpose {
                Purpose::Catalog => Problem::new(&codes::erasure::CATALOG_UNREADABLE, words),
                Purpose::Read => Problem::new(&codes::erasure::TABLE_UNREADABLE, words),
                Purpose::Change => Problem::new(&codes::erasure::ERASE_REFUSED, words),
            }
        }
    }
}

fn busy(detail: &str) -> Problem {
    Problem::new(&codes::erasure::SYSTEM_BUSY, detail)
}

const UNTRUSTED: &str = "no trusted TLS connection could be made";

/// The server could not be connected to, or did not let us in.
pub(super) fn unreachable(error: &Error) -> Problem {
    let what = match error {
        Error::Server(answer) => match answer.code {
            1045 | 1698 => "the server does not accept the user or password",
            1044 => "the server does not let the user into the database",
            1049 => "there is no such database on the server",
            1040 | 1203 => "the server has no connection left",
            _ => "the server refused the connection",
        },
        Error::Io(IoError::Tls(_)) => UNTRUSTED,
        // A handshake that fails is an input that was not valid.
        Error::Io(IoError::Io(cause)) if cause.kind() == std::io::ErrorKind::InvalidData => UNTRUSTED,
        Error::Io(IoError::Io(_)) => "nothing answers at its address",
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            "its address demands TLS, which the server does not speak"
        }
        Error::Driver(_) | Error::Other(_) | Error::Url(_) => "the server does not speak as expected",
    };
    Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, what)
}

/// The server took too long to answer.
pub(super) fn silent() -> Problem {
    Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, "nothing answers at its address")
}

/// Says in words what kind of error it was.
fn words(answer: &ServerError) -> &'static str {
    match answer.code {
        1451 | 1217 => "rows elsewhere still refer to it by a foreign key",
        1048 | 1364 => "a column may not be null",
        1062 | 1586 => "a unique index refused the change",
        3819 | 4025 => "a check constraint refused the change",
        1142 | 1143 | 1044 | 1227 | 1370 => "the account lacks the right to it",
        1290 | 1792 | 1836 => "the server only lets it be read",
        1644 => "a trigger refused the change",
        1264 | 1265 | 1292 | 1366 | 1406 => "a column does not take the value",
        1153 => "the server does not take statements of this size; raise max_allowed_packet",
        1665 => "the server's binary log is written by statement; set binlog_format to MIXED or ROW",
        _ if answer.state == "45000" => "a trigger refused the change",
        _ => "the statement could not be run",
    }
}
