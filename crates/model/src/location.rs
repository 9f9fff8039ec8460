//! Places of a person's data in systems that are no SQL databases: keys of a cache, files below a folder.
//!
//! A location says by its members what kind of place it is; which kinds an adapter takes is checked when it is declared.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Call, Check, Remote};
use crate::identity::IdentityKind;
use crate::template::Template;

/// One location of a system's map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Members", into = "Members")]
pub struct Location {
    /// Its name: what results call it.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// Where a person's data is, once the placeholders have values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The key of this name, with all it holds.
    Key(Template),
    /// Every key that matches; `*` stands for any characters.
    Pattern(Template),
    /// One field of a hash.
    Field {
        /// The hash.
        key: Template,
        /// Its field.
        field: Template,
    },
    /// One member of a set, a sorted set or a list.
    Member {
        /// The set or list.
        key: Template,
        /// Its member.
        member: Template,
    },
    /// Every file or object below a folder; it ends with `/`.
    Prefix(Template),
    /// One file or object.
    Path(Template),
    /// What somebody's API erases.
    Call(Box<Remote>),
}

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// Keys of a store, or parts of what they hold.
    Keys,
    /// Files or objects.
    Files,
    /// Whatever stands behind an API.
    Calls,
}

impl Place {
    /// Returns what kind of place it is.
    pub fn kind(&self) -> PlaceKind {
        match self {
            Self::Key(_) | Self::Pattern(_) | Self::Field { .. } | Self::Member { .. } => PlaceKind::Keys,
            Self::Prefix(_) | Self::Path(_) => PlaceKind::Files,
            Self::Call(_) => PlaceKind::Calls,
        }
    }

    /// Tells whether what is there can be read, before and after it is erased; else it is attested.
    pub fn is_readable(&self) -> bool {
        !matches!(self, Self::Call(remote) if matches!(remote.check, Check::Attested(_)))
    }

    /// Returns its templates, by the name of the member that each is written as.
    pub fn templates(&self) -> Vec<(&'static str, &Template)> {
        match self {
            Self::Key(key) => vec![("key", key)],
            Self::Pattern(pattern) => vec![("pattern", pattern)],
            Self::Field { key, field } => vec![("key", key), ("field", field)],
            Self::Member { key, member } => vec![("key", key), ("member", member)],
            Self::Prefix(prefix) => vec![("prefix", prefix)],
            Self::Path(path) => vec![("path", path)],
            Self::Call(remote) => remote.calls().flat_map(Call::templates).collect(),
        }
    }

    /// Returns the kinds of identity that it has places for.
    pub fn identities(&self) -> BTreeSet<&IdentityKind> {
        self.templates().into_iter().flat_map(|(_, template)| template.kinds()).collect()
    }
}

/// The members of a location as they are written.
type Members = BTreeMap<String, Value>;

/// What places there are, for whoever wrote something else.
const PLACES: &str =
    "a place is said by key, pattern, key and field, key and member, prefix, path, or erase with reread or attested";

impl TryFrom<Members> for Location {
    type Error = String;

    fn try_from(mut members: Members) -> Result<Self, String> {
        let name: String = take(&mut members, "name")?;
        let place = Place::read(members).map_err(|complaint| format!("location {name:?}: {complaint}"))?;
        Ok(Self { name, place })
    }
}

impl Place {
    fn read(mut members: Members) -> Result<Self, String> {
        let shape = members.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
        if members.contains_key("erase") {
            return Remote::read(members).map(|remote| Self::Call(Box::new(remote)));
        }
        let mut template = |member| take(&mut members, member);
        Ok(match shape.as_str() {
            "key" => Self::Key(template("key")?),
            "pattern" => Self::Pattern(template("pattern")?),
            "field key" => Self::Field { key: template("key")?, field: template("field")? },
            "key member" => Self::Member { key: template("key")?, member: template("member")? },
            "prefix" => Self::Prefix(template("prefix")?),
            "path" => Self::Path(template("path")?),
            "" => return Err(format!("it says no place; {PLACES}")),
            other => return Err(format!("it has the members {other}; {PLACES}")),
        })
    }
}

impl Remote {
    fn read(mut members: Members) -> Result<Self, String> {
        let erase = take(&mut members, "erase")?;
        let check = match members.keys().map(String::as_str).collect::<Vec<_>>()[..] {
            ["reread"] => Check::Reread(take(&mut members, "reread")?),
            ["attested"] => Check::Attested(take(&mut members, "attested")?),
            _ => return Err("beside erase stands either reread or attested, and nothing else".to_owned()),
        };
        Ok(Self { erase, check })
    }
}

/// Takes a member out and reads it.
fn take<T: DeserializeOwned>(members: &mut Members, name: &str) -> Result<T, String> {
    let value = members.remove(name).ok_or_else(|| format!("a location needs {name}"))?;
    serde_json::from_value(value).map_err(|cause| format!("{name}: {cause}"))
}

impl From<Location> for Members {
    fn from(location: Location) -> Self {
        let mut members = match &location.place {
            Place::Call(remote) => {
                let (name, check) = match &remote.check {
                    Check::Reread(call) => ("reread", json!(call)),
                    Check::Attested(why) => ("attested", json!(why)),
                };
                Self::from([("erase".to_owned(), json!(remote.erase)), (name.to_owned(), check)])
            }
            place => place.templates().into_iter().map(|(name, template)| (name.to_owned(), json!(template))).collect(),
        };
        members.insert("name".to_owned(), Value::String(location.name));
        members
    }
}
