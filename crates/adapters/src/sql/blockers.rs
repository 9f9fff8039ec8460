//! What stands in the way of an erasure: nothing is erased while one of these is there.

use std::collections::BTreeSet;

use model::plan::StrangerTarget;
use model::{Problem, Result, codes};

use super::look::Look;
use super::spelling;
use super::statement::{self, Column, Purpose, Statement};

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
        let hanging = look.hanging(index).await?.len();
        if hanging > 0 {
            let columns: Vec<&str> =
                step.container.iter().flat_map(|reference| &reference.columns).map(String::as_str).collect();
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
        let columns: Vec<Column> =
            stranger.columns.iter().map(|(name, sql_type)| Column::named(name, sql_type)).collect();
        let dialect = look.connection.dialect();
        let mut lists = Vec::new();
        let condition = match (&stranger.target, columns.as_slice()) {
            (StrangerTarget::Rows(name), _) => {
                let mut values = look.frozen.keys.get(name).into_iter().flatten().map(String::as_str);
                dialect.matches(&columns, &mut values, &mut lists)
            }
            (StrangerTarget::Identity(kind), [column]) => {
                spelling::matches(dialect, column, kind, &look.frozen.identities, &mut lists)
            }
            (StrangerTarget::Identity(_), _) => None,
        };
        let Some(condition) = condition else { continue };
        let step = look.plan.steps.iter().position(|step| step.table == stranger.table);
        // Within the map, rows that go anyway are no strangers.
        let (shown, known) = match step {
            Some(index) => {
                let locator = statement::locator(look.connection, &look.plan.steps[index]);
                let shown: Vec<String> = locator.iter().map(|column| dialect.text(&column.sql)).collect();
                (shown.join(", "), look.rows[index].keys().collect())
            }
            None => ("'1'".to_owned(), BTreeSet::new()),
        };
        let limit = if step.is_some() { "" } else { " LIMIT 1" };
        let sql = format!("SELECT {shown} FROM {} WHERE {condition}{limit}", dialect.table(&stranger.table));
        let found = Statement { purpose: Purpose::Read, table: stranger.table.clone(), sql, lists };
        let found = look.connection.query(&found).await?;
        if found.iter().any(|cells| super::encode(cells).is_none_or(|row| !known.contains(&row))) {
            let names: Vec<&str> = stranger.columns.iter().map(|(name, _)| name.as_str()).collect();
            let detail = format!("{} refers to the person by {}", stranger.table, names.join(", "));
            blockers.push(Problem::new(&codes::erasure::TABLE_UNMAPPED, detail));
        }
    }
    Ok(blockers)
}
