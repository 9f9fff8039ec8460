//! What a kind of job does, and the registry of kinds.

use async_trait::async_trait;
use jiff::SignedDuration;
use model::Result;
use model::problem::Reason;
pub use store::jobs::Job;

use crate::Engine;

/// Carries out one kind of job.
///
/// A run may be cut off at any await and done again, here or on another machine: it records its progress in the store and
/// begins its writes with [`store::jobs::hold`], so that a worker that lost its lease cannot write over its successor.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Returns the kind, as given to `store::jobs::enqueue`.
    fn kind(&self) -> &'static str;

    /// Works on the job's subject.
    ///
    /// # Errors
    /// What stopped it: with the verdict *retry* it is tried again later, any other parks it with its reason.
    async fn run(&self, engine: &Engine, job: &Job) -> Result<Outcome>;

    /// Hears that its job was put aside, so that the subject can show why nothing goes on.
    ///
    /// # Errors
    /// A problem of the store.
    async fn parked(&self, _engine: &Engine, _job: &Job, _reason: &Reason) -> Result<()> {
        Ok(())
    }
}

/// How a run that went well ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is nothing more to do.
    Done,
    /// There is more to do after this time.
    Again(SignedDuration),
}

/// Returns every kind of job there is.
pub fn handlers() -> Vec<Box<dyn Handler>> {
    vec![
        Box::new(crate::erasure::InboxJob),
        Box::new(crate::erasure::ErasureJob),
        Box::new(crate::erasure::KeptJob),
        Box::new(crate::erasure::MailJob),
        Box::new(crate::transfer::JobHandler),
        Box::new(crate::notify::WebhookJob),
        Box::new(super::blobs::BlobsJob),
        Box::new(super::retention::RetentionJob),
    ]
}
