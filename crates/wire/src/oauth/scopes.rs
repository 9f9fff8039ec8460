//! Scopes: one per DTP vertical and direction, and what each means in words.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use model::{Problem, Result, codes};

/// The scopes of the landing, and what a person reads on the consent page.
pub const KNOWN_SCOPES: &[(&str, &str)] = &[
    ("media:write", "Add photos, videos and albums"),
    ("photos:write", "Add photos and albums"),
    ("videos:write", "Add videos"),
    ("social-posts:write", "Add posts"),
    ("blobs:write", "Add files and folders"),
    ("calendar:write", "Add calendars and events"),
];

/// How many scopes one request may name.
const MAX_SCOPES: usize = 50;

/// Returns what a scope allows, for people.
pub fn scope_in_words(scope: &str) -> &str {
    KNOWN_SCOPES.iter().find(|(name, _)| *name == scope).map_or(scope, |(_, words)| words)
}

/// A set of scopes; as text separated by spaces (RFC 6749 §3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Tells whether a scope is among them.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Tells whether all of these are among `other`.
    pub fn within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<T: Into<String>> FromIterator<T> for Scopes {
    fn from_iter<I: IntoIterator<Item = T>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

impl FromStr for Scopes {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = |detail: &str| Problem::new(&codes::landing::SCOPE_INVALID, detail);
        let scopes: BTreeSet<_> = text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        if scopes.len() > MAX_SCOPES {
            return Err(invalid("there are too many scopes"));
        }
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if !scopes.iter().all(|scope| scope.len() <= 100 && scope.bytes().all(allowed)) {
            return Err(invalid("a scope holds a character that scopes may not have"));
        }
        Ok(Self(scopes))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}
