//! Texts with places for a person's identities: `session:{user}`, `avatars/{user}/`.
//!
//! A kind of identity between braces is a placeholder; any other brace stands for itself, so that JSON and Redis hash tags
//! (`{user:{user}}`) can be written as they are.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identity::IdentityKind;

/// A text with places for identities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Template {
    parts: Vec<Part>,
}

/// One part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What stands there for everybody.
    Text(String),
    /// Where the person's identity of this kind stands.
    Identity(IdentityKind),
}

impl Template {
    /// Reads a template.
    pub fn new(text: &str) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let placeholder = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            if let Some((kind, behind)) = placeholder
                && let Ok(kind) = kind.parse()
            {
                parts.push(Part::Identity(kind));
                rest = behind;
                continue;
            }
            let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(end, _)| end);
            let (literal, behind) = rest.split_at(end);
            match parts.last_mut() {
                Some(Part::Text(text)) => text.push_str(literal),
                _ => parts.push(Part::Text(literal.to_owned())),
            }
            rest = behind;
        }
        Self { parts }
    }

    /// Returns its parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Returns the kinds of identity that it has places for.
    pub fn kinds(&self) -> BTreeSet<&IdentityKind> {
        let kind = |part| match part {
            &Part::Text(_) => None,
            Part::Identity(kind) => Some(kind),
        };
        self.parts.iter().filter_map(kind).collect()
    }

    /// Writes the text with values in its places; `None` where a value is missing.
    pub fn fill<'v>(&self, value: impl Fn(&IdentityKind) -> Option<&'v str>) -> Option<String> {
        self.fill_parts(|text| text.to_owned(), |kind| value(kind).map(str::to_owned))
    }

    /// Writes the text, each part as the two functions write it; `None` where a value is missing.
    pub fn fill_parts(
        &self,
        text: impl Fn(&str) -> String,
        value: impl Fn(&IdentityKind) -> Option<String>,
    ) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Text(literal) => Some(text(literal)),
            Part::Identity(kind) => value(kind),
        };
        self.parts.iter().map(part).collect()
    }
}

impl From<String> for Template {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.to_string()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Identity(kind) => write!(f, "{{{kind}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kinds_between_braces_are_places() {
        let table = [
            ("session:{user}", "session:7", 1),
            ("{user:{user}}:x", "{user:7}:x", 1),
            ("{\"a\": {}, \"b\": \"{user}\"}", "{\"a\": {}, \"b\": \"7\"}", 1),
            ("{user}{email}", "7z@example.org", 2),
            ("{user", "{user", 0),
            ("a}b{ user }{", "a}b{ user }{", 0),
            ("{é{user}", "{é7", 1),
            ("", "", 0),
        ];
        for (text, filled, kinds) in table {
            let template = Template::new(text);
            assert_eq!(template.to_string(), text);
            assert_eq!(template.kinds().len(), kinds, "{text}");
            let value = |kind: &IdentityKind| Some(if kind.as_str() == "user" { "7" } else { "z@example.org" });
            assert_eq!(template.fill(value).unwrap(), filled);
        }
        assert_eq!(Template::new("a{psid@12}").fill(|_| None), None, "a place without a value fills nothing");
    }
}
