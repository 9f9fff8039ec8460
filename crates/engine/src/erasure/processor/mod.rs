//! Systems where others erase and report: processors that are sent a message, people who are given a task.
//!
//! Nobody can read them again, so they end as attested. Each location becomes a task with a deadline of its own; the request
//! waits for them after everything else was erased, and is blocked when one is overdue.

mod report;
mod wait;

use std::collections::{BTreeMap, BTreeSet};

use adapters::webhook::{Status, Webhook};
use adapters::{Context, Eraser, Spec, Token};
use async_trait::async_trait;
use data_encoding::HEXLOWER;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use model::catalog::Catalog;
use model::erasure::{Evidence, TableResult};
use model::location::{Location, Place};
use model::plan::{Erased, Frozen, Plan, Survey};
use model::{Identity, IdentityKind, Problem, Result, codes};
use serde_json::json;
use store::erasures::tasks::{self, Task, Told};
use store::world::System;
use zeroize::Zeroizing;

pub use report::{MAX_REPORT, TaskView, accept_report, finish_task, open_tasks};
pub(super) use wait::{LOOK_AGAIN, is_awaited, look};

use crate::Engine;

/// How long to wait before a processor is asked again how its work stands.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// A system where others erase.
pub(super) struct Processor {
    engine: Engine,
    /// The request that it is opened for; none for a look that changes nothing.
    erasure: Option<String>,
    name: String,
    webhook: Option<Webhook>,
}

impl Processor {
    /// Opens one.
    ///
    /// # Errors
    /// `MO-1043` or `MO-3013` if a webhook's address or secrets cannot be used.
    pub(super) fn open(engine: &Engine, system: &System, erasure: Option<&str>) -> Result<Self> {
        let webhook = (system.declared.adapter == "webhook").then(|| endpoint(engine, system)).transpose()?;
        let name = system.declared.name.clone();
        Ok(Self { engine: engine.clone(), erasure: erasure.map(str::to_owned), name, webhook })
    }

    fn task_id(&self, erasure: &str, location: &str) -> String {
        let text = format!("{erasure}\0{}\0{location}", self.name);
        format!("task_{}", HEXLOWER.encode(&self.engine.store.vault().digest("erasure-task", text.as_bytes())[..16]))
    }

    /// The tasks of the request that this is opened for.
    async fn tasks(&self) -> Result<BTreeMap<String, Task>> {
        let Some(erasure) = self.erasure.clone() else { return Ok(BTreeMap::new()) };
        let name = self.name.clone();
        let read = self
            .engine
            .store
            .read("erasure.tasks", move |tx| Box::pin(async move { tasks::of_system(tx, &erasure, &name).await }));
        Ok(read.await?.into_iter().map(|task| (task.location.clone(), task)).collect())
    }

    /// Makes the task of a location, once.
    async fn make(&self, location: &Location, person: &Person<'_>) -> Result<()> {
        let Some(erasure) = self.erasure.clone() else { return Ok(()) };
        let now = self.engine.ambient.now();
        let (within, assignee) = match &location.place {
            Place::Notice(notice) => (&notice.within, None),
            Place::Task(task) => (&task.within, task.assignee.clone()),
            _ => return Err(not_ours()),
        };
        let task = Task {
            id: self.task_id(&erasure, &location.name),
            erasure,
            system: self.name.clone(),
            location: location.name.clone(),
            what: person.task(location).map(Zeroizing::new),
            assignee,
            created_at: now,
            due_at: due(now, within),
            told: None,
            done_at: None,
            evidence: None,
        };
        self.engine
            .store
            .write("erasure.task", move |tx| {
                let task = task.clone();
                Box::pin(async move { tasks::ensure(tx, &task).await })
            })
            .await
    }

    /// Tells the processor, or asks it again how the work stands; a message that it answered with neither is sent once.
    async fn tell(&self, webhook: &Webhook, task: &Task, person: &Person<'_>) -> Result<()> {
        let now = self.engine.ambient.now();
        let again = |told: Told| told.answers && now.duration_since(told.at) >= ASK_AGAIN;
        if task.done_at.is_some() || !task.told.is_none_or(again) {
            return Ok(());
        }
        let report_to = format!("{}/processors/{}", self.engine.settings.public_url, task.id);
        let body = json!({
            "type": "erasure.requested",
            "timestamp": now,
            "data": {
                "task": task.id, "location": task.location, "identities": person.0, "due_at": task.due_at, "report_to": report_to
            }
        });
        let status = webhook.send(&task.id, &body.to_string(), now).await?;
        let id = task.id.clone();
        self.engine
            .store
            .write("erasure.told", move |tx| {
                let (id, status) = (id.clone(), status.clone());
                Box::pin(async move {
                    tasks::told(tx, &id, Told { at: now, answers: status.is_pending() }).await?;
                    if status.is_done() {
                        tasks::done(tx, &id, &evidence(&status, "its answer to our message", now)).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Returns how a location stands.
    ///
    /// # Errors
    /// `MO-2064` while it is waited for, `MO-2065` when its time is over.
    fn judge(&self, location: &Location, task: Option<&Task>) -> Result<TableResult> {
        let table = TableResult { name: location.name.clone(), ..TableResult::default() };
        let Some(task) = task else { return Ok(TableResult { found: 1, remaining: 1, ..table }) };
        if let Some(evidence) = task.evidence.clone() {
            return Ok(TableResult { evidence: Some(evidence), ..table });
        }
        let whom = task.assignee.as_deref().unwrap_or(&self.name);
        if self.engine.ambient.now() > task.due_at {
            let detail = format!("{}: {whom} had time until {}; the task is {}", location.name, task.due_at, task.id);
            return Err(Problem::new(&codes::erasure::PROCESSOR_OVERDUE, detail));
        }
        let detail = format!("{}: {whom} has time until {}; the task is {}", location.name, task.due_at, task.id);
        Err(Problem::new(&codes::erasure::AWAITING_PROCESSOR, detail))
    }
}

/// Opens the endpoint of a webhook.
fn endpoint(engine: &Engine, system: &System) -> Result<Webhook> {
    let spec: Spec = system.url.parse()?;
    let secrets = system.secrets.iter().map(|(name, secret)| (name.clone(), Token::new(secret.as_str()))).collect();
    Webhook::new(&spec, &Context { secrets, ..Context::new(engine.net.clone()) })
}

#[async_trait]
impl Eraser for Processor {
    async fn catalog(&self) -> Result<Catalog> {
        Ok(Catalog::default())
    }

    async fn survey(&self, plan: &Plan, identities: &[Identity]) -> Result<Survey> {
        let kinds = plan.identities();
        let asked: BTreeSet<&Identity> = identities.iter().filter(|identity| kinds.contains(&identity.kind)).collect();
        let frozen = Frozen { identities: asked.into_iter().cloned().collect(), keys: BTreeMap::new() };
        let table = |location: &Location| {
            let person = Person::at(location, &frozen.identities);
            TableResult { found: u64::from(person.is_some()), ..begin(location, person.as_ref()) }
        };
        let tables = plan.locations.iter().map(table).collect();
        Ok(Survey { frozen, tables, ..Survey::default() })
    }

    async fn erase(&self, plan: &Plan, frozen: &Frozen) -> Result<Erased> {
        for location in &plan.locations {
            if let Some(person) = Person::at(location, &frozen.identities) {
                self.make(location, &person).await?;
            }
        }
        let tasks = self.tasks().await?;
        let mut tables = Vec::new();
        for location in &plan.locations {
            let person = Person::at(location, &frozen.identities);
            if let (Some(webhook), Some(task), Some(person)) = (&self.webhook, tasks.get(&location.name), &person) {
                self.tell(webhook, task, person).await?;
            }
            tables.push(TableResult { found: u64::from(person.is_some()), ..begin(location, person.as_ref()) });
        }
        Ok(Erased { frozen: frozen.clone(), tables, ..Erased::default() })
    }

    async fn reread(&self, plan: &Plan, frozen: &Frozen) -> Result<Vec<TableResult>> {
        let tasks = self.tasks().await?;
        let stands = |location: &Location| match Person::at(location, &frozen.identities) {
            None => Ok(begin(location, None)),
            Some(_) => self.judge(location, tasks.get(&location.name)),
        };
        plan.locations.iter().map(stands).collect()
    }
}

/// A result without counts; it says where nobody is asked.
fn begin(location: &Location, person: Option<&Person<'_>>) -> TableResult {
    let note = person.is_none().then(|| "nobody is asked: no identity is known that they would need".to_owned());
    TableResult { name: location.name.clone(), note, ..TableResult::default() }
}

/// What of the person somebody who must erase is told.
struct Person<'a>(Vec<&'a Identity>);

impl<'a> Person<'a> {
    /// Returns the identities that a location names; `None` where they do not suffice to ask anybody.
    fn at(location: &Location, identities: &'a [Identity]) -> Option<Self> {
        let kinds = location.place.identities();
        let known: Vec<&Identity> = identities.iter().filter(|identity| kinds.contains(&identity.kind)).collect();
        let enough = match &location.place {
            // A task in words needs every one of them; a message says what there is.
            Place::Task(_) => kinds.iter().all(|kind| known.iter().any(|identity| identity.kind == **kind)),
            _ => !known.is_empty(),
        };
        enough.then_some(Self(known))
    }

    /// Writes a task in words, with all that is known where one identity is asked for.
    fn task(&self, location: &Location) -> Option<String> {
        let Place::Task(task) = &location.place else { return None };
        let values = |kind: &IdentityKind| {
            let values =
                self.0.iter().filter(|identity| identity.kind == *kind).map(|identity| identity.value.as_str());
            Some(values.collect::<Vec<_>>().join(", "))
        };
        task.task.fill_parts(str::to_owned, values)
    }
}

/// Returns when a period from now is over.
fn due(now: Timestamp, within: &str) -> Timestamp {
    // The declaration was checked; a period that cannot be read is over at once, so that somebody looks.
    let span: Span = within.parse().unwrap_or_default();
    now.to_zoned(TimeZone::UTC).saturating_add(span).timestamp()
}

fn evidence(status: &Status, where_from: &str, at: Timestamp) -> Evidence {
    let said = status.words();
    let words = if said.trim().is_empty() {
        format!("reported as done by {where_from}")
    } else {
        format!("{where_from}: {said}")
    };
    Evidence { at: Some(at), digest: Some(report::digest(&status.evidence)), status: None, words }
}

fn not_ours() -> Problem {
    Problem::new(&codes::erasure::LOCATION_UNREADABLE, "this is no place that others are told of")
}
