//! Tables of people and their identities, as an app exports them to fill the identity map: CSV whose header names the column
//! `person` and a kind of identity for each other one: `person,asid,email`.

use model::{Identity, IdentityKind, Problem, Result, codes};

use crate::id_list::{cells, separator};

/// The longest line, in bytes.
pub const MAX_LINE: usize = 64 * 1024;

/// What the columns of a table hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    separator: Option<char>,
    person: usize,
    kinds: Vec<(usize, IdentityKind)>,
}

impl Header {
    /// Reads the first line.
    ///
    /// # Errors
    /// `MO-2014` if it does not name the columns.
    pub fn parse(line: &str) -> Result<Self> {
        let unnamed = |detail: &str| Problem::new(&codes::erasure::IDENTITY_MALFORMED, detail);
        let line = line.trim_start_matches('\u{feff}').trim();
        let separator = separator(line);
        let (mut person, mut kinds) = (None, Vec::new());
        for (place, name) in cells(line, separator).iter().enumerate() {
            match name.as_str() {
                "person" if person.is_none() => person = Some(place),
                "" | "person" => return Err(unnamed("the first line names a column twice, or not at all")),
                kind => kinds.push((place, kind.parse()?)),
            }
        }
        let person = person.ok_or_else(|| unnamed("the first line names no column \"person\""))?;
        if kinds.is_empty() {
            return Err(unnamed("the first line names no kind of identity"));
        }
        Ok(Self { separator, person, kinds })
    }

    /// Reads a further line: what the app calls the person, and their identities; `None` if it is empty.
    ///
    /// # Errors
    /// `MO-2014` if there is no person, or something that is no identity. What the line holds is not repeated.
    pub fn row(&self, line: &str) -> Result<Option<(String, Vec<Identity>)>> {
        if line.trim().is_empty() {
            return Ok(None);
        }
        let cells = cells(line.trim(), self.separator);
        let person = cells.get(self.person).filter(|name| !name.is_empty());
        let person = person.ok_or_else(|| Problem::new(&codes::erasure::IDENTITY_MALFORMED, "there is no person"))?;
        let filled = |(place, kind): &(usize, IdentityKind)| {
            let value = cells.get(*place).filter(|value| !value.is_empty())?;
            Some(Identity::new(kind.clone(), value.as_str()))
        };
        let identities = self.kinds.iter().filter_map(filled).collect::<Result<Vec<_>>>()?;
        Ok(Some((person.clone(), identities)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_the_columns_are() {
        let header = Header::parse("\u{feff}person;asid;email\r").unwrap();
        let (person, identities) = header.row("42;\"1001\";\r").unwrap().unwrap();
        assert_eq!((person.as_str(), identities), ("42", vec!["asid:1001".parse().unwrap()]));
        let (_, identities) = header.row("Zoe, A.;1001;zoe@example.org").unwrap().unwrap();
        assert_eq!(identities.len(), 2);
        assert_eq!(header.row("  ").unwrap(), None);
        assert!(header.row(";1001;").is_err());
        for first in ["", "person", "asid,email", "person,person,asid", "person,a b", "person,,asid"] {
            assert!(Header::parse(first).is_err(), "{first:?}");
        }
    }
}
