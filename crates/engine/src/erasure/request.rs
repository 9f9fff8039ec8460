//! Requests come in: a callback is verified and appended to the inbox; promotion settles what it means.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use model::erasure::{ErasureState, RequestView};
use model::problem::Reason;
use model::world::OnCallback;
use model::{Code, Identity, IdentityKind, Problem, Result, codes};
use serde::{Deserialize, Serialize};
use store::erasures::{self, New, Request};
use store::vault::columns::INBOX_PAYLOAD;
use store::{Tx, world::App};
use wire::{confirmation, signed_request};

use super::{deadlines, job, overload, people, replay, view};
use crate::{Engine, world};

/// The door of the deletion callback.
pub const CALLBACK: &str = "callback";
/// The door of the deauthorize callback.
pub const DEAUTHORIZE: &str = "deauthorize";

/// What the platform is answered (data deletion callback, "url" and "confirmation_code").
#[derive(Clone, Serialize, Deserialize)]
pub struct Accepted {
    /// Where the person sees the status.
    pub url: String,
    /// The code that leads there.
    pub confirmation_code: String,
}

/// What a callback said, as it waits in the inbox. Personal data: sealed there.
#[derive(Serialize, Deserialize)]
struct Arrived {
    identity: Identity,
    issued_at: Option<Timestamp>,
}

/// Takes a deletion callback: verified, and durable when this returns. The same text always gets the same code.
///
/// # Errors
/// `MO-1006` for an unknown app, what `wire::signed_request::verify` says, or what the store says.
pub async fn accept_callback(engine: &Engine, app: &str, signed_request: &str) -> Result<Accepted> {
    accept(engine, app, signed_request, CALLBACK).await
}

/// Takes a deauthorize callback: the same envelope, meaning that access was withdrawn.
///
/// # Errors
/// As [`accept_callback`].
pub async fn accept_deauthorize(engine: &Engine, app: &str, signed_request: &str) -> Result<Accepted> {
    accept(engine, app, signed_request, DEAUTHORIZE).await
}

async fn accept(engine: &Engine, name: &str, text: &str, door: &'static str) -> Result<Accepted> {
    let app = world::app(engine, name).await?;
    let verified = signed_request::verify(text, &secrets(&app)?)?;
    overload::ensure_room(engine).await?;
    let arrived = Arrived {
        identity: Identity::new(IdentityKind::asid(), verified.payload.user_id)?,
        issued_at: verified.payload.issued_at,
    };
    let payload = store::value::json(&arrived)?;
    let key = engine.store.vault().key("confirmation-code");
    // Each door has codes of its own: the platform signs the same text for both callbacks.
    let scope = if door == CALLBACK { app.declared.name.clone() } else { format!("{}/{door}", app.declared.name) };
    let code = confirmation::derive(&key, &scope, text);
    let payload = engine.store.vault().seal(&INBOX_PAYLOAD, &code, payload.as_bytes());
    let arrival = store::inbox::Arrival {
        app: app.declared.name.clone(),
        door,
        confirmation_code: code.clone(),
        payload,
        received_at: engine.ambient.now(),
    };
    engine.store.arrive(arrival).await?;
    Ok(Accepted { url: status_url(engine, &code), confirmation_code: code })
}

fn secrets(app: &App) -> Result<Vec<signed_request::Secret>> {
    app.secrets.iter().map(|secret| signed_request::Secret::new(secret.as_bytes())).collect()
}

/// Returns the address of the status page for a code.
pub fn status_url(engine: &Engine, code: &str) -> String {
    format!("{}/deletion/{code}", engine.settings.public_url)
}

/// Makes a request for a door that proves the person itself: the command line, the API, a list.
///
/// # Errors
/// `MO-1006` for an unknown app, `MO-2014` without identities.
pub async fn request(engine: &Engine, app: &str, identities: Vec<Identity>, door: &str) -> Result<RequestView> {
    let app = world::app(engine, app).await?;
    if identities.is_empty() {
        return Err(Problem::new(&codes::erasure::IDENTITY_MALFORMED, "the request names no identity"));
    }
    let door = door.to_owned();
    let id = engine
        .store
        .write("erasure.request", move |tx| {
            Box::pin(async move {
                let code = confirmation::from_random(&tx.ambient.random());
                let received_at = tx.ambient.now();
                let arrival = Arrival { app: &app.declared.name, door: &door, code: &code, received_at };
                if let Some(open) = join_open(tx, &arrival, &identities).await? {
                    return Ok(open.id);
                }
                begin(tx, &arrival, identities, None, Start::Erase).await
            })
        })
        .await?;
    view::show(engine, &id).await
}

/// Something that came through a door.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) app: &'a str,
    pub(super) door: &'a str,
    pub(super) code: &'a str,
    pub(super) received_at: Timestamp,
}

/// Settles one callback of the inbox, in the operation that takes it out: duplicates join, new ones become a request with a job.
///
/// # Errors
/// What the store says; then it stays in the inbox.
pub async fn promote(tx: &mut Tx<'_>, entry: &store::inbox::Entry) -> Result<()> {
    let code = &entry.confirmation_code;
    if erasures::by_code(tx, code).await?.is_some() {
        return Ok(());
    }
    let payload = tx.vault().open(&INBOX_PAYLOAD, code, &entry.payload)?;
    let arrived: Arrived = serde_json::from_slice(&payload).map_err(|cause| {
        Problem::new(&codes::store::SEALED_VALUE_BROKEN, "inbox.payload holds something else").caused_by(cause)
    })?;
    let arrival = Arrival { app: &entry.app, door: &entry.door, code, received_at: entry.received_at };
    let person = vec![arrived.identity];
    if arrival.door == DEAUTHORIZE {
        let start = withdraw(tx, arrival.app, &person, &codes::erasure::ACCESS_WITHDRAWN).await?;
        begin(tx, &arrival, person, arrived.issued_at, start).await?;
        return Ok(());
    }
    if join_open(tx, &arrival, &person).await?.is_some()
        || join_replayed(tx, &arrival, &person, arrived.issued_at).await?
    {
        return Ok(());
    }
    let start = match store::world::app(tx, arrival.app).await?.map(|app| app.declared.on_callback) {
        Some(OnCallback::Review) => Start::Review,
        Some(OnCallback::RevokeOnly) => {
            withdraw(tx, arrival.app, &person, &codes::erasure::CALLBACK_REVOKES_ONLY).await?
        }
        // An app that was taken out meanwhile: the job finds no system for it and says so.
        Some(OnCallback::Erase) | None => Start::Erase,
    };
    begin(tx, &arrival, person, arrived.issued_at, start).await?;
    Ok(())
}

/// Revokes what is linked to a person who withdrew access, and says whether anything was: `otherwise`, if there was nothing.
async fn withdraw(tx: &mut Tx<'_>, app: &str, person: &[Identity], otherwise: &'static Code) -> Result<Start> {
    let revoked = people::revoke(tx, app, person).await?;
    Ok(Start::Refuse(if revoked > 0 { &codes::erasure::ACCESS_REVOKED } else { otherwise }))
}

/// Lets the code lead to the person's open request, if there is one.
async fn join_open(tx: &mut Tx<'_>, arrival: &Arrival<'_>, person: &[Identity]) -> Result<Option<Request>> {
    let known = erasures::of_person(tx, arrival.app, person).await?;
    // Whoever has not shown who they are yet is joined by nobody.
    let open = |request: &Request| !request.state.is_final() && request.state != ErasureState::AwaitingIdentity;
    let Some(open) = known.into_iter().find(open) else { return Ok(None) };
    erasures::add_code(tx, arrival.code, &open.id, arrival.received_at).await?;
    Ok(Some(open))
}

/// Lets the code lead to an ended request if the callback was signed before that one's: then somebody repeats an old callback.
///
/// Only a request that was carried out answers an older one; what was taken back or refused erased nothing.
async fn join_replayed(
    tx: &mut Tx<'_>,
    arrival: &Arrival<'_>,
    person: &[Identity],
    issued_at: Option<Timestamp>,
) -> Result<bool> {
    let Some(issued_at) = issued_at else { return Ok(false) };
    let known = erasures::of_person(tx, arrival.app, person).await?;
    let answers = |request: &Request| {
        use ErasureState::{Complete, NoData, PartlyRefused};
        // The platform signs whole seconds: what was signed in the second of the last one may well be newer.
        let asked = request.issued_at.unwrap_or(request.received_at).as_second();
        matches!(request.state, Complete | NoData | PartlyRefused) && issued_at.as_second() < asked
    };
    let Some(ended) = known.into_iter().find(answers) else { return Ok(false) };
    erasures::add_code(tx, arrival.code, &ended.id, arrival.received_at).await?;
    Ok(true)
}

/// How a request begins.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// With the work.
    Erase,
    /// Waiting for an approval.
    Review,
    /// Waiting until this instant for the person to show that it is they.
    Prove(Timestamp),
    /// At its end, with a reason.
    Refuse(&'static Code),
}

/// Stores a request, and its job where the work can begin; returns its id.
pub(super) async fn begin(
    tx: &mut Tx<'_>,
    arrival: &Arrival<'_>,
    identities: Vec<Identity>,
    issued_at: Option<Timestamp>,
    start: Start,
) -> Result<String> {
    let not_before = match start {
        Start::Erase => cool_off_ends(tx, arrival).await?,
        // The cool-off begins with the proof.
        Start::Review | Start::Prove(_) | Start::Refuse(_) => None,
    };
    let prove_by = if let Start::Prove(by) = start { Some(by) } else { None };
    let (state, reason): (_, Option<Reason>) = match start {
        Start::Erase if not_before.is_some() => {
            (ErasureState::Waiting, Some(Problem::new(&codes::erasure::COOLING_OFF, "").reason()))
        }
        Start::Erase => (ErasureState::Received, None),
        Start::Review => (ErasureState::Waiting, Some(Problem::new(&codes::erasure::APPROVAL_NEEDED, "").reason())),
        Start::Prove(_) => {
            (ErasureState::AwaitingIdentity, Some(Problem::new(&codes::erasure::PROOF_AWAITED, "").reason()))
        }
        Start::Refuse(code) => (ErasureState::Refused, Some(Problem::new(code, "").reason())),
    };
    let id = tx.ambient.id();
    let request = Request {
        id: id.clone(),
        app: arrival.app.to_owned(),
        door: arrival.door.to_owned(),
        code: arrival.code.to_owned(),
        state,
        reason,
        received_at: arrival.received_at,
        issued_at,
        due_at: deadlines::due_at(arrival.received_at),
        finished_at: state.is_final().then(|| tx.ambient.now()),
        frozen: false,
        intent: None,
        receipt: None,
        kept_erased_at: None,
        kept_receipt: None,
        not_before,
        prove_by,
    };
    erasures::insert(tx, &New { request, identities }).await?;
    if matches!(start, Start::Erase) {
        job::enqueue(tx, arrival.app, &id, not_before).await?;
    }
    if prove_by.is_some() {
        job::enqueue(tx, arrival.app, &id, prove_by).await?;
    }
    Ok(id)
}

/// Returns until when the person can take the request back, where the app gives them time.
async fn cool_off_ends(tx: &mut Tx<'_>, arrival: &Arrival<'_>) -> Result<Option<Timestamp>> {
    if arrival.door == replay::DOOR {
        // Whoever is erased again has had theirs.
        return Ok(None);
    }
    cool_off(tx, arrival.app, arrival.received_at).await
}

/// Returns until when the cool-off of an app lasts that begins at an instant.
pub(super) async fn cool_off(tx: &mut Tx<'_>, app: &str, from: Timestamp) -> Result<Option<Timestamp>> {
    let app = store::world::app(tx, app).await?;
    let cool_off = app.and_then(|app| app.declared.cool_off).and_then(|period| period.parse::<Span>().ok());
    Ok(cool_off.map(|period| from.to_zoned(TimeZone::UTC).saturating_add(period).timestamp()))
}
