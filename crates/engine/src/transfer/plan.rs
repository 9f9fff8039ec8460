//! What would move: a walk over a source that writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters::open::Context;
use adapters::{Cursor, Destination, Entry, Source};
use jiff::Timestamp;
use model::{DataType, Item, Problem, Result, codes};
use serde::Serialize;

use super::Start;
use crate::Engine;

/// Which items of a source.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The types; empty means all.
    pub types: Vec<DataType>,
    /// The earliest creation time.
    pub since: Option<Timestamp>,
    /// The first creation time that is too late.
    pub until: Option<Timestamp>,
}

/// What a source holds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Survey {
    /// Items and bytes of content, per data type. Broken records are not among them.
    pub types: BTreeMap<DataType, Found>,
    /// The earliest and the latest creation time, if any item has one.
    pub date_range: Option<DateRange>,
    /// What is broken in the source, grouped by code.
    pub problems: Vec<ProblemCount>,
    /// What the destination would refuse, grouped by code; empty if there is no destination.
    pub refused: Vec<ProblemCount>,
}

/// From the earliest to the latest creation time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DateRange {
    /// The earliest.
    pub from: Timestamp,
    /// The latest.
    pub to: Timestamp,
}

/// How much there is of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// How many items.
    pub items: u64,
    /// The bytes of their content, as far as the source says it.
    pub bytes: u64,
}

/// Records that share a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProblemCount {
    /// The code of the reason.
    pub code: String,
    /// What it says.
    pub title: &'static str,
    /// The type of the records.
    pub data_type: DataType,
    /// How many there are.
    pub count: u64,
    /// The id of one of them.
    pub example: String,
}

/// Returns what a transfer would do, without doing it.
///
/// # Errors
/// What keeps an end from opening, or makes the source unreadable as a whole.
pub async fn plan(engine: &Engine, start: &Start) -> Result<Survey> {
    let context = |token| Context { token, ..Context::new(engine.net.clone()) };
    let source = adapters::open_source(&start.from, &context(None)).await?;
    let destination = adapters::open_destination(&start.to, &context(start.token.clone())).await?;
    let mut walk = Walk::new(Some(&*destination), &start.selection);
    walk.through(&*source).await?;
    Ok(walk.end())
}

/// Returns what sources hold together: the parts of one export, for example.
///
/// # Errors
/// What makes one of them unreadable as a whole.
pub async fn survey(sources: &[Arc<dyn Source>]) -> Result<Survey> {
    let all = Selection::default();
    let mut walk = Walk::new(None, &all);
    for source in sources {
        walk.through(&**source).await?;
    }
    Ok(walk.end())
}

/// Says why a destination would refuse an item, before anything is sent.
pub(super) fn refusal(destination: &dyn Destination, item: &Item) -> Option<Problem> {
    if destination.capabilities().writes.contains(&item.data_type) {
        destination.refuses(item)
    } else {
        Some(Problem::new(&codes::transfer::TYPE_UNSUPPORTED, item.data_type.name()))
    }
}

/// A walk over sources that counts.
struct Walk<'a> {
    destination: Option<&'a dyn Destination>,
    selection: &'a Selection,
    survey: Survey,
    problems: Groups,
    refused: Groups,
}

impl<'a> Walk<'a> {
    fn new(destination: Option<&'a dyn Destination>, selection: &'a Selection) -> Self {
        let (survey, problems, refused) = (Survey::default(), Groups::default(), Groups::default());
        Self { destination, selection, survey, problems, refused }
    }

    async fn through(&mut self, source: &dyn Source) -> Result<()> {
        let mut cursor: Option<Cursor> = None;
        loop {
            let page = source.page(cursor.as_ref()).await?;
            for entry in page.entries.into_iter().filter(|entry| self.selection.wants(entry)) {
                match entry {
                    Entry::Broken { data_type, id, problem } => self.problems.add(data_type, &id, &problem),
                    Entry::Item(item) => self.count(&item),
                }
            }
            if page.next.is_none() || page.next == cursor {
                return Ok(());
            }
            cursor = page.next;
        }
    }

    fn count(&mut self, item: &Item) {
        self.survey.add(item);
        if let Some(problem) = self.destination.and_then(|destination| refusal(destination, item)) {
            self.refused.add(item.data_type, &item.id, &problem);
        }
    }

    fn end(self) -> Survey {
        let (problems, refused) = (self.problems.0.into_values().collect(), self.refused.0.into_values().collect());
        Survey { problems, refused, ..self.survey }
    }
}

impl Survey {
    fn add(&mut self, item: &Item) {
        let found = self.types.entry(item.data_type).or_default();
        found.items += 1;
        found.bytes += item.content.as_ref().and_then(|content| content.size).unwrap_or_default();
        if let Some(created) = item.created {
            let range = self.date_range.get_or_insert(DateRange { from: created, to: created });
            range.from = created.min(range.from);
            range.to = created.max(range.to);
        }
    }
}

#[derive(Default)]
struct Groups(BTreeMap<(DataType, u16), ProblemCount>);

impl Groups {
    fn add(&mut self, data_type: DataType, id: &str, problem: &Problem) {
        let group = self.0.entry((data_type, problem.code.number)).or_insert_with(|| ProblemCount {
            code: problem.code.to_string(),
            title: problem.code.title,
            data_type,
            count: 0,
            example: id.to_owned(),
        });
        group.count += 1;
    }
}
