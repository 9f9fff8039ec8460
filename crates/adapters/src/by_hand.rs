//! Where no machine can erase: a colleague gets a task, and says when it is done. Nothing is opened; the engine keeps the list.

use crate::open::Described;
use crate::verbs::Capabilities;

/// What this adapter says of itself.
pub(crate) fn described() -> Described {
    Described {
        name: "manual",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "a task for a person, with a due date: `moveout erasure task list` and `… done`",
    }
}
