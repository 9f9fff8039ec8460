//! Waiting for others, after everything that we can erase ourselves was erased.

use jiff::SignedDuration;
use model::codes;
use store::erasures::{Request, SystemRow};

use crate::erasure::erase;
use crate::erasure::job::{Halt, Run};

/// How often to look whether others have done their part; a report is heard at once.
pub(in crate::erasure) const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Tells whether all that is left to do in a system is to wait for others.
pub(in crate::erasure) fn is_awaited(system: &SystemRow) -> bool {
    let code = codes::erasure::AWAITING_PROCESSOR.to_string();
    system.reason.as_ref().is_some_and(|reason| reason.code == code)
}

/// Looks at every system that others work on; goes on if one of them is done.
pub(in crate::erasure) async fn look(run: &Run<'_>, request: &Request, awaited: &[&SystemRow]) -> Result<(), Halt> {
    let mut waits = None;
    for system in awaited {
        match erase::system(run, request, system).await {
            Ok(()) => return Ok(()),
            Err(Halt::Awaiting(name, reason)) => waits = waits.or(Some((name, reason))),
            Err(other) => return Err(other),
        }
    }
    match waits {
        Some((name, reason)) => Err(Halt::Later(name, reason)),
        None => Ok(()),
    }
}
