//! Erasure: resolve identities, check holds, erase, read again, prove.
//!
//! A request ends as `complete` only when every mapped place in every declared system was read again and found empty.

mod ask;
mod control;
mod deadlines;
mod erase;
mod house;
mod identity;
mod import;
mod inbox;
mod job;
mod kept;
mod last_look;
mod overload;
mod people;
pub mod plan;
mod preview;
mod processor;
mod recall;
mod receipt;
pub mod replay;
pub mod request;
mod stop;
mod systems;
mod tables;
mod view;
mod words;

pub use ask::{MailJob, ask, prove};
pub use control::{approve, cancel, cancel_by_person, pause, resume};
pub use identity::check_system;
pub use import::{Import, LIST, import, import_dry};
pub use inbox::InboxJob;
pub use job::{ErasureJob, Step, step};
pub use kept::KeptJob;
pub(crate) use overload::Overload;
pub use people::{ACCOUNT, Link, MOST_PEOPLE, link, unlink};
pub use preview::preview;
pub use processor::{MAX_REPORT, TaskView, accept_report, finish_task, open_tasks};
pub use request::{Accepted, accept_callback, accept_deauthorize, request, status_url};
pub use stop::{Stop, start, stop, stopped};
pub(crate) use systems::Systems;
pub use view::{list, public_view, show};

/// The kind of the jobs that carry out erasures; their subject is the request's id.
pub const JOB: &str = "erasure";
