//! What a value looks like, without keeping it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Cell;
use crate::inspect::{ColumnSample, Shape};

/// Counts what the values of one column look like.
pub(super) fn look<'a>(cells: impl Iterator<Item = &'a Cell>) -> ColumnSample {
    let mut sample = ColumnSample::default();
    let mut seen = BTreeSet::new();
    for cell in cells {
        sample.rows += 1;
        let Some(text) = cell.as_deref().filter(|text| !text.is_empty()) else { continue };
        sample.filled += 1;
        if seen.insert(text) {
            sample.distinct += 1;
        }
        if let Some(shape) = shape(text.trim()) {
            *sample.shapes.entry(shape).or_default() += 1;
        }
    }
    sample
}

fn shape(text: &str) -> Option<Shape> {
    match () {
        () if is_email(text) => Some(Shape::Email),
        () if is_ip_address(text) => Some(Shape::IpAddress),
        () if is_uuid(text) => Some(Shape::Uuid),
        () if is_password_hash(text) => Some(Shape::PasswordHash),
        () if is_phone(text) => Some(Shape::Phone),
        () if mentions_email(text) => Some(Shape::MentionsEmail),
        () => None,
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    !local.is_empty() && local.chars().all(plain) && domain.contains('.') && domain.split('.').all(label)
}

fn mentions_email(text: &str) -> bool {
    let apart = |c: char| c.is_whitespace() || "\"'<>()[]{},;:|\\".contains(c);
    text.contains('@') && text.split(apart).any(|word| is_email(word.trim_matches('.')))
}

fn is_ip_address(text: &str) -> bool {
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    // A short text like "::" or "1::" is more likely punctuation.
    address.len() >= 7 && address.parse::<IpAddr>().is_ok()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

fn is_password_hash(text: &str) -> bool {
    const NOTATIONS: [&str; 12] =
        ["$2a$", "$2b$", "$2y$", "$argon2", "$scrypt$", "$pbkdf2", "$5$", "$6$", "$P$", "$wp$", "pbkdf2_", "bcrypt"];
    text.len() >= 30 && NOTATIONS.iter().any(|notation| text.starts_with(notation))
}

fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let written = text.chars().all(|c| c.is_ascii_digit() || " +-()/.".contains(c));
    let separated = text.starts_with('+') || text.contains(['(', '/', ' ']) && !text.contains('.');
    (7..=15).contains(&digits) && written && separated && !text.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_by_their_shape() {
        let table = [
            ("zoe+news@mail.example.org", Some(Shape::Email)),
            ("ζωή@παράδειγμα.gr", Some(Shape::Email)),
            ("call zoe@example.org, please.", Some(Shape::MentionsEmail)),
            ("{\"to\":\"zoe@example.org\"}", Some(Shape::MentionsEmail)),
            ("@zoe", None),
            ("a@b", None),
            ("2001:db8::17", Some(Shape::IpAddress)),
            ("192.0.2.7/32", Some(Shape::IpAddress)),
            ("1.2", None),
            ("018f0000-0000-7000-8000-00000000000a", Some(Shape::Uuid)),
            ("+49 30 901820", Some(Shape::Phone)),
            ("(030) 90-18 20", Some(Shape::Phone)),
            ("4917612345678", None),
            ("2024-05-01", None),
            ("2024-05-01 12:00:00", None),
            ("12.50", None),
            ("pbkdf2_sha256$600000$abcdefghijkl$mnopqrstuvwxyz", Some(Shape::PasswordHash)),
        ];
        for (text, expected) in table {
            assert_eq!(shape(text), expected, "{text}");
        }
    }
}
