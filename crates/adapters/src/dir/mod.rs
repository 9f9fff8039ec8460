//! A folder as destination and source (a BagIt bag of JSON Lines and files that any tool can read), and one to erase files in.

mod commit;
mod erase;
mod errors;
mod manifest;
mod prospect;
mod read;
mod write;

use model::DataType;

pub use erase::Files;
pub use prospect::Prospect;
pub use read::BagReader;
pub use write::BagWriter;

use crate::open::Described;
use crate::verbs::{Capabilities, ContentOrder};

/// Returns what folders can do.
fn capabilities() -> Capabilities {
    Capabilities {
        reads: DataType::ALL.to_vec(),
        writes: DataType::ALL.to_vec(),
        erases: true,
        content_order: ContentOrder::Any,
        recognises_repeats: true,
        concurrency: 16,
        concurrency_without_content: 1024,
    }
}

/// Returns the adapter's line in the registry.
pub fn described() -> Described {
    Described {
        name: "dir",
        capabilities: capabilities(),
        about: "a folder (BagIt): JSON Lines a data type, every file, checksums; erases and re-reads files and folders",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
