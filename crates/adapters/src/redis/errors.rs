//! What a Redis' errors mean. Its messages may quote keys and values, so they are never passed on.

use model::{Problem, codes};
use redis::{ErrorKind, RedisError};

/// The server could not be connected to, or did not let us in.
pub(super) fn unreachable(error: &RedisError) -> Problem {
    match error.code() {
        _ if error.kind() == ErrorKind::AuthenticationFailed => away("the server does not accept the user or password"),
        Some("LOADING") => busy("it is still loading its data"),
        Some("WRONGPASS" | "NOAUTH" | "NOPERM") => away("the server does not accept the user or password"),
        Some(_) => away("the server refused the connection; has it as many databases as the address says?"),
        None if error.is_timeout() => away("it did not answer in time"),
        None => away("nothing answers at its address, or no secure connection could be made"),
    }
}

/// Maps an error that a command met.
pub(super) fn map(error: &RedisError) -> Problem {
    let refused = |words: &str| Problem::new(&codes::erasure::LOCATION_REFUSED, words);
    match error.code() {
        Some("WRONGTYPE") => {
            Problem::new(&codes::erasure::LOCATION_UNREADABLE, "the key holds another type than the location says")
        }
        Some("NOPERM") => refused("the account lacks the right to a command or key"),
        Some("READONLY") => refused("it is a read-only replica; give the address of the primary"),
        Some("MOVED" | "ASK" | "CROSSSLOT") => refused("it is a cluster, which this adapter does not search"),
        Some("LOADING" | "BUSY" | "TRYAGAIN" | "MASTERDOWN" | "CLUSTERDOWN" | "MISCONF" | "OOM") => {
            busy("it is loading, saving, busy or out of memory")
        }
        Some("NOAUTH" | "WRONGPASS") => away("the server does not accept the user or password"),
        Some(_) => refused("the server does not take a command; is it an old version?"),
        None => away("the connection was lost"),
    }
}

fn away(words: &str) -> Problem {
    Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, words)
}

fn busy(words: &str) -> Problem {
    Problem::new(&codes::erasure::SYSTEM_BUSY, words)
}
