//! The writer of a run: takes batches from the reader and keeps as many items in flight as the destination takes.
//!
//! Outcomes go to the journal in groups: while one group is being committed, the next one gathers.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, OptionFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use model::Result;
use model::transfer::{ItemState, TransferState};
use store::Store;
use store::transfers::{self, Outcome};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::deliver::{Delivered, Line, Ready};
use super::read::Batch;

/// How many items may be under way, those waiting to be tried again included.
const UNDER_WAY: usize = 2048;
/// How many outcomes may wait for the journal before nothing more is sent.
const UNJOURNALED: usize = 4096;
/// How often the writer looks whether somebody paused or cancelled the transfer.
const LOOK: Duration = Duration::from_millis(400);

/// Writes for one run.
pub(super) struct Writer {
    store: Store,
    run: u64,
    line: Arc<Line>,
    concurrency: usize,
    /// Read, and not yet marked as on their way.
    unmarked: VecDeque<Ready>,
    /// Marked, waiting for a place.
    queue: VecDeque<Ready>,
    under_way: FuturesUnordered<BoxFuture<'static, Delivered>>,
    /// Containers that are under way: what they hold waits for them.
    containers: HashSet<String>,
    /// How many items of each page are undecided.
    undecided: HashMap<u64, usize>,
    outcomes: Vec<Outcome>,
    decided_pages: Vec<u64>,
    marking: OptionFuture<BoxFuture<'static, Result<Vec<Ready>>>>,
    journaling: OptionFuture<BoxFuture<'static, Result<TransferState>>>,
}

impl Writer {
    pub(super) fn new(store: Store, run: u64, line: Arc<Line>) -> Self {
        Self {
            store,
            run,
            concurrency: line.destination.capabilities().concurrency.max(1),
            line,
            unmarked: VecDeque::new(),
            queue: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            containers: HashSet::new(),
            undecided: HashMap::new(),
            outcomes: Vec::new(),
            decided_pages: Vec::new(),
            marking: None.into(),
            journaling: None.into(),
        }
    }

    /// Writes until the batches end or the run is stopped, and everything under way is decided and journaled.
    ///
    /// # Errors
    /// A problem of the store.
    pub(super) async fn run(mut self, mut batches: mpsc::Receiver<Batch>) -> Result<()> {
        let mut reading = true;
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut marking = false;
        let mut journaling = false;
        loop {
            if self.line.brake.is_stopped() {
                batches.close();
                reading = false;
                self.unmarked.clear();
                self.queue.clear();
            }
            self.launch();
            if !marking {
                marking = self.mark();
            }
            if !journaling {
                journaling = self.journal();
            }
            let waiting = self.queue.front().is_some() && self.may_launch();
            if !reading && !waiting && !marking && !journaling && self.under_way.is_empty() && self.queue.is_empty() {
                return Ok(());
            }
            tokio::select! {
                biased;
                Some(marked) = &mut self.marking, if marking => {
                    marking = false;
                    self.queue.extend(marked?);
                }
                Some(state) = &mut self.journaling, if journaling => {
                    journaling = false;
                    self.obey(state?);
                }
                Some(delivered) = self.under_way.next(), if !self.under_way.is_empty() => self.take_all(delivered),
                batch = batches.recv(), if reading && self.unmarked.is_empty() && self.queue.is_empty() => match batch {
                    Some(batch) => self.accept(batch),
                    None => reading = false,
                },
                Some(slot) = async { self.line.enter(self.queue.front()?).await }, if waiting => self.launch_with(slot),
                _ = look.tick() => self.look().await?,
            }
        }
    }

    /// Takes a batch in: what the reader decided goes to the journal, the rest waits to be sent.
    fn accept(&mut self, batch: Batch) {
        if batch.ready.is_empty() {
            self.decided_pages.push(batch.page);
        } else {
            self.undecided.insert(batch.page, batch.ready.len());
        }
        self.outcomes.extend(batch.decided);
        if batch.marked { &mut self.queue } else { &mut self.unmarked }.extend(batch.ready);
    }

    /// Sends what may leave now.
    fn launch(&mut self) {
        while self.may_launch()
            && let Some(slot) = self.queue.front().and_then(|ready| self.line.try_enter(ready))
        {
            self.launch_with(slot);
        }
    }

    fn launch_with(&mut self, slot: OwnedSemaphorePermit) {
        let Some(ready) = self.queue.pop_front() else { return };
        if matches!(ready.item.fields, model::item::Fields::Container { .. }) {
            self.containers.insert(ready.item.id.clone());
        }
        self.under_way.push(self.line.clone().deliver(ready, slot).boxed());
    }

    /// Tells whether the next item may leave: there is room, and its containers are decided.
    fn may_launch(&self) -> bool {
        let held_back = |ready: &Ready| ready.item.containers.iter().any(|id| self.containers.contains(id));
        self.under_way.len() < UNDER_WAY
            && self.outcomes.len() < UNJOURNALED
            && !self.queue.front().is_some_and(held_back)
    }

    /// Takes everything that is decided by now, so that one group holds it all.
    fn take_all(&mut self, first: Delivered) {
        self.take(first);
        while let Some(Some(delivered)) = self.under_way.next().now_or_never() {
            self.take(delivered);
        }
    }

    fn take(&mut self, delivered: Delivered) {
        if let Some(container) = &delivered.container {
            self.containers.remove(container);
        }
        let outcome = delivered.outcome;
        if outcome.state != ItemState::Pending
            && let Some(left) = self.undecided.get_mut(&outcome.page)
        {
            *left -= 1;
            if *left == 0 {
                self.undecided.remove(&outcome.page);
                self.decided_pages.push(outcome.page);
            }
        }
        self.outcomes.push(outcome);
    }

    /// Starts to mark the next few items, so that few are in doubt after a crash and none waits for the disk.
    fn mark(&mut self) -> bool {
        let Some(first) = self.unmarked.front() else { return false };
        if self.queue.len() >= self.concurrency {
            return false;
        }
        let page = first.page;
        let count = self.unmarked.iter().take(self.concurrency).take_while(|ready| ready.page == page).count();
        let group: Vec<Ready> = self.unmarked.drain(..count).collect();
        let places = group[0].place..=group[count - 1].place;
        let (store, transfer, run) = (self.store.clone(), self.line.transfer.clone(), self.run);
        let marking = async move {
            store
                .write("transfer.mark_sent", move |tx| {
                    Box::pin(async move { transfers::mark_sent(tx, &transfer, run, page, places).await.map(drop) })
                })
                .await?;
            Ok(group)
        };
        self.marking = Some(marking.boxed()).into();
        true
    }

    /// Starts to journal what has gathered.
    fn journal(&mut self) -> bool {
        if self.outcomes.is_empty() && self.decided_pages.is_empty() {
            return false;
        }
        let mut outcomes = std::mem::take(&mut self.outcomes);
        let pages = std::mem::take(&mut self.decided_pages);
        // In the order of the journal, so that neighbours with the same outcome share a statement.
        outcomes.sort_unstable_by_key(|outcome| (outcome.page, outcome.place));
        let group = Arc::new((outcomes, pages));
        let (store, transfer, run) = (self.store.clone(), self.line.transfer.clone(), self.run);
        let journaling = async move {
            store
                .write("transfer.record", move |tx| {
                    Box::pin(async move { transfers::record(tx, &transfer, run, &group.0, &group.1).await })
                })
                .await
        };
        self.journaling = Some(journaling.boxed()).into();
        true
    }

    /// Looks whether somebody paused or cancelled the transfer, when nothing is journaled that would tell.
    async fn look(&mut self) -> Result<()> {
        let (transfer, run) = (self.line.transfer.clone(), self.run);
        let state = self
            .store
            .read("transfer.look", move |tx| Box::pin(async move { transfers::fence(tx, &transfer, run).await }))
            .await?;
        self.obey(state);
        Ok(())
    }

    fn obey(&self, state: TransferState) {
        if state != TransferState::Running {
            self.line.brake.stop(None);
        }
    }
}
