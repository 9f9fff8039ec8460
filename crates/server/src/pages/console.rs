//! The console's first page: what is under way, what stands still and why, what came in.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use engine::backup::{self, Held};
use engine::landing::{Progress, ReceivedTransfer};
use engine::{erasure, landing, transfer};
use jiff::Timestamp;
use model::erasure::{ErasureState, RequestView, SystemState};
use model::transfer::{Tally, TransferState, TransferView};
use model::{Result, codes};

use super::layout::{Due, due, render};
use super::operator::{Frame, Operator};
use crate::App;
use crate::problem::Rejection;

/// How many of each the page shows.
const SHOWN: u32 = 50;

#[derive(Template)]
#[template(path = "console.html")]
struct ConsolePage {
    frame: Frame,
    insecure: bool,
    held: Option<Held>,
    erasures: Vec<ErasureRow>,
    open_erasures: usize,
    blocked: usize,
    awaiting_approval: usize,
    stopped: Option<erasure::Stop>,
    next_due: Option<Due>,
    transfers: Vec<TransferRow>,
    running: usize,
    received: Vec<ReceivedRow>,
}

struct ErasureRow {
    view: RequestView,
    due: Due,
    decided: usize,
}

struct ReceivedRow {
    bytes: u64,
    view: ReceivedTransfer,
}

pub(super) struct TransferRow {
    pub(super) view: TransferView,
    pub(super) total: Tally,
    pub(super) done: u64,
}

impl TransferRow {
    /// Adds up the types of a transfer.
    pub(super) fn new(view: TransferView) -> Self {
        let total = view.types.values().fold(Tally::default(), |sum, tally| Tally {
            read: sum.read + tally.read,
            written: sum.written + tally.written,
            already_there: sum.already_there + tally.already_there,
            refused: sum.refused + tally.refused,
            failed: sum.failed + tally.failed,
            uncertain: sum.uncertain + tally.uncertain,
            pending: sum.pending + tally.pending,
            bytes: sum.bytes + tally.bytes,
        });
        Self { view, total, done: total.read.saturating_sub(total.pending) }
    }

    /// Counts what the destination does not have, for a reason that the transfer's page tells.
    fn unwritten(&self) -> u64 {
        self.total.refused + self.total.failed + self.total.uncertain
    }
}

/// `GET /`
pub(super) async fn page(State(app): State<App>, operator: Operator) -> Result<Response, Rejection> {
    let now = app.engine.ambient().now();
    let erasures = erasure_rows(erasure::list(&app.engine, None).await?, now);
    let transfers = transfer::list(&app.engine, SHOWN).await?.into_iter().map(TransferRow::new).collect::<Vec<_>>();
    let received = landing::transfers(&app.engine, None, SHOWN)
        .await?
        .into_iter()
        .map(|view| ReceivedRow { bytes: view.types.values().map(|count| count.bytes).sum(), view });
    let open = || erasures.iter().filter(|row| !row.view.state.is_final());
    let page = ConsolePage {
        frame: operator.frame,
        insecure: !app.engine.settings().public_url.starts_with("https:"),
        held: backup::held(&app.engine).await?,
        open_erasures: open().count(),
        blocked: open().filter(|row| row.view.state == ErasureState::Blocked).count(),
        awaiting_approval: open().filter(|row| row.view.waits_for(&codes::erasure::APPROVAL_NEEDED)).count(),
        stopped: erasure::stopped(&app.engine).await?,
        next_due: open().min_by_key(|row| row.view.due_at).map(|row| due(row.view.due_at, now)),
        running: transfers.iter().filter(|row| row.view.state == TransferState::Running).count(),
        received: received.collect(),
        erasures,
        transfers,
    };
    Ok(operator.browser.keep(&app, render(&page)?))
}

/// Orders requests by how much somebody must look at them: blocked or waiting for approval, then open by their due date, then ended.
fn erasure_rows(views: Vec<RequestView>, now: Timestamp) -> Vec<ErasureRow> {
    let mut rows: Vec<_> = views
        .into_iter()
        .map(|view| ErasureRow {
            due: due(view.due_at, now),
            decided: view.systems.iter().filter(|system| is_decided(system.state)).count(),
            view,
        })
        .collect();
    rows.sort_by_key(|ErasureRow { view, .. }| {
        let urgent = match view.state {
            ErasureState::Blocked => 0,
            _ if view.waits_for(&codes::erasure::APPROVAL_NEEDED) => 0,
            state if state.is_final() => 2,
            _ => 1,
        };
        let when = if urgent == 2 { -view.received_at.as_microsecond() } else { view.due_at.as_microsecond() };
        (urgent, when)
    });
    rows
}

fn is_decided(state: SystemState) -> bool {
    matches!(state, SystemState::VerifiedEmpty | SystemState::Attested | SystemState::Kept)
}
