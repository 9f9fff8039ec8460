//! What is shown of a request, and to whom.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use model::erasure::{
    ErasureState, Kept, PublicKept, PublicSystem, PublicView, RequestView, SystemResult, SystemState,
};
use model::{Problem, Result, codes};
use store::Tx;
use store::erasures::{self, Request, SystemRow};
use store::world::{App, System};

use super::request::promote;
use super::{control, deadlines, replay, words};
use crate::Engine;

/// How many requests a list shows at most.
pub const LIST_LIMIT: u64 = 1000;

/// Shows a request to an operator, by its id or any of its codes.
///
/// # Errors
/// `MO-2013` if there is none.
pub async fn show(engine: &Engine, id_or_code: &str) -> Result<RequestView> {
    let wanted = id_or_code.to_owned();
    let known = engine
        .store
        .read("erasure.show", move |tx| {
            Box::pin(async move {
                match known(tx, &wanted).await? {
                    Some(request) => with_systems(tx, request).await.map(Some),
                    None => Ok(None),
                }
            })
        })
        .await?;
    if let Some(view) = known {
        return Ok(view);
    }
    let wanted = id_or_code.to_owned();
    engine
        .store
        .write("erasure.show", move |tx| {
            Box::pin(async move {
                let request = find(tx, &wanted).await?;
                with_systems(tx, request).await
            })
        })
        .await
}

async fn with_systems(tx: &mut Tx<'_>, request: Request) -> Result<RequestView> {
    let systems = erasures::systems(tx, &request.id).await?;
    let replays = match request.door == replay::DOOR {
        true => erasures::replay(tx, &request.id).await?.map(|replay| replay.first),
        false => None,
    };
    Ok(RequestView { replays, ..request_view(request, systems) })
}

/// Shows the newest requests to an operator, those of one state if it is given.
///
/// # Errors
/// What the store says.
pub async fn list(engine: &Engine, state: Option<ErasureState>) -> Result<Vec<RequestView>> {
    engine
        .store
        .read("erasure.list", move |tx| {
            Box::pin(async move {
                let mut views = Vec::new();
                for request in erasures::list(tx, state, LIST_LIMIT).await? {
                    views.push(with_systems(tx, request).await?);
                }
                Ok(views)
            })
        })
        .await
}

/// Shows a request to the person, by a confirmation code; one that is still in the inbox too.
///
/// # Errors
/// `MO-1010` for an unknown code.
pub async fn public_view(engine: &Engine, code: &str) -> Result<PublicView> {
    let wanted = tidy(code);
    engine
        .store
        .read("erasure.public_view", move |tx| {
            Box::pin(async move {
                if let Some(request) = erasures::by_code(tx, &wanted).await? {
                    let rows = erasures::systems(tx, &request.id).await?;
                    let app = store::world::app(tx, &request.app).await?;
                    let declared = store::world::systems(tx).await?;
                    return Ok(person_view(&wanted, request, rows, app.as_ref(), &declared));
                }
                let entry = store::inbox::by_code(tx, &wanted).await?;
                // The code is not repeated: it may be somebody's with a slip of the pen.
                let entry = entry.ok_or_else(|| Problem::new(&codes::door::CODE_UNKNOWN, ""))?;
                let app = store::world::app(tx, &entry.app).await?;
                Ok(PublicView {
                    confirmation_code: wanted,
                    state: ErasureState::Received,
                    reason: words::request(ErasureState::Received, None, false),
                    received_at: entry.received_at,
                    due_at: deadlines::due_at(entry.received_at),
                    finished_at: None,
                    kept_erased_at: None,
                    cancel_until: None,
                    systems: Vec::new(),
                    kept: Vec::new(),
                    backups_until: None,
                    contact: app.and_then(|app| app.declared.contact),
                })
            })
        })
        .await
}

/// Finds a request by its id or any of its codes. One that still waits in the inbox is promoted, so that it can be worked on.
pub(super) async fn find(tx: &mut Tx<'_>, id_or_code: &str) -> Result<Request> {
    if let Some(request) = known(tx, id_or_code).await? {
        return Ok(request);
    }
    if let Some(entry) = store::inbox::by_code(tx, &tidy(id_or_code)).await? {
        promote(tx, &entry).await?;
    }
    known(tx, id_or_code).await?.ok_or_else(|| Problem::new(&codes::erasure::REQUEST_UNKNOWN, ""))
}

async fn known(tx: &mut Tx<'_>, id_or_code: &str) -> Result<Option<Request>> {
    match erasures::by_id(tx, &tidy(id_or_code)).await? {
        None => erasures::by_code(tx, &tidy(id_or_code)).await,
        found => Ok(found),
    }
}

/// Ids and codes are lower case; people's clipboards add space.
pub(super) fn tidy(id_or_code: &str) -> String {
    id_or_code.trim().to_ascii_lowercase()
}

fn request_view(request: Request, systems: Vec<SystemRow>) -> RequestView {
    let kept = kept(&systems);
    let result =
        |row: SystemRow| SystemResult { name: row.name, state: row.state, reason: row.reason, tables: row.tables };
    RequestView {
        id: request.id,
        app: request.app,
        confirmation_code: request.code,
        door: request.door,
        replays: None,
        state: request.state,
        reason: request.reason,
        received_at: request.received_at,
        due_at: request.due_at,
        finished_at: request.finished_at,
        systems: systems.into_iter().map(result).collect(),
        kept,
        receipt: request.receipt,
        kept_erased_at: request.kept_erased_at,
        kept_receipt: request.kept_receipt,
    }
}

/// Returns what is kept in any system.
pub(super) fn kept(systems: &[SystemRow]) -> Vec<Kept> {
    systems.iter().flat_map(|system| system.kept.iter().cloned()).collect()
}

fn person_view(
    code: &str,
    request: Request,
    rows: Vec<SystemRow>,
    app: Option<&App>,
    declared: &[System],
) -> PublicView {
    let complain_to = app.and_then(|app| app.declared.complain_to.clone());
    let complain_to = complain_to.unwrap_or_else(|| words::AUTHORITY.to_owned());
    let public_kept = |kept| PublicKept { kept, complain_to: complain_to.clone() };
    let erased = matches!(request.state, ErasureState::Complete | ErasureState::PartlyRefused);
    let attested = rows.iter().any(|row| row.state == SystemState::Attested);
    PublicView {
        confirmation_code: code.to_owned(),
        state: request.state,
        reason: words::request(request.state, request.reason.as_ref(), attested),
        received_at: request.received_at,
        due_at: request.due_at,
        finished_at: request.finished_at,
        kept_erased_at: request.kept_erased_at,
        cancel_until: request.not_before.filter(|_| control::cools_off(&request)),
        kept: kept(&rows).into_iter().map(public_kept).collect(),
        backups_until: request
            .kept_erased_at
            .or(request.finished_at)
            .filter(|_| erased)
            .and_then(|at| backups_until(at, &rows, declared)),
        systems: rows
            .into_iter()
            .map(|row| PublicSystem { reason: words::system(&row), label: row.label, state: row.state })
            .collect(),
        contact: app.and_then(|app| app.declared.contact.clone()),
    }
}

/// Returns when what was erased has left the last backup of the systems that took part.
fn backups_until(finished_at: Timestamp, rows: &[SystemRow], declared: &[System]) -> Option<Timestamp> {
    let finished_at = finished_at.to_zoned(TimeZone::UTC);
    declared
        .iter()
        .filter(|system| rows.iter().any(|row| row.name == system.declared.name))
        .filter_map(|system| system.declared.backups_kept.as_ref()?.parse::<Span>().ok())
        .map(|kept| finished_at.saturating_add(kept).timestamp())
        .max()
}
