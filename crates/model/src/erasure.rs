//! An erasure request: its states, what is shown of it, and to whom.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::problem::{Code, Reason};
use crate::transfer::states;

states! {
    /// The state of an erasure request.
    ErasureState {
        /// Recorded durably.
        Received = "received",
        /// The person must still prove who they are.
        AwaitingIdentity = "awaiting_identity",
        /// Waits: for an approval, a cool-off, or a system that is away. The reason says for what.
        Waiting = "waiting",
        /// Being carried out.
        Running = "running",
        /// Somebody paused it.
        Paused = "paused",
        /// A safety rule stopped it; the reason names what must be mended.
        Blocked = "blocked",
        /// Everything is erased; nothing was kept.
        Complete = "complete",
        /// Erased but for what a ground keeps.
        PartlyRefused = "partly_refused",
        /// Refused, with a ground.
        Refused = "refused",
        /// Every system was searched and nothing was there.
        NoData = "no_data",
        /// Taken back before it was carried out.
        Cancelled = "cancelled",
        /// The proof of identity never came.
        Expired = "expired",
    }
}

impl ErasureState {
    /// Tells whether the request has ended.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Complete | Self::PartlyRefused | Self::Refused | Self::NoData | Self::Cancelled | Self::Expired
        )
    }
}

states! {
    /// The state of one system within an erasure.
    SystemState {
        /// Not yet begun.
        Pending = "pending",
        /// Being erased.
        Running = "running",
        /// Read again after erasing, and nothing was found.
        VerifiedEmpty = "verified_empty",
        /// Cannot be read again; somebody vouches for it.
        Attested = "attested",
        /// Read again: only what a ground keeps is there.
        Kept = "kept",
        /// A safety rule stopped it.
        Blocked = "blocked",
    }
}

/// What was found, erased and kept in one table or location.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableResult {
    /// Its name in the map.
    pub name: String,
    /// Rows found before erasing.
    pub found: u64,
    /// Rows erased.
    pub erased: u64,
    /// Rows kept on a ground, redacted to the columns that it covers.
    pub kept: u64,
    /// Rows that are still there against the rules; must be 0.
    pub remaining: u64,
    /// What the counts alone do not say: that nothing was looked for, because no identity leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why it counts as erased where nobody can read it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// What somebody else said of an erasure that we cannot check ourselves. It holds nothing of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When it was said; whoever records it knows the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What was said, and why it is believed; not in receipts, which are public for ever.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// The HTTP status of the answer, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// SHA-256 of the answer, in lower-case hexadecimal; the answer itself is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// One system within an erasure, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemResult {
    /// The declared name.
    pub name: String,
    /// Its state.
    pub state: SystemState,
    /// Why it is in this state.
    pub reason: Option<Reason>,
    /// Its tables.
    pub tables: Vec<TableResult>,
}

/// Something kept, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What is kept, for people: the table and the columns.
    pub what: String,
    /// The ground, for example `legal-obligation` (GDPR Art. 17(3)(b)).
    pub ground: String,
    /// The law that demands it.
    pub law: String,
    /// Until when the last of it is kept, if the rule says.
    pub until: Option<Timestamp>,
    /// Until when the first of it is kept: rows go one by one, each when its own time is over.
    #[serde(default)]
    pub first_until: Option<Timestamp>,
}

/// What an erasure would do in one table (`erasure plan --json`), in the order in which it would be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTable {
    /// Its name in the map.
    pub name: String,
    /// `delete`, `keep` (redacted to what the ground covers) or `delete_or_stub` (where kept rows go on referring to it);
    /// where others erase, `call` (an API), `notify` (a message) or `task` (a person).
    pub action: String,
    /// Rows found.
    pub found: u64,
    /// What the count alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What an erasure would do in one system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSystem {
    /// The declared name.
    pub name: String,
    /// Its tables, in the order in which they would be erased.
    pub tables: Vec<PlannedTable>,
    /// What stands in the way.
    pub blockers: Vec<Reason>,
    /// What an operator should know.
    pub warnings: Vec<String>,
    /// Why it could not be looked at.
    pub away: Option<Reason>,
}

/// A dry run: what a request would do (`erasure plan --json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    /// The app.
    pub app: String,
    /// How many identities lead to the person: those asked for and those learned from the systems.
    pub identities: u64,
    /// Rows found in all systems.
    pub found: u64,
    /// What stands in the way of the request as a whole.
    pub blockers: Vec<Reason>,
    /// The systems.
    pub systems: Vec<PlannedSystem>,
}

impl PlanView {
    /// Tells whether a request would be carried out now.
    pub fn is_clear(&self) -> bool {
        self.blockers.is_empty()
            && self.systems.iter().all(|system| system.blockers.is_empty() && system.away.is_none())
    }
}

/// Something kept, as the person sees it: with whom to complain to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKept {
    /// What is kept and why.
    #[serde(flatten)]
    pub kept: Kept,
    /// Whom to complain to.
    pub complain_to: String,
}

/// A request as operators see it (`erasure request|show --json`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestView {
    /// Its id.
    pub id: String,
    /// The app it came for.
    pub app: String,
    /// The code that leads to the status page.
    pub confirmation_code: String,
    /// The door it came through: `callback`, `cli`, `api`, `list`, `replay`.
    pub door: String,
    /// The request that it repeats after a restore, if it is a replay.
    #[serde(default)]
    pub replays: Option<String>,
    /// Its state.
    pub state: ErasureState,
    /// Why it is in this state.
    pub reason: Option<Reason>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// By when the law wants an answer.
    pub due_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its systems.
    pub systems: Vec<SystemResult>,
    /// What is kept on a ground.
    pub kept: Vec<Kept>,
    /// The signed receipt, once there is one.
    pub receipt: Option<serde_json::Value>,
    /// When the last of what a ground kept was erased.
    pub kept_erased_at: Option<Timestamp>,
    /// The signed receipt of that.
    pub kept_receipt: Option<serde_json::Value>,
}

impl RequestView {
    /// Tells whether the request waits for one reason.
    pub fn waits_for(&self, code: &Code) -> bool {
        let code = code.to_string();
        self.state == ErasureState::Waiting && self.reason.as_ref().is_some_and(|reason| reason.code == code)
    }
}

/// One system as the person sees it: without tables and counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicSystem {
    /// A label for people.
    pub label: String,
    /// Its state.
    pub state: SystemState,
    /// Why it is in this state, in words for the person.
    pub reason: Option<String>,
}

/// A request as the person sees it (`GET /deletion/{code}`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PublicView {
    /// The code that leads here.
    pub confirmation_code: String,
    /// The request's state.
    pub state: ErasureState,
    /// Why it is in this state, in words for the person.
    pub reason: Option<String>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// By when an answer is due.
    pub due_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When the last of what a ground kept was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_erased_at: Option<Timestamp>,
    /// Until when the person can take it back here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_until: Option<Timestamp>,
    /// The systems.
    pub systems: Vec<PublicSystem>,
    /// What is kept on a ground.
    pub kept: Vec<PublicKept>,
    /// By when erased data has left the last backup, where the systems say how long theirs are kept.
    pub backups_until: Option<Timestamp>,
    /// Whom to write to.
    pub contact: Option<String>,
}

/// What became of the lines of a bulk list: `lines = valid + malformed + blank`, `valid = duplicates + already_handled + queued`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCounts {
    /// Lines read; in a JSON array, its elements.
    pub lines: u64,
    /// Lines that hold an id.
    pub valid: u64,
    /// Lines that hold something else.
    pub malformed: u64,
    /// Empty lines, and those that name the columns.
    pub blank: u64,
    /// Ids that stood on the list before.
    pub duplicates: u64,
    /// Ids for which there is a request, open or carried out.
    pub already_handled: u64,
    /// Ids that nobody knew: found out when they are processed, so they may be counted as queued too.
    pub unknown: u64,
    /// Ids that became a request.
    pub queued: u64,
}

/// A line of a list that holds no id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListFault {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong, without what it holds.
    pub why: String,
}

/// An imported list (`erasure import --json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListView {
    /// The counts.
    #[serde(flatten)]
    pub counts: ListCounts,
    /// The first lines that hold no id.
    pub faults: Vec<ListFault>,
}
