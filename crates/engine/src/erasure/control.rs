//! What an operator can do to a request: approve, take back, go on.

use model::erasure::{ErasureState, RequestView, SystemState};
use model::{Problem, Result, codes};
use store::Tx;
use store::erasures::{self, Request};

use super::job::is_finished;
use super::view;
use crate::Engine;

/// Lets a request that waits for approval begin.
///
/// # Errors
/// `MO-2013` for an unknown request, `MO-2018` if it does not wait for approval.
pub async fn approve(engine: &Engine, id_or_code: &str) -> Result<RequestView> {
    let wanted = id_or_code.to_owned();
    let id = engine
        .store
        .write("erasure.approve", move |tx| {
            Box::pin(async move {
                let request = view::find(tx, &wanted).await?;
                let code = codes::erasure::APPROVAL_NEEDED.to_string();
                if request.reason.as_ref().is_none_or(|reason| reason.code != code) {
                    return Err(conflict(&request, "it does not wait for approval"));
                }
                start(tx, &request).await?;
                Ok(request.id)
            })
        })
        .await?;
    view::show(engine, &id).await
}

/// Keeps workers from a request until somebody resumes it. A transaction that has begun in a system is carried to its end.
///
/// # Errors
/// `MO-2013` for an unknown request, `MO-2018` if it has ended, or waits for a person.
pub async fn pause(engine: &Engine, id_or_code: &str) -> Result<RequestView> {
    let wanted = id_or_code.to_owned();
    let id = engine
        .store
        .write("erasure.pause", move |tx| {
            Box::pin(async move {
                let request = view::find(tx, &wanted).await?;
                let approval = codes::erasure::APPROVAL_NEEDED.to_string();
                let unproven = request.reason.as_ref().is_some_and(|reason| reason.code == approval);
                // Resuming must not stand for an approval or a proof that never came.
                if unproven || matches!(request.state, ErasureState::Paused | ErasureState::AwaitingIdentity) {
                    return Err(conflict(&request, "nobody works on it"));
                }
                let reason = Problem::new(&codes::erasure::PAUSED, "").reason();
                erasures::set_state(tx, &request.id, ErasureState::Paused, Some(&reason)).await?;
                Ok(request.id)
            })
        })
        .await?;
    view::show(engine, &id).await
}

/// Lets the person take their request back while it cools off. The confirmation code is all that it takes.
///
/// # Errors
/// `MO-1010` for an unknown code, `MO-2018` if the cool-off is over or there was none.
pub async fn cancel_by_person(engine: &Engine, code: &str) -> Result<()> {
    let code = view::tidy(code);
    engine
        .store
        .write("erasure.cancel", move |tx| {
            Box::pin(async move {
                let request = erasures::by_code(tx, &code).await?;
                let request = request.ok_or_else(|| Problem::new(&codes::door::CODE_UNKNOWN, ""))?;
                if !cools_off(&request) {
                    return Err(conflict(&request, "it can no longer be taken back here"));
                }
                let reason = Problem::new(&codes::erasure::CANCELLED_BY_PERSON, "").reason();
                erasures::set_state(tx, &request.id, ErasureState::Cancelled, Some(&reason)).await
            })
        })
        .await
}

/// Tells whether the person can still take a request back.
pub(super) fn cools_off(request: &Request) -> bool {
    let code = codes::erasure::COOLING_OFF.to_string();
    request.state == ErasureState::Waiting && request.reason.as_ref().is_some_and(|reason| reason.code == code)
}

/// Takes a request back, as long as nothing was destroyed for it.
///
/// # Errors
/// `MO-2013` for an unknown request, `MO-2018` if it has ended or its erasure has begun.
pub async fn cancel(engine: &Engine, id_or_code: &str) -> Result<RequestView> {
    let wanted = id_or_code.to_owned();
    let id = engine
        .store
        .write("erasure.cancel", move |tx| {
            Box::pin(async move {
                let request = view::find(tx, &wanted).await?;
                if request.intent.is_some() {
                    return Err(conflict(&request, "its erasure has begun and cannot be undone"));
                }
                let reason = Problem::new(&codes::erasure::CANCELLED, "").reason();
                erasures::set_state(tx, &request.id, ErasureState::Cancelled, Some(&reason)).await?;
                Ok(request.id)
            })
        })
        .await?;
    view::show(engine, &id).await
}

/// Lets a blocked request go on: unfinished systems are planned afresh, and what was frozen stays frozen.
///
/// # Errors
/// `MO-2013` for an unknown request, `MO-2018` if it is not blocked or paused.
pub async fn resume(engine: &Engine, id_or_code: &str) -> Result<RequestView> {
    let wanted = id_or_code.to_owned();
    let id = engine
        .store
        .write("erasure.resume", move |tx| {
            Box::pin(async move {
                let request = view::find(tx, &wanted).await?;
                if !matches!(request.state, ErasureState::Blocked | ErasureState::Paused) {
                    return Err(conflict(&request, "it is neither blocked nor paused"));
                }
                for mut row in erasures::systems(tx, &request.id).await? {
                    if !is_finished(&row) {
                        (row.state, row.reason, row.plan) = (SystemState::Pending, None, None);
                        erasures::put_system(tx, &request.id, &row).await?;
                    }
                }
                erasures::reset_rounds(tx, &request.id).await?;
                start(tx, &request).await?;
                Ok(request.id)
            })
        })
        .await?;
    view::show(engine, &id).await
}

/// Lets the work begin, but not before a cool-off is over.
pub(super) async fn start(tx: &mut Tx<'_>, request: &Request) -> Result<()> {
    let cools_off = request.not_before.filter(|at| *at > tx.ambient.now());
    let reason = cools_off.map(|_| Problem::new(&codes::erasure::COOLING_OFF, "").reason());
    let state = if reason.is_some() { ErasureState::Waiting } else { ErasureState::Received };
    erasures::set_state(tx, &request.id, state, reason.as_ref()).await?;
    super::job::enqueue(tx, &request.app, &request.id, cools_off).await
}

fn conflict(request: &Request, why: &str) -> Problem {
    Problem::new(&codes::erasure::STATE_CONFLICT, format!("it is {}: {why}", request.state))
}
