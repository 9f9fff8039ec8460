//! The plan of an erasure in one system: which rows, in which order, and what happens to them.
//!
//! `engine::erasure::plan` makes it from the map and the live catalogue; an adapter carries it out.
//! It names no person: the same plan serves every request, together with that request's [`Frozen`] keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::erasure::{Kept, TableResult};
use crate::identity::{Identity, IdentityKind};
use crate::problem::Reason;
use crate::world::{ColumnRef, Keep, OnErase};

/// What happens in one system, tables in the order in which they are erased: children before their owners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Tables outside the map whose rows could refer to the person; rows found there block the erasure.
    pub strangers: Vec<Stranger>,
    /// What an operator should know: full scans, tables without a key.
    pub warnings: Vec<String>,
}

/// What happens in one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The table.
    pub table: String,
    /// Columns that hold an identity of the person: such a row *is* the person.
    pub identity: BTreeMap<String, IdentityKind>,
    /// Columns that name the row's owner; any match makes the row the person's.
    pub owner: BTreeMap<String, ColumnRef>,
    /// Columns that name what the row hangs on.
    pub container: BTreeMap<String, ColumnRef>,
    /// What happens to others' rows that hang on the person's.
    pub on_erase: Option<OnErase>,
    /// What happens to the person's rows.
    pub action: Action,
    /// Columns that other steps refer to; their values are frozen before anything is erased.
    pub keys: BTreeSet<String>,
    /// The columns of the primary key, never nulled.
    pub primary_key: Vec<String>,
    /// Columns that may be null: what a redaction empties.
    pub nullable: Vec<String>,
    /// Columns that may not be null and are neither kept nor keys, with their SQL type: what a redaction blanks.
    pub blanks: BTreeMap<String, String>,
}

/// What happens to the person's rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// They are deleted.
    Delete,
    /// They stay until the ground is over, redacted to the columns that it covers.
    Keep(Keep),
    /// They are deleted, but where kept or tombstoned rows must go on referring to one, it stays as a stub of its key alone.
    DeleteOrStub,
}

/// A column outside the map that could refer to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// The table, which is not in the map.
    pub table: String,
    /// Its column.
    pub column: String,
    /// What the column refers to, by a foreign key or by carrying the name of a mapped column.
    pub target: StrangerTarget,
}

/// What a column outside the map refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrangerTarget {
    /// The values of a mapped column whose rows are erased.
    Column(ColumnRef),
    /// An identity of the person.
    Identity(IdentityKind),
}

/// Whom a request is about in one system, closed before anything is destroyed. Personal data: stored sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The identities of the person, those of the request and those found on their rows.
    pub identities: Vec<Identity>,
    /// The values of key columns of the person's rows, as text, by `table.column`.
    pub keys: BTreeMap<String, BTreeSet<String>>,
}

/// What a look into one system found, before anything is destroyed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Whom it is about.
    pub frozen: Frozen,
    /// Rows found, per table of the plan.
    pub tables: Vec<TableResult>,
    /// What stands in the way; nothing may be erased while this is not empty.
    pub blockers: Vec<Reason>,
}

/// What an erasure did in one system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Erased {
    /// Rows found and erased, per table of the plan.
    pub tables: Vec<TableResult>,
    /// What was kept, on which ground, until when.
    pub kept: Vec<Kept>,
}
