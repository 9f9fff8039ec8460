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

async fn start(tx: &mut Tx<'_>, Request { app, id, .. }: &Request) -> Result<()> {
    erasures::set_state(tx, id, ErasureState::Received, None).await?;
    super::job::enqueue(tx, app, id).await
}

fn conflict(request: &Request, why: &str) -> Problem {
    Problem::new(&codes::erasure::STATE_CONFLICT, format!("it is {}: {why}", request.state))
}
