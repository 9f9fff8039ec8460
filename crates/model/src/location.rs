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
    /// What somebody erases who is sent a message.
    Notice(Notice),
    /// What a person erases who is given a task.
    Task(Task),
    /// The account of this name in moveout itself, with all that belongs to it.
    Account(Template),
}

/// A message to whoever must erase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The kinds of identity that it names; those that are not known are left out.
    pub send: Vec<IdentityKind>,
    /// How long they have, for example `14d`.
    pub within: String,
}

/// A task for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What to do, with placeholders.
    pub task: Template,
    /// Who is to do it.
    pub assignee: Option<String>,
    /// How long they have, for example `14d`.
    pub within: String,
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
    /// What a processor is told to erase.
    Notices,
    /// What people are asked to erase.
    Tasks,
    /// What moveout itself holds.
    Accounts,
}

impl Place {
    /// Returns what kind of place it is.
    pub fn kind(&self) -> PlaceKind {
        match self {
            Self::Key(_) | Self::Pattern(_) | Self::Field { .. } | Self::Member { .. } => PlaceKind::Keys,
            Self::Prefix(_) | Self::Path(_) => PlaceKind::Files,
            Self::Call(_) => PlaceKind::Calls,
            Self::Notice(_) => PlaceKind::Notices,
            Self::Task(_) => PlaceKind::Tasks,
            Self::Account(_) => PlaceKind::Accounts,
        }
    }

    /// Tells whether what is there can be read, before and after it is erased; else it is attested.
    pub fn is_readable(&self) -> bool {
        match self {
            Self::Call(remote) => matches!(remote.check, Check::Reread(_)),
            Self::Notice(_) | Self::Task(_) => false,
            _ => true,
        }
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
            Self::Notice(_) => Vec::new(),
            Self::Task(task) => vec![("task", &task.task)],
            Self::Account(name) => vec![("account", name)],
        }
    }

    /// Returns the kinds of identity that it has places for.
    pub fn identities(&self) -> BTreeSet<&IdentityKind> {
        if let Self::Notice(notice) = self {
            return notice.send.iter().collect();
        }
        self.templates().into_iter().flat_map(|(_, template)| template.kinds()).collect()
    }
}

/// The members of a location as they are written.
type Members = BTreeMap<String, Value>;

/// What places there are, for whoever wrote something else.
const PLACES: &str = "a place is said by key, pattern, key and field, key and member, prefix, path, account, erase with reread or attested, \
                      send with within, or task with within and assignee";

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
        let members = &mut members;
        Ok(match shape.as_str() {
            "key" => Self::Key(take(members, "key")?),
            "pattern" => Self::Pattern(take(members, "pattern")?),
            "field key" => Self::Field { key: take(members, "key")?, field: take(members, "field")? },
            "key member" => Self::Member { key: take(members, "key")?, member: take(members, "member")? },
            "prefix" => Self::Prefix(take(members, "prefix")?),
            "account" => Self::Account(take(members, "account")?),
            "path" => Self::Path(take(members, "path")?),
            "send within" => Self::Notice(Notice { send: take(members, "send")?, within: take(members, "within")? }),
            "task within" | "assignee task within" => Self::Task(Task {
                task: take(members, "task")?,
                assignee: members.contains_key("assignee").then(|| take(members, "assignee")).transpose()?,
                within: take(members, "within")?,
            }),
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
            Place::Notice(notice) => {
                Self::from([("send".to_owned(), json!(notice.send)), ("within".to_owned(), json!(notice.within))])
            }
            Place::Task(task) => {
                let assignee = task.assignee.iter().map(|assignee| ("assignee".to_owned(), json!(assignee)));
                let rest = [("task".to_owned(), json!(task.task)), ("within".to_owned(), json!(task.within))];
                assignee.chain(rest).collect()
            }
            place => place.templates().into_iter().map(|(name, template)| (name.to_owned(), json!(template))).collect(),
        };
        members.insert("name".to_owned(), Value::String(location.name));
        members
    }
}
