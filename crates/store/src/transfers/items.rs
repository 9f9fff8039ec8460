//! The writer's side of the journal: what is on its way, and what became of it.

use model::problem::Reason;
use model::transfer::{ItemState, TransferState};
use model::{Problem, Result, codes};

use super::{fence, sums};
use crate::value::json;
use crate::{Tx, params};

/// What became of one item.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its page.
    pub page: u64,
    /// Its index in the page.
    pub place: u32,
    /// The state it is in now; `pending` if it was taken back.
    pub state: ItemState,
    /// Why, if it is not written.
    pub reason: Option<Reason>,
    /// Its id at the destination.
    pub remote_id: Option<String>,
    /// BLAKE3 of its content.
    pub hash: Option<String>,
    /// How many bytes of content the destination has.
    pub bytes: u64,
    /// How often it was sent, in all runs.
    pub attempts: u32,
    /// What was lost by conversion.
    pub loss: Vec<String>,
}

impl Outcome {
    /// Makes an outcome of which nothing is known but the state.
    pub fn new(page: u64, place: u32, state: ItemState, attempts: u32) -> Self {
        let (reason, remote_id, hash, bytes, loss) = (None, None, None, 0, Vec::new());
        Self { page, place, state, reason, remote_id, hash, bytes, attempts, loss }
    }

    /// Adds why the item is not written.
    #[must_use]
    pub fn because(mut self, problem: &Problem) -> Self {
        self.reason = Some(problem.reason());
        self
    }

    /// Tells whether nothing is to be stored but state and attempts, so that neighbours can share a statement.
    fn is_plain(&self) -> bool {
        self.reason.is_none()
            && self.remote_id.is_none()
            && self.hash.is_none()
            && self.bytes == 0
            && self.loss.is_empty()
    }

    fn continues(&self, before: &Self) -> bool {
        self.page == before.page
            && self.place == before.place + 1
            && self.state == before.state
            && self.attempts == before.attempts
            && self.is_plain()
            && before.is_plain()
    }
}

/// Which items are to be tried again.
#[derive(Clone, Debug)]
pub enum Retry {
    /// All that failed, or are uncertain.
    Unwritten,
    /// Those with this source id, if they are not written.
    Item(String),
    /// Those with this reason's code, if they are not written.
    Code(String),
}

/// Marks items as on their way, before they leave. Returns the state of the transfer.
pub async fn mark_sent(
    tx: &mut Tx<'_>,
    transfer: &str,
    run: u64,
    page: u64,
    places: std::ops::RangeInclusive<u32>,
) -> Result<TransferState> {
    let state = fence(tx, transfer, run).await?;
    tx.exec(
        "UPDATE transfer_item SET state = 'sent'
         WHERE transfer = $1 AND page = $2 AND place BETWEEN $3 AND $4 AND state = 'pending'",
        params![transfer, page, *places.start(), *places.end()],
    )
    .await?;
    Ok(state)
}

/// Journals a group of outcomes and closes the pages on which everything is decided. Returns the state of the transfer.
pub async fn record(
    tx: &mut Tx<'_>,
    transfer: &str,
    run: u64,
    outcomes: &[Outcome],
    decided_pages: &[u64],
) -> Result<TransferState> {
    let state = fence(tx, transfer, run).await?;
    for group in outcomes.chunk_by(|before, after| after.continues(before)) {
        let (first, last) = (&group[0], &group[group.len() - 1]);
        tx.exec(
            "UPDATE transfer_item
             SET state = $5, attempts = $6, code = $7, reason = $8, remote_id = $9, hash = $10, bytes = $11, loss = $12
             WHERE transfer = $1 AND page = $2 AND place BETWEEN $3 AND $4",
            params![
                transfer,
                first.page,
                first.place,
                last.place,
                first.state.name(),
                first.attempts,
                first.reason.as_ref().map(|reason| reason.code.as_str()),
                first.reason.as_ref().map(json).transpose()?,
                first.remote_id.as_deref(),
                first.hash.as_deref(),
                first.bytes,
                (!first.loss.is_empty()).then(|| json(&first.loss)).transpose()?
            ],
        )
        .await?;
    }
    for page in decided_pages {
        sums::close_page(tx, transfer, *page).await?;
    }
    Ok(state)
}

/// Decides about items that an earlier run left in flight, where the destination cannot tell: they become uncertain.
pub async fn reclaim(tx: &mut Tx<'_>, transfer: &str, run: u64) -> Result<u64> {
    fence(tx, transfer, run).await?;
    let reason = Problem::new(&codes::transfer::ITEM_UNCERTAIN, "").reason();
    tx.exec(
        "UPDATE transfer_item SET state = 'uncertain', code = $2, reason = $3, attempts = attempts + 1
         WHERE transfer = $1 AND state = 'sent'
           AND page IN (SELECT seq FROM transfer_page WHERE transfer = $1 AND tally IS NULL)",
        params![transfer, &reason.code, json(&reason)?],
    )
    .await
}

/// Takes back what a run marked as on its way and did not send in the end.
pub async fn release(tx: &mut Tx<'_>, transfer: &str, run: u64) -> Result<u64> {
    fence(tx, transfer, run).await?;
    tx.exec(
        "UPDATE transfer_item SET state = 'pending' WHERE transfer = $1 AND state = 'sent'
           AND page IN (SELECT seq FROM transfer_page WHERE transfer = $1 AND tally IS NULL)",
        params![transfer],
    )
    .await
}

/// Puts items back to `pending` and opens their pages again. Returns how many.
pub async fn retry(tx: &mut Tx<'_>, transfer: &str, which: &Retry) -> Result<u64> {
    let (condition, argument) = match which {
        Retry::Unwritten => ("state IN ('failed', 'uncertain') AND $2 = ''", ""),
        Retry::Item(id) => ("state IN ('failed', 'uncertain', 'refused') AND source_id = $2", id.as_str()),
        Retry::Code(code) => ("state IN ('failed', 'uncertain', 'refused') AND code = $2", code.as_str()),
    };
    tx.exec(
        &format!(
            "UPDATE transfer_page SET tally = NULL WHERE transfer = $1 AND seq IN
             (SELECT page FROM transfer_item WHERE transfer = $1 AND code IS NOT NULL AND {condition})"
        ),
        params![transfer, argument],
    )
    .await?;
    tx.exec(
        &format!(
            "UPDATE transfer_item SET state = 'pending', code = NULL, reason = NULL
             WHERE transfer = $1 AND code IS NOT NULL AND {condition}"
        ),
        params![transfer, argument],
    )
    .await
}
