//! One item on its way: opened, sent, tried again, until it is decided or the run stops.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adapters::{Body, ContentOrder, Destination, ItemKey, Source, Written};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use model::item::{Content, Fields};
use model::transfer::ItemState;
use model::{Ambient, Item, Problem, Result, Verdict, codes};
use store::transfers::Outcome;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::brake::{Brake, may_have_arrived};

/// How often an item is tried in one run when the destination fails.
const TRIES: u32 = 5;
/// How often an item is tried in one run when the destination says when to come back.
const TRIES_WHEN_THROTTLED: u32 = 100;
/// How long nothing may move before an attempt is given up.
const STALL: Duration = Duration::from_secs(60);
/// How many bytes of an item are taken into memory where content can only be read in order.
const TAKEN_IN: usize = 1 << 20;
/// The waits between tries: full jitter over a range that doubles up to a limit.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// An item that is to be sent.
pub(super) struct Ready {
    pub(super) page: u64,
    pub(super) place: u32,
    pub(super) item: Box<Item>,
    /// How often earlier runs sent it, or may have sent it.
    pub(super) attempts: u32,
}

/// What came of a delivery.
pub(super) struct Delivered {
    pub(super) outcome: Outcome,
    /// The item's id, if it is a container that others may wait for.
    pub(super) container: Option<String>,
}

/// The way from one source to one destination, shared by everything in flight.
pub(super) struct Line {
    pub(super) transfer: String,
    pub(super) ambient: Ambient,
    pub(super) source: Arc<dyn Source>,
    pub(super) destination: Arc<dyn Destination>,
    /// How many items may be at the destination at once, counted in items without content.
    slots: Arc<Semaphore>,
    /// How many slots an item with content takes.
    weight: u32,
    /// Held while content is read, where it can only be read in order.
    content: Option<Arc<Semaphore>>,
    recognises_repeats: bool,
    pub(super) brake: Brake,
}

/// Why an attempt failed.
enum Failure {
    AtSource(Problem),
    AtDestination(Problem),
}

/// What to do after a failed attempt.
enum Next {
    TryAgain,
    Decide(ItemState, Problem),
    TakeBack,
}

impl Line {
    pub(super) fn new(
        transfer: &str,
        ambient: Ambient,
        source: Arc<dyn Source>,
        destination: Arc<dyn Destination>,
    ) -> Self {
        let (reads, writes) = (source.capabilities(), destination.capabilities());
        let concurrency = writes.concurrency.max(1);
        let slots = writes.concurrency_without_content.max(concurrency);
        Self {
            transfer: transfer.to_owned(),
            ambient,
            slots: Arc::new(Semaphore::new(slots)),
            weight: u32::try_from(slots / concurrency).unwrap_or(u32::MAX),
            content: (reads.content_order == ContentOrder::AsRead).then(|| Arc::new(Semaphore::new(1))),
            recognises_repeats: writes.recognises_repeats,
            source,
            destination,
            brake: Brake::default(),
        }
    }

    /// Takes the place of an item at the destination, if there is one now.
    pub(super) fn try_enter(&self, ready: &Ready) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_many_owned(self.weight_of(ready)).ok()
    }

    /// Waits for the place of an item at the destination.
    pub(super) async fn enter(&self, ready: &Ready) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().acquire_many_owned(self.weight_of(ready)).await.ok()
    }

    fn weight_of(&self, ready: &Ready) -> u32 {
        if ready.item.content.is_some() { self.weight } else { 1 }
    }

    /// Carries an item to its end. The first slot is handed in; it is given up while the item waits to be tried again.
    pub(super) async fn deliver(self: Arc<Self>, ready: Ready, slot: OwnedSemaphorePermit) -> Delivered {
        let mut first_slot = Some(slot);
        let key = item_key(&self.transfer, &ready);
        let mut tries = 0;
        let mut failures = 0;
        let (state, result) = loop {
            let slot = match first_slot.take() {
                Some(slot) => Some(slot),
                None => self.enter(&ready).await,
            };
            if !self.brake.wait().await {
                break (ItemState::Pending, None);
            }
            tries += 1;
            let failure = match self.attempt(&ready.item, &key).await {
                Ok(written) => {
                    self.brake.reached();
                    let first = tries == 1 && ready.attempts == 0;
                    break (settled(&written, first), Some(Ok(written)));
                }
                Err(failure) => failure,
            };
            drop(slot);
            failures += u32::from(!failure.is_throttled());
            match self.judge(failure, tries, failures) {
                Next::Decide(state, problem) => break (state, Some(Err(problem))),
                Next::TakeBack => break (ItemState::Pending, None),
                Next::TryAgain if self.brake.sleep(self.backoff(failures)).await => {}
                Next::TryAgain => break (ItemState::Pending, None),
            }
        };
        let container = matches!(ready.item.fields, Fields::Container { .. }).then(|| ready.item.id.clone());
        Delivered { outcome: outcome(&ready, ready.attempts + tries, state, result), container }
    }

    async fn attempt(&self, item: &Item, key: &ItemKey) -> Result<Written, Failure> {
        let flow = Arc::new(Flow::default());
        let body = match &item.content {
            Some(content) => Some(self.open(content, flow.clone()).await.map_err(Failure::AtSource)?),
            None => None,
        };
        let write = self.destination.write(item, key, body);
        let written = tokio::select! {
            biased;
            written = write => written,
            () = flow.stalled() => Err(Problem::new(&codes::net::TIMED_OUT, format!("nothing moved for {} s", STALL.as_secs()))),
        };
        match (written, flow.take_problem()) {
            (_, Some(problem)) => Err(Failure::AtSource(problem)),
            (Err(problem), None) => Err(Failure::AtDestination(problem)),
            (Ok(written), None) => {
                same_content(item.content.as_ref(), &written).map_err(Failure::AtSource)?;
                Ok(written)
            }
        }
    }

    /// Opens the bytes of an item so that their flow is seen, and in order where the source needs that.
    async fn open(&self, content: &Content, flow: Arc<Flow>) -> Result<Body> {
        let turn = match &self.content {
            Some(gate) => gate.clone().acquire_owned().await.ok(),
            None => None,
        };
        let body = self.source.open(content).await?;
        let mut stream = body.stream.inspect(move |chunk| flow.see(chunk)).boxed();
        let Some(turn) = turn else { return Ok(Body { size: body.size, stream }) };
        // Small content is taken in at once, so that the next item need not wait until this one has been sent.
        let (mut head, mut held) = (Vec::new(), 0);
        while held < TAKEN_IN {
            let Some(chunk) = stream.next().await else {
                return Ok(Body { size: body.size, stream: stream::iter(head).boxed() });
            };
            held += chunk.as_ref().map_or(TAKEN_IN, Bytes::len);
            head.push(chunk);
        }
        // The turn is over when the stream is dropped.
        let rest = stream.inspect(move |_| {
            let _held = &turn;
        });
        Ok(Body { size: body.size, stream: stream::iter(head).chain(rest).boxed() })
    }

    fn judge(&self, failure: Failure, tries: u32, failures: u32) -> Next {
        let exhausted = failures >= TRIES || tries >= TRIES_WHEN_THROTTLED;
        let problem = match failure {
            Failure::AtSource(problem) if problem.verdict() == Verdict::Retry && !exhausted => return Next::TryAgain,
            Failure::AtSource(problem) => return Next::Decide(ItemState::Failed, problem),
            Failure::AtDestination(problem) => problem,
        };
        if problem.is(&codes::transfer::ITEM_UNCERTAIN) {
            return Next::Decide(ItemState::Uncertain, problem);
        }
        match problem.verdict() {
            Verdict::Retry => {
                self.brake.hear(&problem);
                if may_have_arrived(&problem) && !self.recognises_repeats {
                    // It may have arrived: sending it again could double it.
                    return Next::Decide(
                        ItemState::Uncertain,
                        Problem::new(&codes::transfer::ITEM_UNCERTAIN, problem.detail),
                    );
                }
                match (self.brake.is_stopped(), exhausted) {
                    (true, _) => Next::TakeBack,
                    (false, true) => Next::Decide(ItemState::Failed, problem),
                    (false, false) => Next::TryAgain,
                }
            }
            Verdict::Permanent => {
                self.brake.reached();
                Next::Decide(if is_refusal(&problem) { ItemState::Refused } else { ItemState::Failed }, problem)
            }
            // What a person or a partner must mend concerns every item: none is to blame.
            Verdict::NeedsUser | Verdict::NeedsPartner | Verdict::Blocked => {
                self.brake.stop(Some(problem));
                Next::TakeBack
            }
        }
    }

    fn backoff(&self, failures: u32) -> Duration {
        let range = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_WAIT);
        // Full jitter: anywhere in the range, so that many waiters do not come back together.
        range.mul_f64(f64::from(u32::from_le_bytes(self.ambient.random())) / f64::from(u32::MAX))
    }
}

impl Failure {
    /// Tells whether the destination said when to come back.
    fn is_throttled(&self) -> bool {
        matches!(self, Self::AtDestination(problem) if problem.retry_after.is_some())
    }
}

/// What has been seen of a body on its way.
#[derive(Default)]
struct Flow {
    chunks: AtomicU64,
    problem: Mutex<Option<Problem>>,
}

impl Flow {
    fn see(&self, chunk: &io::Result<Bytes>) {
        self.chunks.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = chunk {
            self.problem.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(unreadable(error));
        }
    }

    fn take_problem(&self) -> Option<Problem> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns when nothing has moved for a while.
    async fn stalled(&self) {
        loop {
            let before = self.chunks.load(Ordering::Relaxed);
            tokio::time::sleep(STALL).await;
            if self.chunks.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// Says why content broke off: in the source's own words if it has some.
fn unreadable(error: &io::Error) -> Problem {
    if let Some(problem) = error.get_ref().and_then(|inner| inner.downcast_ref::<Problem>()) {
        return Problem::new(problem.code, problem.detail.clone()).after(problem.retry_after);
    }
    let code = match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => &codes::transfer::CONTENT_BROKEN,
        _ => &codes::transfer::CONTENT_INTERRUPTED,
    };
    Problem::new(code, error.kind().to_string())
}

/// Returns the key by which a destination recognises the item when it comes again.
fn item_key(transfer: &str, ready: &Ready) -> ItemKey {
    let mut hasher = blake3::Hasher::new();
    for part in [transfer, ready.item.data_type.name(), &ready.item.id] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    // Two items of one source may carry the same id: their place keeps them apart.
    hasher.update(&ready.page.to_le_bytes()).update(&ready.place.to_le_bytes());
    ItemKey { transfer: transfer.to_owned(), key: hasher.finalize().to_hex().to_string() }
}

/// On a first attempt the destination had it before; later it may be our own earlier attempt that it had.
fn settled(written: &Written, first: bool) -> ItemState {
    if written.already_there && first { ItemState::AlreadyThere } else { ItemState::Confirmed }
}

fn is_refusal(problem: &Problem) -> bool {
    problem.is(&codes::transfer::ITEM_REFUSED) || problem.is(&codes::transfer::TYPE_UNSUPPORTED)
}

/// Compares what the source announced with what the destination took.
fn same_content(announced: Option<&Content>, written: &Written) -> Result<()> {
    let Some(content) = announced else { return Ok(()) };
    let changed = |detail: String| Err(Problem::new(&codes::transfer::CONTENT_CHANGED, detail));
    match (content.size, &content.blake3, &written.blake3) {
        (Some(size), ..) if !written.already_there && size != written.bytes => {
            changed(format!("{size} bytes were announced, {} came", written.bytes))
        }
        (_, Some(announced), Some(came)) if announced != came => changed("their hash is another".to_owned()),
        _ => Ok(()),
    }
}

fn outcome(ready: &Ready, attempts: u32, state: ItemState, result: Option<Result<Written>>) -> Outcome {
    let mut outcome = Outcome::new(ready.page, ready.place, state, attempts);
    match result {
        Some(Ok(written)) => {
            outcome.remote_id = written.remote_id;
            outcome.hash = written.blake3;
            outcome.bytes = written.bytes;
            outcome.loss = written.loss;
        }
        Some(Err(problem)) => outcome.reason = Some(problem.reason()),
        None => {}
    }
    outcome
}
