//! Erasing by locations: what every system has in common that is no database.
//!
//! An adapter says how many things there are at a place and removes them; finding out which places are the person's, and
//! refusing values that would reach further than the person, happens here for all of them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use model::catalog::Catalog;
use model::erasure::{Evidence, TableResult};
use model::location::{Location, Place, PlaceKind};
use model::plan::{Erased, Frozen, Plan, Survey};
use model::template::Template;
use model::{Identity, IdentityKind, Problem, Result, codes};

use crate::verbs::Eraser;

/// How many places of one location a person may have.
const MAX_PLACES: usize = 1000;

/// A system whose map has locations.
#[async_trait]
pub trait Locations: Send + Sync {
    /// Makes sure that the system answers and lets us in, and that what the locations need is there.
    ///
    /// # Errors
    /// `MO-2006` to be tried again, or what must be mended.
    async fn reach(&self) -> Result<()>;

    /// Counts what is at the person's place.
    ///
    /// # Errors
    /// What kept it from reading: then nothing is verified.
    async fn count(&self, place: &Place, person: &Person<'_>) -> Result<u64>;

    /// Removes what is at the person's place. It may be asked again for what is gone already.
    ///
    /// # Errors
    /// What kept it from erasing.
    async fn erase(&self, place: &Place, person: &Person<'_>) -> Result<Removed>;
}

/// What an adapter removed.
#[derive(Debug, Default)]
pub struct Removed {
    /// How many things.
    pub count: u64,
    /// Why it counts as erased, where it cannot be read again.
    pub evidence: Option<Evidence>,
}

impl From<u64> for Removed {
    fn from(count: u64) -> Self {
        Self { count, evidence: None }
    }
}

/// One identity of each kind that a place asks for. They have been looked at: none reaches further than the person.
#[derive(Debug)]
pub struct Person<'a>(BTreeMap<&'a IdentityKind, &'a str>);

impl Person<'_> {
    /// Writes a template with the person's values.
    pub fn fill(&self, template: &Template) -> String {
        self.fill_parts(template, str::to_owned, str::to_owned)
    }

    /// Writes a template, its text and the person's values each as the function says.
    pub fn fill_parts(
        &self,
        template: &Template,
        text: impl Fn(&str) -> String,
        value: impl Fn(&str) -> String,
    ) -> String {
        // Every kind of the place has a value, or there would be no person to ask about.
        template.fill_parts(text, |kind| self.0.get(kind).map(|known| value(known))).unwrap_or_default()
    }
}

/// An adapter of locations as an eraser.
pub struct ByLocation<T>(pub T);

#[async_trait]
impl<T: Locations> Eraser for ByLocation<T> {
    async fn catalog(&self) -> Result<Catalog> {
        self.0.reach().await?;
        Ok(Catalog::default())
    }

    async fn survey(&self, plan: &Plan, identities: &[Identity]) -> Result<Survey> {
        let mut survey = Survey { frozen: frozen(plan, identities), ..Survey::default() };
        for location in &plan.locations {
            let people = match people(location, &survey.frozen.identities) {
                Ok(people) => people,
                Err(problem) => {
                    survey.blockers.push(problem.reason());
                    continue;
                }
            };
            // Where nobody can look, each place is one thing to erase.
            let found =
                if location.place.is_readable() { self.count(location, &people).await? } else { people.len() as u64 };
            survey.tables.push(TableResult { found, ..begin(location, &people) });
        }
        Ok(survey)
    }

    async fn erase(&self, plan: &Plan, frozen: &Frozen) -> Result<Erased> {
        // Before anything is removed anywhere: one value that cannot be used stops them all.
        let places = places(plan, frozen)?;
        let mut tables = Vec::new();
        for (location, people) in &places {
            let mut table = begin(location, people);
            for person in people {
                let removed = self.0.erase(&location.place, person).await?;
                table.erased += removed.count;
                table.evidence = removed.evidence.or(table.evidence);
            }
            table.found = table.erased;
            tables.push(table);
        }
        Ok(Erased { frozen: frozen.clone(), tables, ..Erased::default() })
    }

    async fn reread(&self, plan: &Plan, frozen: &Frozen) -> Result<Vec<TableResult>> {
        let mut tables = Vec::new();
        for (location, people) in places(plan, frozen)? {
            // What cannot be read is the engine's to judge, by the evidence.
            let remaining = if location.place.is_readable() { self.count(location, &people).await? } else { 0 };
            tables.push(TableResult { found: remaining, remaining, ..begin(location, &people) });
        }
        Ok(tables)
    }
}

impl<T: Locations> ByLocation<T> {
    async fn count(&self, location: &Location, people: &[Person<'_>]) -> Result<u64> {
        let mut found: u64 = 0;
        for person in people {
            found = found.saturating_add(self.0.count(&location.place, person).await?);
        }
        Ok(found)
    }
}

/// The person as far as this system's places ask for them.
fn frozen(plan: &Plan, identities: &[Identity]) -> Frozen {
    let kinds = plan.identities();
    let asked: BTreeSet<&Identity> = identities.iter().filter(|identity| kinds.contains(&identity.kind)).collect();
    Frozen { identities: asked.into_iter().cloned().collect(), keys: BTreeMap::new() }
}

/// A result without counts; it says where no identity leads.
fn begin(location: &Location, people: &[Person<'_>]) -> TableResult {
    let kinds = || location.place.identities().into_iter().map(IdentityKind::as_str).collect::<Vec<_>>().join(" and ");
    let note = people.is_empty().then(|| format!("not looked for: no {} is known of the person", kinds()));
    TableResult { name: location.name.clone(), note, ..TableResult::default() }
}

fn places<'a>(plan: &'a Plan, frozen: &'a Frozen) -> Result<Vec<(&'a Location, Vec<Person<'a>>)>> {
    plan.locations.iter().map(|location| Ok((location, people(location, &frozen.identities)?))).collect()
}

/// Returns every combination of the person's identities that the location asks for; none where one kind is unknown.
///
/// # Errors
/// `MO-2005` where it cannot be told which identities belong together, `MO-2060` for a value that must not be used.
fn people<'a>(location: &'a Location, identities: &'a [Identity]) -> Result<Vec<Person<'a>>> {
    let mut people = vec![Person(BTreeMap::new())];
    let mut several: Option<&IdentityKind> = None;
    for kind in location.place.identities() {
        let known: BTreeSet<&str> =
            identities.iter().filter(|one| one.kind == *kind).map(|one| one.value.as_str()).collect();
        if known.len() > 1
            && let Some(other) = several.replace(kind)
        {
            let detail = format!(
                "{}: the person has several identities of the kinds {other} and {kind}, and nothing says which belong together",
                location.name
            );
            return Err(Problem::new(&codes::erasure::AMBIGUOUS, detail));
        }
        if let Some(objection) = known.iter().find_map(|value| objection(&location.place, kind, value)) {
            return Err(unsafe_value(location, &format!("a value of kind {kind} {objection}")));
        }
        let with = |person: &Person<'a>, value| {
            Person(person.0.iter().map(|(k, v)| (*k, *v)).chain([(kind, value)]).collect())
        };
        people = people.iter().flat_map(|person| known.iter().map(move |value| with(person, *value))).collect();
    }
    if people.len() > MAX_PLACES {
        return Err(unsafe_value(location, &format!("the person has {} such places", people.len())));
    }
    Ok(people)
}

/// Says why a value must not stand in a place: it would reach further than the person.
fn objection(place: &Place, kind: &IdentityKind, value: &str) -> Option<&'static str> {
    let any = |characters: &[char]| value.contains(characters);
    let in_path = match place {
        Place::Call(remote) => remote.calls().any(|call| call.kinds_in_path().contains(kind)),
        place => place.kind() == PlaceKind::Files,
    };
    if value.trim().is_empty() {
        Some("is empty")
    } else if value.chars().any(char::is_control) {
        Some("has control characters")
    } else if value.chars().all(|c| matches!(c, '*' | '?' | '.')) {
        Some("has only characters that stand for others")
    } else if matches!(place, Place::Pattern(_)) && any(&['*', '?', '[', ']', '\\', '^']) {
        Some("has characters that a pattern reads as any others")
    } else if in_path && any(&['/', '\\']) {
        Some("has characters that lead to other folders")
    } else {
        None
    }
}

fn unsafe_value(location: &Location, detail: &str) -> Problem {
    // The value itself is personal data: the kind says enough.
    Problem::new(&codes::erasure::LOCATION_VALUE_UNSAFE, format!("{}: {detail}", location.name))
}

#[cfg(test)]
mod tests;
