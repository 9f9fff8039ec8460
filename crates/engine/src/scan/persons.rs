//! Which tables are the people: the rest of a map hangs on these.

use std::collections::BTreeMap;

use adapters::inspect::Shape;
use model::catalog::CatalogTable;

use super::evidence::Evidence;
use super::identities::{self, IdentityColumn};
use super::links::{Link, Role};
use super::names::{self, Name};

/// A table of people.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) table: String,
    pub(super) identity: Vec<IdentityColumn>,
    /// How many tables refer to it.
    pub(super) referred: usize,
    score: u64,
}

/// From this score on a table may be one of people.
const ENOUGH: u64 = 6;

/// Finds them, the likeliest first. `links` are those that need no knowledge of people: foreign keys and names of tables.
pub(super) fn find(evidence: &Evidence, links: &[Link]) -> Vec<Person> {
    let mut referred: BTreeMap<&str, usize> = BTreeMap::new();
    for link in links.iter().filter(|link| link.table != link.target_table) {
        *referred.entry(&link.target_table).or_default() += 1;
    }
    let count = |table: &CatalogTable| referred.get(table.name.as_str()).copied().unwrap_or_default();
    let mut candidates: Vec<Person> =
        evidence.catalog.tables.iter().filter_map(|table| candidate(evidence, table, count(table))).collect();
    candidates.sort_by_key(|person| std::cmp::Reverse(person.score));
    let mut persons: Vec<Person> = Vec::new();
    for candidate in candidates {
        let bound = |link: &Link| {
            let known = |table: &str| persons.iter().any(|person| person.table == table);
            // A profile belongs to its user, unless a colleague merely entered it; a tenant that users refer to is no user.
            let belongs = link.table == candidate.table && link.role != Role::Other && known(&link.target_table);
            belongs || link.target_table == candidate.table && known(&link.table)
        };
        if !links.iter().any(bound) {
            persons.push(candidate);
        }
    }
    persons
}

fn candidate(evidence: &Evidence, table: &CatalogTable, referred: usize) -> Option<Person> {
    let identity = identities::of(evidence, table);
    if !identity.iter().any(|column| column.unsound.is_none()) {
        return None;
    }
    let name = Name::of_table(&table.name);
    let noun = names::same_noun(name.last(), "user") || name.has("users user");
    let is_person = noun || name.speaks_of(names::PERSONS);
    let columns: Vec<(Name, &str)> =
        table.columns.iter().map(|column| (Name::of(&column.name), column.name.as_str())).collect();
    let says = |what: &str| columns.iter().any(|(name, _)| names::personal(name) == Some(what));
    let hashed =
        |column: &str| evidence.sample(&table.name, column).is_some_and(|sample| sample.is_mostly(Shape::PasswordHash));
    let password = says("password") || columns.iter().any(|(_, column)| hashed(column));
    let given_out = identity.iter().any(|column| identities::is_given_out(&column.kind));
    let named = says("name") || says("birth or sex");
    if !(is_person || password || given_out && referred > 0 || named && referred > 0)
        || name.speaks_of(names::OF_THE_HOUSE)
    {
        return None;
    }
    let points = [
        (is_person, 4),
        (noun, 2),
        (password, 5),
        (given_out, 4),
        (named, 1),
        (identity.iter().any(|column| column.kind.as_str() == "email" && column.unsound.is_none()), 3),
        (identity.iter().any(|column| table.unique.contains(&column.column)), 1),
    ];
    let score =
        points.iter().filter(|(holds, _)| *holds).map(|(_, points)| points).sum::<u64>() + referred.min(4) as u64;
    (score >= ENOUGH).then(|| Person { table: table.name.clone(), identity, referred, score })
}
