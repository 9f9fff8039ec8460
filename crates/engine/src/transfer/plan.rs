//! What would move: a walk over a source that writes nothing.

use std::collections::BTreeMap;

use adapters::{Cursor, Destination, Entry, Source};
use jiff::Timestamp;
use model::{DataType, Item, Problem, Result, codes};
use serde::Serialize;

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
    pub date_range: Option<(Timestamp, Timestamp)>,
    /// What is broken in the source, grouped by code.
    pub problems: Vec<ProblemCount>,
    /// What the destination would refuse, grouped by code; empty if there is no destination.
    pub refused: Vec<ProblemCount>,
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
/// What makes the source unreadable as a whole.
pub async fn plan(source: &dyn Source, destination: &dyn Destination, selection: &Selection) -> Result<Survey> {
    walk(source, Some(destination), selection).await
}

/// Returns what a source holds.
///
/// # Errors
/// What makes the source unreadable as a whole.
pub async fn survey(source: &dyn Source) -> Result<Survey> {
    walk(source, None, &Selection::default()).await
}

/// Says why a destination would refuse an item, before anything is sent.
pub(super) fn refusal(destination: &dyn Destination, item: &Item) -> Option<Problem> {
    if destination.capabilities().writes.contains(&item.data_type) {
        destination.refuses(item)
    } else {
        Some(Problem::new(&codes::transfer::TYPE_UNSUPPORTED, item.data_type.name()))
    }
}

async fn walk(source: &dyn Source, destination: Option<&dyn Destination>, selection: &Selection) -> Result<Survey> {
    let mut survey = Survey::default();
    let (mut problems, mut refused) = (Groups::default(), Groups::default());
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = source.page(cursor.as_ref()).await?;
        for entry in page.entries.into_iter().filter(|entry| selection.wants(entry)) {
            match entry {
                Entry::Broken { data_type, id, problem } => problems.add(data_type, &id, &problem),
                Entry::Item(item) => {
                    survey.add(&item);
                    if let Some(problem) = destination.and_then(|destination| refusal(destination, &item)) {
                        refused.add(item.data_type, &item.id, &problem);
                    }
                }
            }
        }
        if page.next.is_none() || page.next == cursor {
            break;
        }
        cursor = page.next;
    }
    survey.problems = problems.0.into_values().collect();
    survey.refused = refused.0.into_values().collect();
    Ok(survey)
}

impl Survey {
    fn add(&mut self, item: &Item) {
        let found = self.types.entry(item.data_type).or_default();
        found.items += 1;
        found.bytes += item.content.as_ref().and_then(|content| content.size).unwrap_or_default();
        if let Some(created) = item.created {
            let (first, last) = self.date_range.get_or_insert((created, created));
            *first = created.min(*first);
            *last = created.max(*last);
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
