//! What a live database says of itself: tables, columns and foreign keys.

use serde::{Deserialize, Serialize};

/// The tables of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Its base tables, in the order of their names.
    pub tables: Vec<CatalogTable>,
}

impl Catalog {
    /// Returns the table of this name.
    pub fn table(&self, name: &str) -> Option<&CatalogTable> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// One table of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogTable {
    /// Its name as the map writes it: without a schema for the default schema, else `schema.table`.
    pub name: String,
    /// Its columns.
    pub columns: Vec<CatalogColumn>,
    /// The columns of its primary key, in order; empty if it has none.
    pub primary_key: Vec<String>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// The first columns of its indexes, for warnings about full scans.
    pub indexed: Vec<String>,
    /// Columns that take part in a unique index: blanks in them must differ from row to row.
    #[serde(default)]
    pub unique: Vec<String>,
    /// About how many rows it has, if the database knows without counting.
    #[serde(default)]
    pub rows: Option<u64>,
    /// Why rows cannot be erased from it for good, all or nothing, in words; none where they can.
    #[serde(default)]
    pub unfit: Option<String>,
}

impl CatalogTable {
    /// Returns the column of this name.
    pub fn column(&self, name: &str) -> Option<&CatalogColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// One column of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogColumn {
    /// Its name.
    pub name: String,
    /// Its type as the database names it.
    pub sql_type: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether the database computes it from other columns, so that nobody can write it.
    #[serde(default)]
    pub generated: bool,
}

/// A foreign key: rows of this table refer to rows of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub table: String,
    /// The columns referred to.
    pub target: Vec<String>,
    /// Whether deleting what is referred to deletes the referring row too.
    #[serde(default)]
    pub cascades: bool,
    /// Whether it can be checked as late as at the commit.
    #[serde(default)]
    pub deferrable: bool,
}
