//! The plan of an erasure in one system: which rows, in which order, and what happens to them.
//!
//! `engine::erasure::plan` makes it from the map and the live catalogue; an adapter carries it out.
//! It names no person: the same plan serves every request, together with that request's [`Frozen`] keys.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::erasure::{Kept, TableResult};
use crate::identity::{Identity, IdentityKind};
use crate::location::Location;
use crate::problem::Reason;
use crate::world::{Keep, OnErase};

/// What happens in one system, tables in the order in which they are erased: children before their owners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The places of a system that is no database; it has no steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// Columns that refer to the person's rows and that the map does not know; rows found there block the erasure.
    pub strangers: Vec<Stranger>,
    /// What an operator should know: full scans, tables without a key.
    pub warnings: Vec<String>,
    /// Whether foreign keys must be checked at the commit, because tables refer to each other in a circle.
    #[serde(default)]
    pub deferred: bool,
    /// The instant that retention periods are measured against; without one, none is over.
    #[serde(default)]
    pub as_of: Option<Timestamp>,
}

impl Plan {
    /// Returns the kinds of identity by which people are found here.
    pub fn identities(&self) -> BTreeSet<&IdentityKind> {
        let columns = self.steps.iter().flat_map(|step| step.identity.values());
        columns.chain(self.locations.iter().flat_map(|location| location.place.identities())).collect()
    }
}

/// What happens in one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The table.
    pub table: String,
    /// Columns that hold an identity of the person: such a row *is* the person.
    pub identity: BTreeMap<String, IdentityKind>,
    /// References to the row's owners; any match makes the row the person's.
    pub owner: Vec<Reference>,
    /// References to what the row hangs on.
    pub container: Vec<Reference>,
    /// What happens to others' rows that hang on the person's.
    pub on_erase: Option<OnErase>,
    /// What happens to the person's rows.
    pub action: Action,
    /// The columns that other steps refer to, or that find a kept row again; their values are frozen before anything is erased.
    pub keys: BTreeSet<Vec<String>>,
    /// The columns of the primary key, in order; empty if it has none.
    pub primary_key: Vec<String>,
    /// Every column, with its type and what a redaction does to it.
    pub columns: BTreeMap<String, StepColumn>,
    /// Columns that are nulled in the person's rows before anything is deleted, to break a circle of foreign keys.
    pub nulled_first: BTreeSet<String>,
    /// Who may go on referring to these rows: where one does, the row stays as a stub.
    pub holders: Vec<Holder>,
}

/// One column of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepColumn {
    /// Its type as the database names it.
    pub sql_type: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// What a redaction does to it.
    pub redaction: Redaction,
    /// Whether a blank must differ from row to row.
    pub unique: bool,
    /// Whether it takes part in a foreign key, at either end: values that the database takes for the same are the same there.
    #[serde(default)]
    pub tied: bool,
}

/// What a redaction does to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redaction {
    /// It stays: the ground covers it, or the row cannot do without it.
    Stay,
    /// It becomes null.
    Null,
    /// It becomes the empty value of its type, because it may not be null.
    Blank,
}

/// Columns that together refer to columns of another table: declared in the map, a foreign key, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub table: String,
    /// The columns referred to, in the same order.
    pub target: Vec<String>,
}

impl Reference {
    /// Returns the name under which the values referred to are frozen.
    pub fn key(&self) -> String {
        key_name(&self.table, &self.target)
    }
}

/// Returns the name under which the values of these columns are frozen, for example `posts.id`.
pub fn key_name(table: &str, columns: &[String]) -> String {
    format!("{table}.{}", columns.join(","))
}

/// Rows that stay and go on referring to rows of the step that names this holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The table of the rows that stay.
    pub table: String,
    /// How they refer to the step's rows.
    pub reference: Reference,
    /// The rule that keeps them; none where they stay because others own them.
    pub keep: Option<Keep>,
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

/// Columns that could refer to the person and that the map does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// The table: outside the map, or in it with these columns undeclared.
    pub table: String,
    /// Its columns and their types.
    pub columns: Vec<(String, String)>,
    /// What they refer to, by a foreign key or by carrying the name of a mapped column.
    pub target: StrangerTarget,
    /// Whether it is by a foreign key.
    #[serde(default)]
    pub tied: bool,
}

/// What columns outside the map refer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrangerTarget {
    /// The frozen values of this name, see [`key_name`].
    Rows(String),
    /// An identity of the person.
    Identity(IdentityKind),
}

/// Values of key columns of rows by [`key_name`]: text, and for several columns a JSON array of texts.
pub type Keys = BTreeMap<String, BTreeSet<String>>;

/// Whom a request is about in one system, closed before anything is destroyed. Personal data: stored sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The identities of the person, those of the request and those found on their rows.
    pub identities: Vec<Identity>,
    /// The values of key columns of the person's rows.
    pub keys: Keys,
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
    /// Whether there is more than one transaction may touch, so that batches are erased one after the other; the counts
    /// are at least so many then.
    #[serde(default)]
    pub in_batches: bool,
}

/// What an erasure did in one system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Erased {
    /// Whom it was about, with what was found within the transaction: what is to be read again.
    pub frozen: Frozen,
    /// Rows found and erased, per table of the plan.
    pub tables: Vec<TableResult>,
    /// What was kept, on which ground, until when.
    pub kept: Vec<Kept>,
    /// The keys of what was kept, and of the stubs that it refers to: what finds them when their ground is over.
    pub staying: Keys,
    /// Whether there is more than one go could erase: what was done is to be recorded, then the rest to be erased.
    #[serde(default)]
    pub more: bool,
}
