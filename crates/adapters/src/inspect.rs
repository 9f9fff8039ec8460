//! Looking into a live database without changing anything: to draft a map of it, or to hold one against it.
//!
//! Values are looked at here and go no further: what comes out are counts of what they look like.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use model::Result;
use model::catalog::{Catalog, CatalogColumn};
use serde::Serialize;

/// How many rows of a table a sample reads.
pub const SAMPLE_ROWS: usize = 1_000;
/// How many columns of a table a sample reads.
pub const SAMPLE_COLUMNS: usize = 80;
/// Up to this number rows are counted where the database has no estimate.
pub const COUNTED_ROWS: u64 = 100_000;

/// Looks into a database. Every question is bounded in rows and time, and asked in a read-only transaction.
#[async_trait]
pub trait Inspector: Send + Sync {
    /// Reads what the database says of its tables.
    ///
    /// # Errors
    /// `MO-2006` or `MO-2020`.
    async fn catalog(&self) -> Result<Catalog>;

    /// Reads what stands around the tables: how large they are, and what else holds or moves their data.
    ///
    /// # Errors
    /// `MO-2006` or `MO-2020`.
    async fn surroundings(&self, catalog: &Catalog) -> Result<Surroundings>;

    /// Looks at some rows of a table (or of anything else that can be selected from), column by column.
    ///
    /// # Errors
    /// What kept it from reading, for example a missing right, or a time limit.
    async fn sample(&self, table: &str, columns: &[CatalogColumn]) -> Result<BTreeMap<String, ColumnSample>>;

    /// Takes some rows and looks how many values of one column another column has.
    ///
    /// # Errors
    /// What kept it from reading.
    async fn contained(&self, from: &Place, to: &Place) -> Result<Containment>;

    /// Finds out what the account may do with each of these tables.
    ///
    /// # Errors
    /// What kept it from finding out; a table that is not there has no rights.
    async fn rights(&self, tables: &[String]) -> Result<BTreeMap<String, Rights>>;

    /// Writes the statement that creates an index.
    fn create_index(&self, table: &str, columns: &[String]) -> String;
}

/// What stands around the tables of a database.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Surroundings {
    /// How many rows each table has.
    pub rows: BTreeMap<String, Rows>,
    /// Relations outside the catalogue that hold data of their own.
    pub copies: Vec<Copied>,
    /// Views: they only show what tables hold.
    pub views: Vec<String>,
    /// Triggers, which may write what is erased elsewhere.
    pub triggers: Vec<Trigger>,
    /// How many partitions each partitioned table has.
    pub partitions: BTreeMap<String, u64>,
}

/// How many rows a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// They were counted.
    Exactly(u64),
    /// The database's own estimate.
    About(u64),
    /// Counting stopped there.
    MoreThan(u64),
}

impl Rows {
    /// Returns the number, however sure it is.
    pub fn number(self) -> u64 {
        match self {
            Self::Exactly(rows) | Self::About(rows) | Self::MoreThan(rows) => rows,
        }
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(1) => f.write_str("1 row"),
            Self::Exactly(rows) => write!(f, "{rows} rows"),
            Self::About(rows) => write!(f, "about {rows} rows"),
            Self::MoreThan(rows) => write!(f, "more than {rows} rows"),
        }
    }
}

/// Something that holds data and is no base table.
#[derive(Clone, Debug, Serialize)]
pub struct Copied {
    /// Its name as a map would write it.
    pub name: String,
    /// What it is.
    pub kind: CopyKind,
    /// Its columns.
    pub columns: Vec<CatalogColumn>,
}

/// What kind of thing holds data and is no base table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyKind {
    /// It keeps what its query found until it is refreshed.
    MaterializedView,
    /// Its rows are in another database.
    ForeignTable,
    /// A module keeps its rows, for example a full-text index.
    VirtualTable,
}

impl fmt::Display for CopyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaterializedView => "materialized view",
            Self::ForeignTable => "foreign table",
            Self::VirtualTable => "virtual table",
        })
    }
}

/// A trigger.
#[derive(Clone, Debug, Serialize)]
pub struct Trigger {
    /// The table that it watches.
    pub table: String,
    /// Its name.
    pub name: String,
    /// What it reacts to, of `insert`, `update` and `delete`.
    pub on: BTreeSet<String>,
}

/// What the sampled values of a column look like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ColumnSample {
    /// How many rows were read.
    pub rows: u64,
    /// How many of them had a value here.
    pub filled: u64,
    /// How many values differed from each other.
    pub distinct: u64,
    /// How many values had each shape.
    pub shapes: BTreeMap<Shape, u64>,
}

impl ColumnSample {
    /// Tells whether most values have this shape.
    pub fn is_mostly(&self, shape: Shape) -> bool {
        let count = self.shapes.get(&shape).copied().unwrap_or_default();
        count > 0 && count * 10 >= self.filled * 6
    }

    /// Tells whether any value has this shape.
    pub fn has(&self, shape: Shape) -> bool {
        self.shapes.contains_key(&shape)
    }
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// An e-mail address.
    Email,
    /// A telephone number with `+` or separators; a bare row of digits could be anything.
    Phone,
    /// An IPv4 or IPv6 address.
    IpAddress,
    /// A UUID.
    Uuid,
    /// A password hash in one of the usual notations.
    PasswordHash,
    /// A longer text with an e-mail address in it.
    MentionsEmail,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Its type as the database names it.
    pub sql_type: String,
}

/// How many values of one column another has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Containment {
    /// How many rows were read.
    pub rows: u64,
    /// How many of them had no value: null, an empty text or 0.
    pub blank: u64,
    /// How many different values were taken.
    pub taken: u64,
    /// How many of them were found.
    pub found: u64,
}

/// What an account may do with a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rights {
    /// Read it.
    pub select: bool,
    /// Change rows.
    pub update: bool,
    /// Delete rows.
    pub delete: bool,
    /// Lock what it reads.
    pub lock: bool,
    /// Whether row-level security hides rows from it.
    pub row_security: bool,
}
