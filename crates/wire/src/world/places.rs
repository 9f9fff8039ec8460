//! What the locations of a declaration must mean: a place that its adapter knows, for one person and nobody else.

use std::collections::BTreeSet;

use model::IdentityKind;
use model::location::{Location, Notice, Place, PlaceKind, Task};
use model::template::{Part, Template};
use model::world::{System, World};

use super::check::{Complaints, is_period, says_something};

/// What may be asked for without being declared by a column (the kinds that doors bring).
const KNOWN_KINDS: &[&str] = &["asid", "igsid", "player", "email", "phone", "user", "account"];

/// The adapters whose systems have locations, and the kind of place that each knows.
const ADAPTERS: &[(&str, PlaceKind)] = &[
    ("redis", PlaceKind::Keys),
    ("dir", PlaceKind::Files),
    ("s3", PlaceKind::Files),
    ("webdav", PlaceKind::Files),
    ("http", PlaceKind::Calls),
    ("webhook", PlaceKind::Notices),
    ("manual", PlaceKind::Tasks),
    ("moveout", PlaceKind::Accounts),
];

/// Checks the locations of a system; `world` says which kinds of identity there are.
pub(super) fn check(system: &System, world: &World, complaints: &mut Complaints) {
    let taken = ADAPTERS.iter().find(|(adapter, _)| *adapter == system.adapter).map(|(_, kind)| *kind);
    let place = complaints.place.clone();
    complaints.unless(taken.is_some() || system.locations.is_empty(), || {
        format!("the adapter {} has tables, not locations", system.adapter)
    });
    let Some(taken) = taken else { return };
    complaints.unless(system.tables.is_empty(), || format!("the adapter {} has locations, not tables", system.adapter));
    complaints.unless(!system.locations.is_empty(), || "it has no location, so nothing could be searched".to_owned());
    let mut seen = BTreeSet::new();
    for location in &system.locations {
        complaints.at(format!("{place}, location {}", location.name));
        complaints.unless(says_something(&location.name), || "a location has no name".to_owned());
        complaints.unless(seen.insert(location.name.as_str()), || "it is declared twice".to_owned());
        complaints.unless(location.place.kind() == taken, || {
            format!("the adapter {} does not know this kind of place", system.adapter)
        });
        check_place(location, world, complaints);
    }
}

fn check_place(location: &Location, world: &World, complaints: &mut Complaints) {
    let kinds = location.place.identities();
    complaints.unless(!kinds.is_empty(), || {
        "it has no placeholder like {user}, so it would be the same place for everybody".to_owned()
    });
    for kind in kinds {
        complaints.unless(is_declared(kind, world), || {
            format!("{{{kind}}} is no kind of identity that a column is mapped to, nor one that requests bring")
        });
    }
    for (member, template) in location.place.templates() {
        let text = template.to_string();
        complaints.unless(says_something(&text) && text.trim() == text, || {
            format!("{member} is empty, or has control characters or spaces around it")
        });
    }
    match &location.place {
        Place::Key(template) | Place::Path(template) => rooted(template, complaints),
        Place::Prefix(template) => {
            rooted(template, complaints);
            let ends = matches!(template.parts().last(), Some(Part::Text(text)) if text.ends_with('/'));
            complaints.unless(ends, || {
                "a prefix ends with '/': without it, that of person 1 would also be that of person 12".to_owned()
            });
        }
        Place::Pattern(template) => {
            rooted(template, complaints);
            neighbours(template, complaints);
        }
        // An account of that name is one person's.
        Place::Account(_) => {}
        // Below a key of its own even a bare placeholder is one entry.
        Place::Field { .. } | Place::Member { .. } => {}
        Place::Call(remote) => super::calls::check(remote, complaints),
        Place::Notice(Notice { within, .. }) | Place::Task(Task { within, .. }) => {
            complaints.unless(is_period(within), || "within is no period like \"14d\"".to_owned());
        }
    }
    if let Place::Prefix(template) | Place::Path(template) = &location.place {
        let path = template.fill(|_| Some("x")).unwrap_or_default();
        let climbs = path.starts_with('/') || path.split('/').any(|step| matches!(step, "." | ".."));
        complaints.unless(!climbs && !path.contains('\\'), || {
            "a path is relative to the system's address, without '.', '..' and '\\'".to_owned()
        });
    }
}

/// A value alone would name anything at all.
fn rooted(template: &Template, complaints: &mut Complaints) {
    let says = |part: &Part| matches!(part, Part::Text(text) if text.chars().any(|c| !matches!(c, '*' | '?' | '/')));
    complaints.unless(template.parts().iter().any(says), || {
        "a placeholder alone could name anything; put something fixed beside it, like session:{user}".to_owned()
    });
}

/// What stands beside a placeholder of a pattern must end the value: `cart:{user}*` would also be `cart:12` for person 1.
fn neighbours(template: &Template, complaints: &mut Complaints) {
    let bounds = |c: char| !c.is_alphanumeric() && !matches!(c, '*' | '?' | '[' | ']' | '\\' | '^');
    let parts = template.parts();
    for (index, part) in parts.iter().enumerate() {
        let Part::Identity(kind) = part else { continue };
        let text = |index: usize| match parts.get(index) {
            Some(Part::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let before = index.checked_sub(1).map(|index| text(index).and_then(|text| text.chars().next_back()));
        let after = parts.get(index + 1).map(|_| text(index + 1).and_then(|text| text.chars().next()));
        let ends = |side: Option<Option<char>>| side.is_none_or(|neighbour| neighbour.is_some_and(bounds));
        complaints.unless(ends(before) && ends(after), || {
            format!("beside {{{kind}}} stands no separator like ':', so other people's keys could match too")
        });
    }
}

fn is_declared(kind: &IdentityKind, world: &World) -> bool {
    let name = kind.as_str();
    KNOWN_KINDS.contains(&name)
        || name.starts_with("psid@")
        || world
            .systems
            .iter()
            .flat_map(|system| &system.tables)
            .any(|table| table.identity.values().any(|one| one == kind))
}
