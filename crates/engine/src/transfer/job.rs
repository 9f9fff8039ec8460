//! Transfers as jobs: the two ends sealed in the store, opened when a worker takes the transfer up.

use adapters::Spec;
use adapters::open::{Context, Token};
use async_trait::async_trait;
use futures_util::FutureExt;
use model::problem::Reason;
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};
use store::transfers::{self, TransferRow};

use super::run::{Opened, carry_out};
use super::{JOB, Start};
use crate::Engine;
use crate::jobs::{Handler, Job, Outcome};

/// The two ends of a transfer as they are sealed in the store.
#[derive(Serialize, Deserialize)]
struct Ends {
    from: End,
    to: End,
    token: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct End {
    adapter: String,
    target: String,
}

impl End {
    fn of(spec: &Spec) -> Self {
        Self { adapter: spec.adapter.clone(), target: spec.target.clone() }
    }

    fn spec(self) -> Spec {
        Spec { adapter: self.adapter, target: self.target }
    }
}

/// Seals the ends of the transfer `id`.
pub(super) fn seal_ends(engine: &Engine, id: &str, start: &Start) -> Result<Vec<u8>> {
    let token = start.token.as_ref().map(|token| token.expose().to_owned());
    let ends = store::value::json(&Ends { from: End::of(&start.from), to: End::of(&start.to), token })?;
    Ok(engine.store.vault().seal("transfer", id, "ends", ends.as_bytes()))
}

/// Carries out transfers as jobs.
pub struct JobHandler;

#[async_trait]
impl Handler for JobHandler {
    fn kind(&self) -> &'static str {
        JOB
    }

    async fn run(&self, engine: &Engine, job: &Job) -> Result<Outcome> {
        let open = |row: TransferRow| open_ends(engine.clone(), row).boxed();
        match carry_out(engine, &job.subject, open).await {
            // Paused or ended since the job was queued: there is nothing to do.
            Err(problem) if problem.is(&codes::transfer::TRANSFER_STATE_CONFLICT) => Ok(Outcome::Done),
            result => result.map(|_| Outcome::Done),
        }
    }

    async fn parked(&self, engine: &Engine, job: &Job, reason: &Reason) -> Result<()> {
        let (id, reason) = (job.subject.clone(), reason.clone());
        engine
            .store
            .write("transfer.parked", move |tx| Box::pin(async move { transfers::park(tx, &id, &reason).await }))
            .await
    }
}

async fn open_ends(engine: Engine, row: TransferRow) -> Result<Opened> {
    let sealed = engine.store.vault().open("transfer", &row.id, "ends", &row.ends)?;
    let ends: Ends = serde_json::from_slice(&sealed)
        .map_err(|cause| Problem::new(&codes::store::SEALED_VALUE_BROKEN, "the ends of a transfer").caused_by(cause))?;
    let context = |token| Context { token, transfer: Some(row.id.clone()), ..Context::new(engine.net.clone()) };
    let source = adapters::open_source(&ends.from.spec(), &context(None)).await?;
    let destination = adapters::open_destination(&ends.to.spec(), &context(ends.token.map(Token::new))).await?;
    Ok((source, destination))
}
