//! The file of a backup: a tar archive, written and read from front to back, with a hash over all entries.

mod read;
mod write;

pub use read::{Entry, Reader};
pub use write::Writer;

const HEADER: &str = "header.json";
const END: &str = "end.json";
/// Entries of tar begin at multiples of this.
const BLOCK: usize = 512;
/// What the keyed digest is for.
const PURPOSE: &str = "backup";

/// Makes the head of an entry; the only one that an entry of this name and length has.
fn head(name: &str, length: u64) -> Option<tar::Header> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).ok()?;
    header.set_size(length);
    header.set_mode(0o600);
    header.set_mtime(0);
    header.set_cksum();
    Some(header)
}

/// How many bytes lie behind an entry of this length.
fn padding(length: u64) -> usize {
    let over = usize::try_from(length % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}
