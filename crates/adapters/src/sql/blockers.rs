//! What stands in the way of an erasure: nothing is erased while one of these is there.

use std::collections::BTreeSet;

use model::plan::{Stranger, StrangerTarget};
use model::{Problem, Result, codes};

use super::look::Look;
use super::spelling;
use super::statement::{self, Column, Condition, Purpose, Statement};

/// Finds everything that stands in the way.
pub(super) async fn find(look: &mut Look<'_>) -> Result<Vec<Problem>> {
    let mut blockers = ambiguities(look).await?;
    blockers.extend(others(look).await?);
    blockers.extend(strangers(look).await?);
    Ok(blockers)
}

/// Persons that cannot be told apart.
async fn ambiguities(look: &mut Look<'_>) -> Result<Vec<Problem>> {
    let mut blockers = Vec::new();
    for (step, rows) in look.plan.steps.iter().zip(&look.rows) {
        let persons = rows.values().filter(|row| row.own && !row.redacted).count();
        // A table with owners may hold several rows of one person: these lead to the person, where they are told apart.
        if !step.identity.is_empty() && step.owner.is_empty() && persons > 1 {
            let detail = format!("{persons} rows of {} match the identities", step.table);
            blockers.push(Problem::new(&codes::erasure::AMBIGUOUS, detail));
        }
    }
    let shared: BTreeSet<String> = look.keys_of_others().await?.into_iter().map(|(name, _)| name).collect();
    for name in shared {
        let detail =
            format!("rows that are not the person's carry the same {name}, so what refers to it could be theirs");
        blockers.push(Problem::new(&codes::erasure::AMBIGUOUS, detail));
    }
    Ok(blockers)
}

/// Others' rows that hang on rows to be erased, where the map does not say what happens to them.
async fn others(look: &mut Look<'_>) -> Result<Vec<Problem>> {
    let mut blockers = Vec::new();
    for (index, step) in look.plan.steps.iter().enumerate() {
        if step.on_erase.is_some() || step.container.is_empty() {
            continue;
        }
        let (hanging, cut) = look.hanging(index).await?;
        if !hanging.is_empty() {
            let columns: Vec<&str> =
                step.container.iter().flat_map(|reference| &reference.columns).map(String::as_str).collect();
            let hanging = format!("{}{}", if cut { "more than " } else { "" }, hanging.len());
            let detail = format!("{hanging} rows of {} by {}", step.table, columns.join(", "));
            blockers.push(Problem::new(&codes::erasure::OTHERS_ROWS, detail));
        }
    }
    Ok(blockers)
}

/// Rows that refer to the person by columns that the map does not know.
pub(super) async fn strangers(look: &mut Look<'_>) -> Result<Vec<Problem>> {
    let mut blockers = Vec::new();
    for stranger in &look.plan.strangers {
        let named =
            |(name, sql_type): &(String, String)| Column { tied: stranger.tied, ..Column::named(name, sql_type) };
        let columns: Vec<Column> = stranger.columns.iter().map(named).collect();
        let conditions = match (&stranger.target, columns.as_slice()) {
            (StrangerTarget::Rows(name), _) => {
                let values = look.frozen.keys.get(name).into_iter().flatten().cloned().collect();
                vec![Condition { columns, values, and: None }]
            }
            (StrangerTarget::Identity(kind), [column]) => {
                spelling::conditions(look.connection.dialect(), column, kind, &look.frozen.identities)
            }
            (StrangerTarget::Identity(_), _) => Vec::new(),
        };
        if refers(look, stranger, &conditions).await? {
            let names: Vec<&str> = stranger.columns.iter().map(|(name, _)| name.as_str()).collect();
            let detail = format!("{} refers to the person by {}", stranger.table, names.join(", "));
            blockers.push(Problem::new(&codes::erasure::TABLE_UNMAPPED, detail));
        }
    }
    Ok(blockers)
}

/// Tells whether a row of a stranger carries one of these values; within the map, rows that go anyway do not count.
async fn refers(look: &mut Look<'_>, stranger: &Stranger, conditions: &[Condition]) -> Result<bool> {
    let dialect = look.connection.dialect();
    let step = look.plan.steps.iter().position(|step| step.table == stranger.table);
    // Where not all rows were found, others may be the person's too: the last batch tells.
    if step.is_some_and(|index| look.cut.contains(&index)) {
        return Ok(false);
    }
    let (shown, limit) = match step {
        Some(index) => {
            let locator = statement::locator(look.connection, &look.plan.steps[index]);
            (locator.iter().map(|column| dialect.text(column)).collect::<Vec<_>>().join(", "), "")
        }
        None => ("'1'".to_owned(), " LIMIT 1"),
    };
    for part in statement::any(dialect, conditions) {
        let sql = format!("SELECT {shown} FROM {} WHERE {}{limit}", dialect.table(&stranger.table), part.sql);
        let (purpose, table) = (Purpose::Read, stranger.table.clone());
        let found = look.connection.query(&Statement { purpose, table, sql, lists: part.lists }).await?;
        let known = |row: &String| step.is_some_and(|index| look.rows[index].contains_key(row));
        if found.iter().any(|cells| super::encode(cells).is_none_or(|row| !known(&row))) {
            return Ok(true);
        }
    }
    Ok(false)
}
