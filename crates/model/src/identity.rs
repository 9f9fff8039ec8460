//! Who a person is, in the words of the system that knows them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::codes;
use crate::problem::Problem;

/// The longest identity value we take, in bytes.
pub const MAX_VALUE: usize = 512;

/// A kind of identity: `asid`, `psid@PAGE`, `igsid`, `player`, `email`, `phone`, `user`, or any declared name.
///
/// What stands behind `@` is a namespace: a page-scoped id means nothing without its page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdentityKind(String);

impl IdentityKind {
    /// The app-scoped id of the platform.
    pub fn asid() -> Self {
        Self("asid".to_owned())
    }

    /// Returns the kind as it is written, for example `psid@1234`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How two values of a kind are the same although they are written differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// They are not: a value is what it is, letter by letter.
    Exact,
    /// An e-mail address. Domains have no case (RFC 5321 §2.4); local parts may, but no provider in use gives two people
    /// addresses that differ in case alone. Where a database holds two such rows, both are found, and that blocks as ambiguous.
    Email,
    /// A telephone number: `+` and digits (E.164), whatever separates them; `00` in front is `+`. A national number stays
    /// national, because its country is not known.
    Phone,
}

impl Spelling {
    /// Returns the one spelling that all spellings of a value have in common.
    pub fn fold(self, value: &str) -> String {
        match self {
            Self::Exact => value.to_owned(),
            Self::Email => value.to_lowercase(),
            Self::Phone => {
                let number: String = value.chars().filter(|c| !PHONE_SEPARATORS.contains(c)).collect();
                number.strip_prefix("00").map_or(number.clone(), |number| format!("+{number}"))
            }
        }
    }
}

/// What people write between the digits of a telephone number.
pub const PHONE_SEPARATORS: [char; 7] = [' ', '-', '(', ')', '.', '/', '\u{a0}'];

impl IdentityKind {
    /// Returns how values of this kind are compared.
    pub fn spelling(&self) -> Spelling {
        match self.0.split_once('@').map_or(self.0.as_str(), |(name, _)| name) {
            "email" => Spelling::Email,
            "phone" => Spelling::Phone,
            _ => Spelling::Exact,
        }
    }
}

impl FromStr for IdentityKind {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let (name, namespace) = text.split_once('@').unwrap_or((text, "-"));
        let plain = |part: &str| {
            !part.is_empty()
                && part.len() <= 64
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        };
        if plain(name) && plain(namespace) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new(
                &codes::erasure::IDENTITY_MALFORMED,
                "a kind has up to 64 letters, digits, '_', '-' or '.', and may have a namespace behind '@'",
            ))
        }
    }
}

impl TryFrom<String> for IdentityKind {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        text.parse()
    }
}

impl From<IdentityKind> for String {
    fn from(kind: IdentityKind) -> Self {
        kind.0
    }
}

impl fmt::Display for IdentityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One identity of a person: a kind and a value. Personal data: `Debug` shows the kind only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// What kind of identity it is.
    pub kind: IdentityKind,
    /// The value, exactly as the system that issued it writes it.
    pub value: String,
}

impl Identity {
    /// Creates an identity; the value must be 1 to 512 bytes long, without control characters.
    pub fn new(kind: IdentityKind, value: impl Into<String>) -> Result<Self, Problem> {
        let value = value.into();
        if value.is_empty() || value.len() > MAX_VALUE || value.chars().any(char::is_control) {
            return Err(Problem::new(
                &codes::erasure::IDENTITY_MALFORMED,
                format!("a value of kind {kind} must have 1 to {MAX_VALUE} bytes and no control characters"),
            ));
        }
        Ok(Self { kind, value })
    }
}

impl Identity {
    /// Returns the identity as all its spellings have it in common: two that fold to the same are the same person's.
    #[must_use]
    pub fn folded(&self) -> Self {
        Self { kind: self.kind.clone(), value: self.kind.spelling().fold(&self.value) }
    }
}

impl FromStr for Identity {
    type Err = Problem;

    /// Reads `KIND:VALUE`; the value may itself contain colons.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let (kind, value) = text.split_once(':').ok_or_else(|| {
            Problem::new(&codes::erasure::IDENTITY_MALFORMED, "there is no ':' between kind and value")
        })?;
        Self::new(kind.parse()?, value)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:…", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_kind_and_value() {
        let identity: Identity = "psid@1234:a:b".parse().unwrap();
        assert_eq!(identity.kind.as_str(), "psid@1234");
        assert_eq!(identity.value, "a:b");
        assert_eq!(format!("{identity:?}"), "psid@1234:…");
    }

    #[test]
    fn spellings_of_one_address_or_number_fold_to_one() {
        let table = [
            ("email:Zoe@Example.ORG", "email:zoe@example.org"),
            ("phone:0049 (30) 123-45/6", "phone:+4930123456"),
            ("phone:030 123", "phone:030123"),
            ("asid:AbC 1", "asid:AbC 1"),
            ("user:Zoe@X", "user:Zoe@X"),
        ];
        for (written, folded) in table {
            assert_eq!(written.parse::<Identity>().unwrap().folded(), folded.parse().unwrap(), "{written}");
        }
    }

    #[test]
    fn refuses_what_is_no_identity() {
        for text in ["", "asid", "asid:", ":5", "a b:5", "asid@:5", "asid:\u{7}", "@x:1"] {
            let problem = text.parse::<Identity>().unwrap_err();
            assert!(problem.is(&codes::erasure::IDENTITY_MALFORMED), "{text:?}");
        }
    }
}
