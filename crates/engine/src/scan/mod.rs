//! Drafting the map of a live database: who the people are, whose rows are whose, what a person must decide, and what
//! looks personal but cannot be reached.
//!
//! A draft is careful where it is unsure: what it leaves unsaid blocks an erasure, what it says wrongly would erase
//! somebody else's rows. It reads within limits and changes nothing; sampled values never leave the adapter.

mod check;
mod draft;
mod evidence;
mod identities;
mod keep;
mod links;
mod names;
mod personal;
mod persons;
mod reach;
mod text;
mod types;

use adapters::Inspector;
use model::Result;

pub use check::check;
pub use draft::{Draft, Drafted, MissingIndex, Open};
pub use reach::Part;
pub use text::{Heading, text};

use crate::erasure::plan::plan;
use evidence::Evidence;

/// Looks into a database and drafts its map.
///
/// # Errors
/// What kept it from reading the catalogue; what could not be sampled is in the draft.
pub async fn scan(inspector: &dyn Inspector) -> Result<Draft> {
    let evidence = Evidence::gather(inspector).await?;
    let keys = links::foreign_keys(&evidence);
    // Nouns first, so that the people can be found; then words like "author", which mean these.
    let nouns: Vec<_> = keys.iter().cloned().chain(links::guess(&evidence, None)).collect();
    let persons = persons::find(&evidence, &nouns);
    let guesses = links::guess(&evidence, persons.first().map(|person| person.table.as_str()));
    let links = links::confirm(inspector, &evidence, keys.into_iter().chain(guesses).collect()).await;
    let reached = reach::reach(&evidence, &links, &persons);
    let mut draft = draft::draft(inspector, &evidence, &links, &persons, &reached);
    let tables: Vec<_> = draft.tables.iter().map(|table| table.map.clone()).collect();
    match plan(&evidence.catalog, &tables) {
        Ok(plan) => draft.notes.extend(plan.strangers.iter().map(check::called_alike)),
        // A circle of keys that can neither be null nor wait, for example.
        Err(reasons) => {
            draft.undecided.extend(reasons.into_iter().map(|reason| {
                Open::new("the map", vec![], format!("{}: {}", reason.title, reason.detail), reason.next)
            }))
        }
    }
    Ok(draft)
}
