//! What readers of XML have in common.

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::BytesRef;

/// Reads `&amp;`, `&#38;` and the like; `None` for entities that XML itself does not have.
pub(crate) fn character(reference: &BytesRef<'_>) -> Option<char> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character),
        Ok(None) => resolve_xml_entity(&reference.decode().ok()?)?.chars().next(),
        Err(_) => None,
    }
}
