//! What a law may oblige to keep: a proposal, never in force by itself.

use model::catalog::CatalogTable;
use model::world::{Keep, Round};

use super::evidence::{Evidence, class};
use super::links::Link;
use super::names::{self, Name};
use super::reach::is_time;
use super::types::TypeClass;

/// Proposes what of a table of bookkeeping would be kept: figures and dates, nothing that names the person.
pub(super) fn propose(evidence: &Evidence, table: &CatalogTable, links: &[Link]) -> Option<Keep> {
    if !Name::of_table(&table.name).speaks_of(names::BOOKKEEPING) || table.primary_key.is_empty() {
        return None;
    }
    let refers = |column: &str| {
        links.iter().any(|link| link.table == table.name && link.columns.iter().any(|name| name == column))
    };
    let figure = |column: &str| {
        let number = matches!(class(table, column), TypeClass::Number);
        number || Name::of(column).has(names::FIGURES)
    };
    let impersonal = |column: &&model::catalog::CatalogColumn| {
        !refers(&column.name)
            && !table.primary_key.contains(&column.name)
            && !column.generated
            && evidence.looks_personal(&table.name, column).is_none()
    };
    let columns: Vec<&str> = table
        .columns
        .iter()
        .filter(impersonal)
        .map(|column| column.name.as_str())
        .filter(|column| figure(column) || is_time(table, column))
        .collect();
    let said = |words: &str| columns.iter().find(|column| is_time(table, column) && Name::of(column).has(words));
    let from = said("issued invoiced invoice booked").or_else(|| said("paid ordered")).or_else(|| said("created"));
    let from = from.or_else(|| columns.iter().find(|column| is_time(table, column)));
    if columns.is_empty() {
        return None;
    }
    Some(Keep {
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        ground: "legal-obligation".to_owned(),
        law: "WHICH LAW".to_owned(),
        period: from.map(|_| "8y".to_owned()),
        from: from.map(|column| (*column).to_owned()),
        round: from.map(|_| Round::YearEnd),
    })
}
