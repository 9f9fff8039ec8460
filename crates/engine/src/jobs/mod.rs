//! Durable work: workers claim jobs under a lease and carry them out.

mod at_work;
mod blobs;
mod drain;
mod ends;
mod handler;
mod lease;
mod name;
mod retention;
mod run;
mod worker;

pub(crate) use at_work::others_at_work;
pub use drain::{drain, drain_one};
pub use handler::{Handler, Job, Outcome, handlers};
pub use worker::Worker;

#[cfg(test)]
mod tests;
