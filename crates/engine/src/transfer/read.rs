//! The reader of a run: pages of the source, journaled before anything on them is sent.
//!
//! After a crash, a pause or a retry it first reads those pages again on which something is undecided. The journal holds no
//! content, so the page itself tells what the items are; it must be the same page, or the source has changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use adapters::{Cursor, Destination, Entry, Page, Source};
use model::item::Fields;
use model::transfer::ItemState;
use model::{DataType, Item, Problem, Result, Verdict, codes};
use store::Store;
use store::transfers::{self, Journaled, NewItem, NewPage, Outcome, PageRow};
use tokio::sync::mpsc;

use super::deliver::Ready;
use super::plan::Selection;

/// How often a page is read before the run gives up for now.
const TRIES: u32 = 4;
const WAIT_BETWEEN: Duration = Duration::from_secs(2);

/// The undecided part of one page.
pub(super) struct Batch {
    pub(super) page: u64,
    /// What is to be sent, in order.
    pub(super) ready: Vec<Ready>,
    /// Whether the items are marked as on their way already.
    pub(super) marked: bool,
    /// What reading the page again has decided.
    pub(super) decided: Vec<Outcome>,
}

/// Reads a source for one run.
pub(super) struct Reader {
    pub(super) store: Store,
    pub(super) transfer: String,
    pub(super) run: u64,
    pub(super) selection: Selection,
    pub(super) source: Arc<dyn Source>,
    pub(super) destination: Arc<dyn Destination>,
}

impl Reader {
    /// Sends batches until the source ends or nobody takes them any more.
    pub(super) async fn run(self, batches: mpsc::Sender<Batch>) -> Result<()> {
        let transfer = self.transfer.clone();
        let (open, last) = self
            .store
            .read("transfer.pages", move |tx| {
                Box::pin(async move {
                    Ok((transfers::open_pages(tx, &transfer).await?, transfers::last_page(tx, &transfer).await?))
                })
            })
            .await?;
        for page in &open {
            let batch = self.read_again(page).await?;
            if batches.send(batch).await.is_err() {
                return Ok(());
            }
        }
        let (mut seq, mut cursor) = match last {
            None => (0, None),
            Some(PageRow { next: None, .. }) => return Ok(()),
            Some(page) => (page.seq + 1, page.next),
        };
        loop {
            let (batch, next) = self.read_new(seq, cursor.clone()).await?;
            if batches.send(batch).await.is_err() || next.is_none() {
                return Ok(());
            }
            if next == cursor {
                return Err(Problem::new(&codes::transfer::SOURCE_CHANGED, "it gives the same page again and again"));
            }
            (seq, cursor) = (seq + 1, next);
        }
    }

    /// Reads and journals a page that was never read before. Returns it and where the next begins.
    async fn read_new(&self, seq: u64, cursor: Option<String>) -> Result<(Batch, Option<String>)> {
        let page = self.page(cursor.clone()).await?;
        let marked = self.destination.capabilities().recognises_repeats;
        let mut ready = Vec::with_capacity(page.entries.len());
        let mut items = Vec::with_capacity(page.entries.len());
        for (place, entry) in (0..).zip(page.entries) {
            if !self.selection.wants(&entry) {
                continue;
            }
            match self.judge(entry) {
                Judged::Ready(item) => {
                    let state = if marked { ItemState::Sent } else { ItemState::Pending };
                    items.push(new_item(place, &item, state, None));
                    ready.push(Ready { page: seq, place, item, attempts: 0 });
                }
                Judged::Refused(item, problem) => {
                    items.push(new_item(place, &item, ItemState::Refused, Some(&problem)));
                }
                Judged::Broken { data_type, id, problem } => items.push(NewItem {
                    place,
                    data_type,
                    source_id: id,
                    container: None,
                    size: None,
                    state: ItemState::Failed,
                    reason: Some(problem.reason()),
                }),
            }
        }
        let next = page.next.map(|Cursor(text)| text);
        let new = Arc::new(NewPage { transfer: self.transfer.clone(), seq, cursor, next: next.clone(), items });
        let run = self.run;
        self.store
            .write("transfer.page", move |tx| {
                Box::pin(async move { transfers::append_page(tx, run, &new).await.map(drop) })
            })
            .await?;
        Ok((Batch { page: seq, ready, marked, decided: vec![] }, next))
    }

    /// Reads a journaled page again and picks what is undecided.
    async fn read_again(&self, row: &PageRow) -> Result<Batch> {
        let page = self.page(row.cursor.clone()).await?;
        let (transfer, run, seq) = (self.transfer.clone(), self.run, row.seq);
        let marked = self.destination.capabilities().recognises_repeats;
        let undecided = self
            .store
            .write("transfer.page_again", move |tx| {
                Box::pin(async move {
                    let undecided = transfers::undecided(tx, &transfer, seq).await?;
                    if marked {
                        transfers::mark_sent(tx, &transfer, run, seq, 0..=u32::MAX).await?;
                    }
                    Ok(undecided)
                })
            })
            .await?;
        let mut undecided: HashMap<u32, Journaled> = undecided.into_iter().map(|item| (item.place, item)).collect();
        let mut batch = Batch { page: seq, ready: vec![], marked, decided: vec![] };
        for (place, entry) in (0..).zip(page.entries) {
            let Some(journaled) = undecided.remove(&place) else { continue };
            if identity(&entry) != (journaled.data_type, journaled.source_id.as_str()) {
                return Err(source_changed());
            }
            // Marked by an earlier run: it may have left, so what the destination has may be ours.
            let attempts = journaled.attempts + u32::from(journaled.state == ItemState::Sent);
            match self.judge(entry) {
                Judged::Ready(item) => batch.ready.push(Ready { page: seq, place, item, attempts }),
                Judged::Refused(_, problem) => {
                    batch.decided.push(Outcome::new(seq, place, ItemState::Refused, attempts).because(&problem));
                }
                Judged::Broken { problem, .. } => {
                    batch.decided.push(Outcome::new(seq, place, ItemState::Failed, attempts).because(&problem));
                }
            }
        }
        if undecided.is_empty() { Ok(batch) } else { Err(source_changed()) }
    }

    async fn page(&self, cursor: Option<String>) -> Result<Page> {
        let cursor = cursor.map(Cursor);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.source.page(cursor.as_ref()).await {
                Err(problem) if problem.verdict() == Verdict::Retry && tries < TRIES => {
                    let wait = problem.retry_after.map_or(WAIT_BETWEEN, Duration::from_secs);
                    tokio::time::sleep(wait).await;
                }
                result => return result,
            }
        }
    }

    fn judge(&self, entry: Entry) -> Judged {
        match entry {
            Entry::Broken { data_type, id, problem } => Judged::Broken { data_type, id, problem },
            Entry::Item(item) => match super::plan::refusal(&*self.destination, &item) {
                Some(problem) => Judged::Refused(item, problem),
                None => Judged::Ready(item),
            },
        }
    }
}

/// What an entry is worth before anything is sent.
enum Judged {
    Ready(Box<Item>),
    Refused(Box<Item>, Problem),
    Broken { data_type: DataType, id: String, problem: Problem },
}

fn new_item(place: u32, item: &Item, state: ItemState, problem: Option<&Problem>) -> NewItem {
    NewItem {
        place,
        data_type: item.data_type,
        source_id: item.id.clone(),
        container: item.containers.first().cloned(),
        size: item.content.as_ref().and_then(|content| content.size),
        state,
        reason: problem.map(Problem::reason),
    }
}

fn identity(entry: &Entry) -> (DataType, &str) {
    match entry {
        Entry::Item(item) => (item.data_type, &item.id),
        Entry::Broken { data_type, id, .. } => (*data_type, id),
    }
}

fn source_changed() -> Problem {
    Problem::new(&codes::transfer::SOURCE_CHANGED, "a page does not hold what it held before")
}

impl Selection {
    /// Tells whether an entry is to be moved. Containers have no range: their items may lie in it.
    pub(super) fn wants(&self, entry: &Entry) -> bool {
        let (data_type, _) = identity(entry);
        let dated = match entry {
            Entry::Item(item) => {
                matches!(item.fields, Fields::Container { .. }) || super::in_range(item.created, self.since, self.until)
            }
            Entry::Broken { .. } => true,
        };
        super::type_wanted(&self.types, data_type) && dated
    }
}
