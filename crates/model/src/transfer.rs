//! A transfer: its states, its items' states, and the sum that must come out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::data::DataType;
use crate::problem::Reason;

/// Declares an enum whose values have one snake_case name in JSON, in the store and on pages.
macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every state.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the state's name in JSON, in the store and on pages.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text { $($text => Ok(Self::$variant),)+ other => Err(format!("{other:?} is not a state")) }
            }
        }
    };
}
pub(crate) use states;

states! {
    /// The state of a transfer.
    TransferState {
        /// Waits for a worker.
        Queued = "queued",
        /// Reads and writes.
        Running = "running",
        /// Somebody paused it.
        Paused = "paused",
        /// Waits for a person or a partner; the reason says for what.
        Waiting = "waiting",
        /// Everything that could be written is written.
        Done = "done",
        /// Finished, with failed or uncertain items.
        DoneWithFailures = "done_with_failures",
        /// Somebody cancelled it; what was written stays.
        Cancelled = "cancelled",
        /// It could not be carried out at all.
        Failed = "failed",
    }
}

impl TransferState {
    /// Tells whether nothing will happen any more by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::DoneWithFailures | Self::Cancelled | Self::Failed)
    }
}

states! {
    /// The state of one item of a transfer.
    ItemState {
        /// Read, not yet sent.
        Pending = "pending",
        /// On its way: what a crash leaves in this state is uncertain unless the destination can tell.
        Sent = "sent",
        /// The destination has it.
        Confirmed = "confirmed",
        /// The destination had it before.
        AlreadyThere = "already_there",
        /// It will not be written, for a reason that retrying does not change.
        Refused = "refused",
        /// It could not be written.
        Failed = "failed",
        /// Nobody can tell whether it was written.
        Uncertain = "uncertain",
    }
}

/// The counts of one data type: `read` = all the others together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Items observed at the source.
    pub read: u64,
    /// Items that the destination confirmed.
    pub written: u64,
    /// Items that the destination had before.
    pub already_there: u64,
    /// Items that will not be written.
    pub refused: u64,
    /// Items that could not be written.
    pub failed: u64,
    /// Items of which nobody can tell.
    pub uncertain: u64,
    /// Items not yet decided.
    pub pending: u64,
    /// Bytes of content that the destination has.
    pub bytes: u64,
}

impl Tally {
    /// Returns how many items are missing from the sum; must be 0.
    pub fn difference(&self) -> i64 {
        let sum = self.written + self.already_there + self.refused + self.failed + self.uncertain + self.pending;
        self.read.cast_signed() - sum.cast_signed()
    }
}

/// A transfer as the command line and the API show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferView {
    /// Its id.
    pub transfer: String,
    /// Its state.
    pub state: TransferState,
    /// Why it is in this state.
    pub reason: Option<Reason>,
    /// Where it reads, without secrets.
    pub from: String,
    /// Where it writes, without secrets.
    pub to: String,
    /// The counts, per data type.
    pub types: BTreeMap<DataType, Tally>,
    /// What is missing from the sum over all types; must be 0.
    pub difference: i64,
    /// Why items were refused, failed or uncertain, with how many of each.
    pub problems: Vec<ItemProblems>,
    /// When it was asked for (RFC 3339).
    pub created_at: jiff::Timestamp,
    /// When it ended.
    pub finished_at: Option<jiff::Timestamp>,
}

/// Items that share a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemProblems {
    /// The state they are in.
    pub state: ItemState,
    /// Their data type.
    pub data_type: DataType,
    /// Why.
    pub reason: Reason,
    /// How many there are.
    pub count: u64,
    /// The source id of one of them.
    pub example: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_what_the_sum_lacks() {
        let tally =
            Tally { read: 10, written: 4, already_there: 1, refused: 1, failed: 1, uncertain: 1, pending: 1, bytes: 0 };
        assert_eq!(tally.difference(), 1);
    }
}
