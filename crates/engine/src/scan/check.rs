//! Holding a map against the live database: everything that would stop an erasure, found before somebody asks for one.

use std::collections::{BTreeMap, BTreeSet};

use adapters::Inspector;
use adapters::inspect::Rights;
use model::catalog::Catalog;
use model::check::{Checks, Verdict};
use model::plan::{Action, Plan, Redaction, Step, Stranger, StrangerTarget};
use model::world::{OnErase, Table};
use model::{Problem, Result, codes};

use super::evidence::{Evidence, class};
use super::personal;
use crate::erasure::plan::plan;

/// Holds a map against a database, within limits and without changing anything.
pub async fn check(inspector: &dyn Inspector, tables: &[Table]) -> Checks {
    let mut checks = Checks::default();
    let evidence = match Evidence::gather(inspector).await {
        Ok(evidence) => evidence,
        Err(problem) => {
            checks.failed("connect", &problem);
            return checks;
        }
    };
    checks.must("connect", true, format!("it answers, and has {} tables", evidence.catalog.tables.len()));
    if tables.is_empty() {
        checks.note("map", Verdict::Warning, "there is no map to check; `moveout adapter scan` drafts one");
        return checks;
    }
    match plan(&evidence.catalog, tables) {
        Ok(plan) => {
            let circle = if plan.deferred { ", foreign keys are checked at the commit" } else { "" };
            checks.must(
                "map",
                true,
                format!("every table and column of it is there; {} steps{circle}", plan.steps.len()),
            );
            strangers(&mut checks, &plan, &evidence.catalog);
            undecided(&mut checks, &plan);
            types(&mut checks, &plan, &evidence.catalog);
            rights(&mut checks, inspector, &plan).await;
            indexes(&mut checks, &plan);
        }
        Err(reasons) => reasons.into_iter().for_each(|reason| checks.fail("map", reason)),
    }
    out_of_reach(&mut checks, &evidence, tables);
    checks
}

/// Tables that refer to mapped ones and are not in the map.
fn strangers(checks: &mut Checks, plan: &Plan, catalog: &Catalog) {
    for stranger in &plan.strangers {
        match by_foreign_key(stranger, catalog) {
            true => {
                let detail = format!("{}; a person whom a row there refers to cannot be erased", place(stranger));
                checks.failed("unmapped", &Problem::new(&codes::erasure::TABLE_UNMAPPED, detail));
            }
            false => checks.note("unmapped", Verdict::Warning, called_alike(stranger)),
        }
    }
    if plan.strangers.is_empty() {
        checks.must("unmapped", true, "no table outside the map refers to one within");
    }
}

fn place(stranger: &Stranger) -> String {
    let columns: Vec<&str> = stranger.columns.iter().map(|(name, _)| name.as_str()).collect();
    let target = match &stranger.target {
        StrangerTarget::Rows(key) => format!("refers to {key}"),
        StrangerTarget::Identity(kind) => format!("holds {kind}"),
    };
    format!("{}.{} {target}", stranger.table, columns.join(", "))
}

fn by_foreign_key(stranger: &Stranger, catalog: &Catalog) -> bool {
    let keys = catalog.table(&stranger.table).map(|table| table.foreign_keys.as_slice()).unwrap_or_default();
    keys.iter().any(|key| key.columns.iter().eq(stranger.columns.iter().map(|(name, _)| name)))
}

/// Says what a column means that is only called like one of the map.
pub(super) fn called_alike(stranger: &Stranger) -> String {
    format!(
        "{}, if its name means what it means in the map; a person whose value is there is blocked. Map it, or say ignore = \"why\" for {}",
        place(stranger),
        stranger.table
    )
}

/// Containers of which the map does not say what happens to others' rows.
fn undecided(checks: &mut Checks, plan: &Plan) {
    let open: Vec<&Step> =
        plan.steps.iter().filter(|step| !step.container.is_empty() && step.on_erase.is_none()).collect();
    for step in &open {
        let columns: Vec<&str> =
            step.container.iter().flat_map(|reference| &reference.columns).map(String::as_str).collect();
        let detail = format!("whenever there are some, by {} of {}", columns.join(", "), step.table);
        checks.failed("undecided", &Problem::new(&codes::erasure::OTHERS_ROWS, detail));
    }
    if open.is_empty() {
        checks.must("undecided", true, "it is said of every container what happens to others' rows");
    }
}

/// References whose two ends hold different kinds of values: such rows would never be found.
fn types(checks: &mut Checks, plan: &Plan, catalog: &Catalog) {
    let mut differ = Vec::new();
    for step in &plan.steps {
        let Some(live) = catalog.table(&step.table) else { continue };
        for reference in step.owner.iter().chain(&step.container) {
            let Some(there) = catalog.table(&reference.table) else { continue };
            for (column, target) in reference.columns.iter().zip(&reference.target) {
                if !class(live, column).may_refer_to(class(there, target)) {
                    let sql_type = |table: &model::catalog::CatalogTable, name: &str| {
                        table.column(name).map_or(String::new(), |column| column.sql_type.clone())
                    };
                    differ.push(format!(
                        "{}.{column} is {}, {}.{target} is {}",
                        step.table,
                        sql_type(live, column),
                        there.name,
                        sql_type(there, target)
                    ));
                }
            }
        }
    }
    checks.should(
        "types",
        differ.is_empty(),
        match differ.is_empty() {
            true => "references have the types of what they refer to".to_owned(),
            false => format!("{}: rows whose values are written differently are not found", differ.join("; ")),
        },
    );
}

async fn rights(checks: &mut Checks, inspector: &dyn Inspector, plan: &Plan) {
    let names: Vec<String> = plan.steps.iter().map(|step| step.table.clone()).collect();
    let rights: Result<BTreeMap<String, Rights>> = inspector.rights(&names).await;
    let rights = match rights {
        Ok(rights) => rights,
        Err(problem) => return checks.failed("rights", &problem),
    };
    let before = checks.points().len();
    for step in &plan.steps {
        let has = rights.get(&step.table).copied().unwrap_or_default();
        let lacks = [
            ("SELECT", !has.select),
            ("UPDATE", updates(step) && !has.update),
            ("DELETE", deletes(step) && !has.delete),
            ("row locks (UPDATE)", !has.lock),
        ];
        let lacks: Vec<&str> = lacks.into_iter().filter(|(_, lacking)| *lacking).map(|(name, _)| name).collect();
        if !lacks.is_empty() {
            let detail = format!("the account lacks {} on {}", lacks.join(", "), step.table);
            checks.failed("rights", &Problem::new(&codes::erasure::TABLE_UNREADABLE, detail));
        }
        if has.row_security {
            let detail = format!(
                "row-level security hides rows of {} from the account, which would pass for erased",
                step.table
            );
            checks.failed("row_security", &Problem::new(&codes::erasure::TABLE_UNREADABLE, detail));
        }
    }
    if checks.points().len() == before {
        checks.must(
            "rights",
            true,
            format!("the account may do what the map asks of it in {} tables", plan.steps.len()),
        );
    }
}

fn deletes(step: &Step) -> bool {
    // A kept row is erased when its time is over.
    matches!(step.action, Action::Delete | Action::DeleteOrStub | Action::Keep(_))
}

fn updates(step: &Step) -> bool {
    let redacts =
        step.action != Action::Delete && step.columns.values().any(|column| column.redaction != Redaction::Stay);
    redacts || !step.nulled_first.is_empty() || matches!(step.on_erase, Some(OnErase::Detach))
}

fn indexes(checks: &mut Checks, plan: &Plan) {
    plan.warnings.iter().for_each(|warning| checks.note("indexes", Verdict::Warning, warning.clone()));
    if plan.warnings.is_empty() {
        checks.must("indexes", true, "every column that an erasure asks for has one");
    }
}

/// What looks personal and is neither mapped nor ignored.
fn out_of_reach(checks: &mut Checks, evidence: &Evidence, tables: &[Table]) {
    let known: BTreeSet<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let identities: BTreeSet<&str> =
        tables.iter().flat_map(|table| table.identity.keys()).map(String::as_str).collect();
    let outside = personal::outside(evidence, &known, &identities);
    for open in &outside.unreachable {
        checks.note("out_of_reach", Verdict::Warning, format!("{}: {}. Next: {}", open.table, open.what, open.next));
    }
    if outside.unreachable.is_empty() {
        checks.must("out_of_reach", true, "nothing else looks personal, by its name or by sampled values");
    }
}
