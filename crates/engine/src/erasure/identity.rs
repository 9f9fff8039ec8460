//! Whom it is about: every system is asked, and what one system knows of the person is looked for in the others, until nothing new turns up.

use std::collections::BTreeSet;
use std::sync::Arc;

use adapters::Eraser;
use model::plan::{Plan, Survey};
use model::problem::Reason;
use model::{Code, Identity, IdentityKind, Problem, Result, Verdict, codes};
use store::world::System;

use super::{people, plan, systems};
use crate::{Engine, world};

/// How often identities may lead on to further systems before we stop believing that they are one person's.
const ROUNDS: usize = 8;

/// What a look at every system of an app found, before anything is destroyed.
pub(super) struct Findings {
    /// The systems, in the order of the declaration.
    pub looks: Vec<Look>,
    /// The identities asked for and those learned on the way.
    pub identities: Vec<Identity>,
    /// What stands in the way of the request as a whole.
    pub blockers: Vec<Reason>,
}

/// A look at one system.
pub(super) struct Look {
    /// The declared name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What is to be done there; `None` if it could not be planned.
    pub plan: Option<Plan>,
    /// What was found there.
    pub survey: Survey,
    /// What stands in the way there.
    pub blockers: Vec<Reason>,
    /// Why it could not be looked at this time.
    pub away: Option<Problem>,
    eraser: Option<Arc<dyn Eraser>>,
    /// The identities that the last survey was asked for.
    asked: Option<BTreeSet<Identity>>,
}

impl Look {
    /// Tells whether the system can be searched.
    fn is_open(&self) -> bool {
        self.away.is_none() && self.blockers.is_empty()
    }

    /// Takes a failure for what it is: a system that is away, or something that stands in the way.
    fn fail(&mut self, problem: Problem) {
        match problem.verdict() {
            Verdict::Retry => self.away = Some(problem),
            _ => self.blockers.push(problem.reason()),
        }
    }
}

impl Findings {
    /// Tells whether anything stands in the way.
    pub fn is_blocked(&self) -> bool {
        self.reasons().next().is_some()
    }

    /// Returns everything that stands in the way.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        self.blockers.iter().chain(self.looks.iter().flat_map(|look| &look.blockers))
    }

    /// Takes a problem of the identity map for what stands in the way, and hands on one of our store.
    fn stand(&mut self, problem: Problem) -> Result<()> {
        if !problem.is(&codes::erasure::AMBIGUOUS) {
            return Err(problem);
        }
        let reason = problem.reason();
        if !self.blockers.contains(&reason) {
            self.blockers.push(reason);
        }
        Ok(())
    }

    fn block(&mut self, code: &'static Code, detail: impl Into<String>) {
        self.blockers.push(Problem::new(code, detail).reason());
    }
}

/// Looks for a person in every system of an app, or in `only` these of them, without changing anything. Of a `closed` set not
/// every kind needs a column: the system that taught it may have been taken out since.
///
/// # Errors
/// What our own store says; what the systems say is in the findings.
pub(super) async fn resolve(
    engine: &Engine,
    app: &str,
    requested: &[Identity],
    closed: bool,
    only: Option<&[String]>,
) -> Result<Findings> {
    let mut systems = world::systems_of(engine, app).await?;
    systems.retain(|system| only.is_none_or(|only| only.contains(&system.declared.name)));
    let mut findings = Findings { looks: Vec::new(), identities: requested.to_vec(), blockers: Vec::new() };
    if systems.is_empty() {
        findings.block(&codes::erasure::NO_SYSTEMS, format!("the app {app} has none"));
        return Ok(findings);
    }
    let mut known: BTreeSet<Identity> = requested.iter().cloned().collect();
    // Whom the map knows is looked for by what it knows.
    if let Err(problem) = people::widen(engine, app, &mut known).await {
        findings.stand(problem)?;
    }
    let lead_nowhere = requested.iter().filter(|_| !closed && known.len() <= requested.len());
    for kind in unmapped_kinds(&systems, lead_nowhere) {
        findings.block(&codes::erasure::IDENTITY_UNMAPPED, format!("no column or location is mapped to {kind}"));
    }
    for system in &systems {
        findings.looks.push(look(engine, system).await);
    }
    close(engine, app, &mut findings).await?;
    Ok(findings)
}

/// Returns the kinds that were asked for and that lead to nothing in any system.
fn unmapped_kinds<'a>(systems: &[System], requested: impl Iterator<Item = &'a Identity>) -> BTreeSet<IdentityKind> {
    let mapped: BTreeSet<&IdentityKind> = systems.iter().flat_map(|system| system.declared.identities()).collect();
    requested.map(|identity| identity.kind.clone()).filter(|kind| !mapped.contains(kind)).collect()
}

/// Opens a system, reads its catalogue and plans.
async fn look(engine: &Engine, system: &System) -> Look {
    let declared = &system.declared;
    let mut look = Look {
        name: declared.name.clone(),
        label: declared.label.clone().unwrap_or_else(|| declared.name.clone()),
        plan: None,
        survey: Survey::default(),
        blockers: Vec::new(),
        away: None,
        eraser: None,
        asked: None,
    };
    match open_and_plan(engine, system).await {
        Ok((eraser, Ok(plan))) => (look.eraser, look.plan) = (Some(eraser), Some(plan)),
        Ok((_, Err(reasons))) => look.blockers = reasons,
        Err(problem) => look.fail(problem),
    }
    look
}

/// Opens a system and plans what is to be done there, by the map and the catalogue of today.
pub(super) async fn open_and_plan(
    engine: &Engine,
    system: &System,
) -> Result<(Arc<dyn Eraser>, Result<Plan, Vec<Reason>>)> {
    let opened = systems::open(engine, system, None).await?;
    let catalog = opened.catalog().await?;
    let planned = plan::plan(&catalog, &system.declared.tables);
    // Retention periods that are over by now are over for the whole request, however long it takes.
    let as_of = Some(engine.ambient.now());
    let locations = system.declared.locations.clone();
    Ok((opened.eraser.clone(), planned.map(|plan| Plan { as_of, locations, ..plan })))
}

/// Opens a system, reads what it says of itself and holds the map against it, for `doctor`. Nobody is looked for.
///
/// # Errors
/// Everything that stands in the way.
pub async fn check_system(engine: &Engine, system: &System) -> Result<(), Vec<Reason>> {
    let (_, plan) = open_and_plan(engine, system).await.map_err(|problem| vec![problem.reason()])?;
    plan.map(drop)
}

/// Surveys until the set of identities is closed over all systems and the identity map.
async fn close(engine: &Engine, app: &str, findings: &mut Findings) -> Result<()> {
    let mut known: BTreeSet<Identity> = findings.identities.iter().cloned().collect();
    let mut closed = false;
    let mut ambiguous = None;
    for _ in 0..ROUNDS {
        ambiguous = people::widen(engine, app, &mut known).await.err();
        let before = known.len();
        for look in findings.looks.iter_mut().filter(|look| look.is_open()) {
            survey(look, &mut known).await;
        }
        closed = known.len() == before;
        if closed {
            break;
        }
    }
    if let Some(problem) = ambiguous {
        findings.stand(problem)?;
    }
    if !closed {
        findings.block(&codes::erasure::IDENTITIES_GROW, format!("after {ROUNDS} rounds there were still new ones"));
    }
    findings.identities = known.into_iter().collect();
    for look in &mut findings.looks {
        look.blockers.append(&mut look.survey.blockers);
    }
    Ok(())
}

/// Surveys one system for what is known by now, unless it was asked that already. What it learns joins the known.
async fn survey(look: &mut Look, known: &mut BTreeSet<Identity>) {
    let (Some(eraser), Some(plan)) = (&look.eraser, &look.plan) else { return };
    let kinds = plan.identities();
    let ask: BTreeSet<Identity> = known.iter().filter(|identity| kinds.contains(&identity.kind)).cloned().collect();
    if look.asked.as_ref() == Some(&ask) {
        return;
    }
    let identities: Vec<Identity> = known.iter().cloned().collect();
    match eraser.survey(plan, &identities).await {
        Ok(survey) => {
            known.extend(survey.frozen.identities.iter().cloned());
            look.survey = survey;
            look.asked = Some(ask);
        }
        Err(problem) => look.fail(problem),
    }
}
