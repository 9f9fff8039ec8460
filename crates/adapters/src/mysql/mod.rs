//! MySQL and MariaDB: somebody's application database, `mysql://user@host/db` or `mariadb://user@host/db`.

mod address;
mod catalog;
mod connection;
mod dialect;
mod erase;
mod errors;
mod inspect;

use std::sync::Arc;

use model::Result;

use crate::open::Described;
use crate::sql::pool::Pool;
use crate::verbs::Capabilities;

/// An application's MySQL or MariaDB database.
pub struct Mysql {
    address: mysql_async::Opts,
    sessions: Arc<Pool<mysql_async::Conn>>,
}

impl Mysql {
    /// Reads the address; the server is connected to when first needed.
    ///
    /// # Errors
    /// `MO-3013` if it is no address of a MySQL database.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self { address: address::read(url)?, sessions: Pool::new() })
    }
}

/// What this adapter says of itself.
pub(crate) fn described() -> Described {
    Described {
        name: "mysql",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "an application's MySQL or MariaDB database: finds, erases and re-reads a person by a map of its tables",
    }
}
