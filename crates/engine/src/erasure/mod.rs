//! Erasure: resolve identities, check holds, erase, read again, prove.
//!
//! A request ends as `complete` only when every mapped place in every declared system was read again and found empty.

mod control;
mod deadlines;
mod erase;
mod identity;
mod inbox;
mod job;
mod last_look;
pub mod plan;
mod preview;
mod receipt;
pub mod request;
mod systems;
mod tables;
mod view;
mod words;

pub use control::{approve, cancel, resume};
pub use identity::check_system;
pub use inbox::InboxJob;
pub use job::{ErasureJob, Step, step};
pub use preview::preview;
pub use request::{Accepted, accept_callback, accept_deauthorize, request, status_url};
pub(crate) use systems::Systems;
pub use view::{list, public_view, show};

/// The kind of the jobs that carry out erasures; their subject is the request's id.
pub const JOB: &str = "erasure";
