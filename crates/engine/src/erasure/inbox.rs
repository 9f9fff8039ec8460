//! The inbox is emptied: what was answered in a hurry becomes requests, many in one operation.

use async_trait::async_trait;
use model::{Result, codes};
use store::inbox;

use super::request::promote;
use crate::Engine;
use crate::jobs::{Handler, Job, Outcome};

/// How many arrivals become requests in one operation.
const BATCH: usize = 200;

/// Promotes what waits in the inbox.
pub struct InboxJob;

#[async_trait]
impl Handler for InboxJob {
    fn kind(&self) -> &'static str {
        inbox::JOB
    }

    async fn run(&self, engine: &Engine, job: &Job) -> Result<Outcome> {
        loop {
            let job = job.clone();
            let taken = engine
                .store
                .write("inbox.promote", move |tx| {
                    Box::pin(async move {
                        store::jobs::hold(tx, &job).await?;
                        let entries = inbox::take(tx, BATCH).await?;
                        for entry in &entries {
                            match promote(tx, entry).await {
                                // Nothing can be made of it, and it must not hold up the others.
                                Err(problem) if problem.is(&codes::store::SEALED_VALUE_BROKEN) => {
                                    inbox::set_aside(tx, entry, &problem.reason()).await?;
                                }
                                promoted => promoted?,
                            }
                        }
                        Ok(entries.len())
                    })
                })
                .await?;
            if taken < BATCH {
                return Ok(Outcome::Done);
            }
        }
    }
}
