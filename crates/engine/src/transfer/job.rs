//! Transfers as jobs: the two ends sealed in the store, opened when a worker takes the transfer up.

use adapters::Spec;
use adapters::open::{Context, Token};
use async_trait::async_trait;
use futures_util::FutureExt;
use model::problem::Reason;
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::transfers::{self, TransferRow};
use store::vault::columns::TRANSFER_ENDS;

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
    Ok(engine.store.vault().seal(&TRANSFER_ENDS, id, ends.as_bytes()))
}

/// Asks for the work on a transfer, in turn with those to other destinations.
pub(super) async fn enqueue(tx: &mut Tx<'_>, id: &str, shown_to: &str) -> Result<()> {
    store::jobs::enqueue_for(tx, JOB, destination(shown_to), id, None).await.map(drop)
}

/// Returns what tells one destination from another, without what may name a person: the host of a URL, else the kind of system.
fn destination(shown_to: &str) -> &str {
    let Some((before, rest)) = shown_to.split_once("://") else {
        return shown_to.split(':').next().unwrap_or_default();
    };
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() { before } else { host.rsplit('@').next().unwrap_or(host) }
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
    let sealed = engine.store.vault().open(&TRANSFER_ENDS, &row.id, &row.ends)?;
    let ends: Ends = serde_json::from_slice(&sealed)
        .map_err(|cause| Problem::new(&codes::store::SEALED_VALUE_BROKEN, "the ends of a transfer").caused_by(cause))?;
    let context = |token| Context { token, transfer: Some(row.id.clone()), ..Context::new(engine.net.clone()) };
    let source = adapters::open_source(&ends.from.spec(), &context(None)).await?;
    let destination = adapters::open_destination(&ends.to.spec(), &context(ends.token.map(Token::new))).await?;
    Ok((source, destination))
}

#[cfg(test)]
mod tests {
    use super::destination;

    #[test]
    fn a_destination_is_known_by_its_host_and_names_nobody() {
        let table = [
            ("dtp:https://host.example:8443/dtp/", "host.example:8443"),
            ("webdav:https://anna@cloud.example/home", "cloud.example"),
            ("s3://bucket/prefix", "bucket"),
            ("dir:/home/anna/out", "dir"),
            ("landing:anna", "landing"),
            ("dir:///out", "dir"),
        ];
        for (shown, expected) in table {
            assert_eq!(destination(shown), expected);
        }
    }
}
