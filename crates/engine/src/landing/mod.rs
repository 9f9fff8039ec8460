//! Landing: items that a Data Transfer Project host sends us, each kept once, under the account that allowed it.
//!
//! A host gives photos and videos no id, tells neither the beginning nor the end of its job, and sends again whatever it got no
//! answer to. So an item is known by its own id where it has one, and else by job, album, name, time and bytes.

mod accept;
mod group;
mod identity;
mod view;

pub use accept::{Accepted, Delivery, Incoming, Job, accept, authorize};
pub use group::{Count, Progress, ReceivedTransfer, transfers};
pub use view::{LandedItem, Opened, items, open};
