//! The job that removes large bodies whose last use was taken back.

use async_trait::async_trait;
use model::Result;

use super::handler::{Handler, Job, Outcome};
use crate::Engine;

/// Removes what [`store::blobs::release`] has doomed; while folder or bucket is away, it is tried again.
pub struct BlobsJob;

#[async_trait]
impl Handler for BlobsJob {
    fn kind(&self) -> &'static str {
        store::blobs::JOB
    }

    async fn run(&self, engine: &Engine, _job: &Job) -> Result<Outcome> {
        engine.store.blobs().remove_doomed(&engine.store).await?;
        Ok(Outcome::Done)
    }
}
