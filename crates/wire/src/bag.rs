//! A BagIt folder (RFC 8493) that holds items: one JSON Lines file a data type, and the files that belong to them.
//!
//! ```text
//! bagit.txt  bag-info.txt  manifest-sha256.txt
//! data/posts.jsonl                       one Line each
//! data/photos.jsonl
//! data/media/photos/<key>-<name>         the bytes of a photo
//! ```

use model::{DataType, Item, Problem, Result, codes};
use serde::{Deserialize, Serialize};

/// The content of `bagit.txt` (RFC 8493 §2.1.1).
pub const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// The name of the declaration, which makes a folder a bag.
pub const DECLARATION_FILE: &str = "bagit.txt";

/// The name of the payload manifest (RFC 8493 §2.1.3).
pub const MANIFEST_FILE: &str = "manifest-sha256.txt";

/// The name of the description (RFC 8493 §2.2.2).
pub const INFO_FILE: &str = "bag-info.txt";

/// The folder of the payload, with a slash at its end.
pub const PAYLOAD: &str = "data/";

/// The folder of items' files, with a slash at its end.
pub const MEDIA: &str = "data/media/";

/// The longest line that is taken, in bytes.
pub const MAX_LINE: usize = 32 * 1024 * 1024;

/// The longest file name that is kept, in bytes; file systems allow 255.
const MAX_NAME: usize = 120;

/// One line of a `data/TYPE.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The key that the item was written with: writing it again with the same key changes nothing.
    pub key: String,
    /// Where its bytes are, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
    /// The item, with its source's own record.
    pub item: Item,
}

/// A file of the bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its path within the bag.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256 in lower-case hexadecimal, for the manifest.
    pub sha256: String,
    /// Its BLAKE3 in lower-case hexadecimal, for reconciliation.
    pub blake3: String,
}

impl Line {
    /// Returns the line as it is written, newline included.
    ///
    /// # Errors
    /// `MO-3004` if the item cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self).map_err(|error| broken().caused_by(error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// `MO-3004` if it is not one.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| broken().caused_by(error))
    }
}

fn broken() -> Problem {
    Problem::new(&codes::transfer::RECORD_BROKEN, "it is not an item as this folder holds them")
}

/// Returns the path of the lines of a data type.
pub fn lines_file(data_type: DataType) -> String {
    format!("{PAYLOAD}{data_type}.jsonl")
}

/// Returns the path of an item's bytes: unique by the key, and safe on every file system.
pub fn media_file(data_type: DataType, key: &str, name: Option<&str>) -> String {
    format!("{MEDIA}{data_type}/{key}-{}", safe_name(name.unwrap_or("file")))
}

/// Returns a name without what file systems object to; letters of every script stay.
fn safe_name(name: &str) -> String {
    let forbidden = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '%');
    let mut safe: String = name.chars().map(|c| if forbidden(c) { '_' } else { c }).collect();
    if safe.len() > MAX_NAME {
        // The end of a name tells what it is.
        let end = safe.rfind('.').filter(|dot| safe.len() - dot <= 16).map_or(String::new(), |dot| safe.split_off(dot));
        let mut cut = MAX_NAME - end.len();
        while !safe.is_char_boundary(cut) {
            cut -= 1;
        }
        safe.truncate(cut);
        safe.push_str(&end);
    }
    let trimmed = safe.trim_end_matches(['.', ' ']);
    if trimmed.is_empty() { "file".to_owned() } else { trimmed.to_owned() }
}

/// Returns a line of the manifest; the path holds no line breaks and no `%`, so nothing needs to be encoded.
pub fn manifest_line(sha256: &str, path: &str) -> String {
    format!("{sha256}  {path}\n")
}

/// How `bag-info.txt` begins in a bag of ours: other bags are left alone.
pub const MARK: &str = concat!("Bag-Software-Agent: moveout ", env!("CARGO_PKG_VERSION"), "\n");

/// Tells whether the content of a `bag-info.txt` is of a bag of ours, of whatever version.
pub fn is_ours(info: &str) -> bool {
    info.lines().any(|line| line.starts_with("Bag-Software-Agent: moveout "))
}

/// Returns the content of `bag-info.txt` for a payload of so many bytes in so many files.
pub fn info(bytes: u64, files: u64) -> String {
    format!("{MARK}Payload-Oxum: {bytes}.{files}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_stay_readable() {
        let long = format!("{}.jpeg", "海".repeat(100));
        let table = [
            ("Ελλάδα 🌊.png", "Ελλάδα 🌊.png"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("a\nb%0A:c.txt", "a_b_0A_c.txt"),
            ("...", "file"),
            ("", "file"),
            (long.as_str(), &format!("{}.jpeg", "海".repeat(38))),
        ];
        for (name, safe) in table {
            assert_eq!(media_file(DataType::Photos, "k", Some(name)), format!("data/media/photos/k-{safe}"));
        }
    }
}
