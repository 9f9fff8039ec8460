//! The dry run: what a request would find and do, without making one.

use model::erasure::{PlanView, PlannedSystem, PlannedTable};
use model::location::Place;
use model::plan::Action;
use model::{Identity, Problem, Result};

use super::identity::{self, Look};
use crate::{Engine, world};

/// Looks for a person in every system of an app and says what a request would do. Nothing is changed or recorded.
///
/// # Errors
/// `MO-1006` for an unknown app; what the systems say is in the view.
pub async fn preview(engine: &Engine, app: &str, identities: &[Identity]) -> Result<PlanView> {
    preview_in(engine, app, identities, None).await
}

/// As [`preview`], in `only` these systems.
pub(super) async fn preview_in(
    engine: &Engine,
    app: &str,
    identities: &[Identity],
    only: Option<&[String]>,
) -> Result<PlanView> {
    let app = world::app(engine, app).await?.declared.name;
    let findings = identity::resolve(engine, &app, identities, only.is_some(), only).await?;
    let systems: Vec<PlannedSystem> = findings.looks.iter().map(system).collect();
    Ok(PlanView {
        app,
        identities: findings.identities.len() as u64,
        found: systems.iter().flat_map(|system| &system.tables).map(|table| table.found).sum(),
        blockers: findings.blockers,
        systems,
    })
}

fn system(look: &Look) -> PlannedSystem {
    let steps = look.plan.iter().flat_map(|plan| &plan.steps).map(|step| (&step.table, action(&step.action)));
    let locations =
        look.plan.iter().flat_map(|plan| &plan.locations).map(|location| (&location.name, at(&location.place)));
    let table = |(name, action): (&String, &str)| {
        let found = look.survey.tables.iter().find(|table| table.name == *name);
        PlannedTable {
            name: name.clone(),
            action: action.to_owned(),
            found: found.map_or(0, |table| table.found),
            note: found.and_then(|table| table.note.clone()),
        }
    };
    PlannedSystem {
        name: look.name.clone(),
        tables: steps.chain(locations).map(table).collect(),
        blockers: look.blockers.clone(),
        warnings: warnings(look),
        away: look.away.as_ref().map(Problem::reason),
    }
}

fn warnings(look: &Look) -> Vec<String> {
    let mut warnings = look.plan.as_ref().map(|plan| plan.warnings.clone()).unwrap_or_default();
    if look.survey.in_batches {
        let batches = "the person has too many rows for one transaction: they are erased in batches, and what stands in \
             the way of a later batch is found when earlier ones are gone; the counts are at least so many";
        warnings.push(batches.to_owned());
    }
    warnings
}

fn action(action: &Action) -> &'static str {
    match action {
        Action::Delete => "delete",
        Action::Keep(_) => "keep",
        Action::DeleteOrStub => "delete_or_stub",
    }
}

fn at(place: &Place) -> &'static str {
    match place {
        Place::Call(_) => "call",
        Place::Notice(_) => "notify",
        Place::Task(_) => "task",
        _ => "delete",
    }
}
