//! What refers to what: real foreign keys, and columns whose name says so and whose values agree.

use adapters::Inspector;
use adapters::inspect::{Containment, Place};
use model::catalog::{CatalogColumn, CatalogTable, ForeignKey};

use super::evidence::{Evidence, class};
use super::names::{self, Name, same_noun};

/// How many links are looked up in the database.
const LOOKED_UP: usize = 400;

/// One reference of a table to another.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    pub(super) target_table: String,
    pub(super) target: Vec<String>,
    /// Which of the columns a map names for it; the foreign key adds the others.
    pub(super) named: usize,
    pub(super) basis: Basis,
    /// Whether a row can do without it.
    pub(super) nullable: bool,
    pub(super) cascades: bool,
    /// How many sampled rows had no value, and how many were sampled.
    pub(super) blank: (u64, u64),
    /// What the name says about the one referred to.
    pub(super) role: Role,
}

/// How a link is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    ForeignKey,
    /// By its name, whose form is a reference's.
    Name,
    /// By a word that may mean somebody; only values can tell.
    Word,
    /// By its name and values.
    Values {
        taken: u64,
        found: u64,
    },
}

/// What a name says about whoever is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// The row is theirs; the lower, the more surely.
    Owner(usize),
    Unsaid,
    /// They had to do with it; whose row it is, is open.
    Other,
}

impl Link {
    pub(super) fn column(&self) -> &str {
        &self.columns[self.named]
    }

    pub(super) fn target_column(&self) -> &str {
        &self.target[self.named]
    }

    pub(super) fn is_to_itself(&self) -> bool {
        self.table == self.target_table
    }

    /// Tells whether no row was seen without it, although one might be.
    pub(super) fn is_always_there(&self) -> bool {
        self.blank.0 == 0 && self.blank.1 > 0
    }

    /// Tells whether it is called after the table it refers to and nothing else: `order_id`, not `logo_photo_id`.
    pub(super) fn is_plain(&self) -> bool {
        let stem = stem(&Name::of(self.column()));
        let there = Name::of_table(&self.target_table);
        stem.is_some_and(|stem| {
            stem.ends && (same_noun(&stem.name.joined, there.last()) || same_noun(&stem.name.joined, &there.joined))
        })
    }

    /// Says how it is known.
    pub(super) fn basis_words(&self) -> String {
        match self.basis {
            Basis::ForeignKey if self.columns.len() > 1 => format!("foreign key of {}", self.columns.join(" and ")),
            Basis::ForeignKey => "foreign key".to_owned(),
            Basis::Name | Basis::Word => "by its name alone: there are no values to compare".to_owned(),
            Basis::Values { taken, found } if taken == found => {
                format!("no foreign key: by its name, and all {taken} sampled values are there")
            }
            Basis::Values { taken, found } => {
                format!("no foreign key: by its name; {found} of {taken} sampled values are there")
            }
        }
    }
}

/// Returns the real foreign keys.
pub(super) fn foreign_keys(evidence: &Evidence) -> Vec<Link> {
    let tables = &evidence.catalog.tables;
    let keys = tables.iter().flat_map(|table| table.foreign_keys.iter().map(move |key| (table, key)));
    keys.filter_map(|(table, key)| foreign_key(evidence, table, key)).collect()
}

fn foreign_key(evidence: &Evidence, table: &CatalogTable, key: &ForeignKey) -> Option<Link> {
    let there = evidence.catalog.table(&key.table)?;
    let known = key.target.len() == key.columns.len() && key.target.iter().all(|column| there.column(column).is_some());
    // Of several columns the map names the one that fewest keys share: that is not the tenant.
    let shared = |column: &String| table.foreign_keys.iter().filter(|other| other.columns.contains(column)).count();
    let named = (0..key.columns.len())
        .filter(|index| !key.target.get(*index).is_some_and(|target| target.contains('.')))
        .min_by_key(|index| (shared(&key.columns[*index]), std::cmp::Reverse(*index)))?;
    known.then(|| Link {
        table: table.name.clone(),
        columns: key.columns.clone(),
        target_table: key.table.clone(),
        target: key.target.clone(),
        named,
        basis: Basis::ForeignKey,
        nullable: key.columns.iter().any(|column| table.column(column).is_some_and(|column| column.nullable)),
        cascades: key.cascades,
        blank: (0, 0),
        role: stem(&Name::of(&key.columns[named])).map_or(Role::Unsaid, |stem| role(&stem.name, stem.by)),
    })
}

/// A column's name without the ending that makes it a reference.
struct Stem {
    name: Name,
    /// Whether it has such an ending.
    ends: bool,
    /// Whether it says who did something: `approved_by`.
    by: bool,
}

fn stem(name: &Name) -> Option<Stem> {
    let ends = |word: &str| {
        matches!(word, "id" | "uuid" | "guid" | "fk" | "ref" | "key" | "no" | "nr" | "pk" | "oid" | "by" | "to" | "ids")
    };
    let of = |words: &[String]| Name { words: words.to_vec(), joined: words.concat() };
    match name.words.as_slice() {
        [] => None,
        [stem @ .., by, last] if ends(last) && by == "by" && !stem.is_empty() => {
            Some(Stem { name: of(stem), ends: true, by: true })
        }
        [stem @ .., last] if ends(last) && !stem.is_empty() => {
            Some(Stem { name: of(stem), ends: true, by: last == "by" })
        }
        [word] => {
            let run_on = word
                .strip_suffix("id")
                .filter(|stem| names::stands_in(stem, names::OWNERS) || names::stands_in(stem, names::PERSONS));
            Some(match run_on {
                Some(stem) => Stem { name: of(&[stem.to_owned()]), ends: true, by: false },
                None => Stem { name: name.clone(), ends: false, by: false },
            })
        }
        _ => Some(Stem { name: name.clone(), ends: false, by: false }),
    }
}

fn role(stem: &Name, by: bool) -> Role {
    // `user` says less than `customer` where both are there.
    const LEAST: &str = "user account profile employee actor";
    let place = names::OWNERS.split_whitespace().position(|owner| stem.words.iter().any(|word| same_noun(word, owner)));
    match place {
        _ if by || stem.speaks_of(names::OTHERS) => Role::Other,
        Some(place) if stem.has(LEAST) => Role::Owner(1_000 + place),
        Some(place) => Role::Owner(place),
        None => Role::Unsaid,
    }
}

/// Guesses references that no foreign key declares. `main` is the table of people, once it is known.
pub(super) fn guess(evidence: &Evidence, main: Option<&str>) -> Vec<Link> {
    let main = main.and_then(|name| evidence.catalog.table(name));
    let tables = evidence.catalog.tables.iter();
    let columns = tables.flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    columns.filter_map(|(table, column)| guess_one(evidence, table, column, main)).collect()
}

fn guess_one(
    evidence: &Evidence,
    table: &CatalogTable,
    column: &CatalogColumn,
    main: Option<&CatalogTable>,
) -> Option<Link> {
    if table.foreign_keys.iter().any(|key| key.columns.contains(&column.name)) || is_polymorphic(table, &column.name) {
        return None;
    }
    let stem = stem(&Name::of(&column.name))?;
    let person = role(&stem.name, stem.by);
    let to_itself = matches!(stem.name.last(), "parent" | "reply" | "ancestor");
    let noun = || {
        noun_targets(evidence, &stem.name)
            .into_iter()
            .find_map(|there| Some((there, key_of(there, table, column, &stem)?)))
    };
    let by_role = || {
        let there = main.filter(|_| person != Role::Unsaid && (stem.ends || !too_common(stem.name.last())))?;
        Some((there, key_of(there, table, column, &stem)?))
    };
    let itself = || to_itself.then(|| Some((table, key_of(table, table, column, &stem)?))).flatten();
    let (there, target) = match stem.ends {
        true => noun().or_else(itself).or_else(by_role)?,
        false => itself().or_else(by_role)?,
    };
    if there.name == table.name && table.primary_key == [column.name.clone()] {
        return None;
    }
    Some(Link {
        table: table.name.clone(),
        columns: vec![column.name.clone()],
        target_table: there.name.clone(),
        target: vec![target],
        named: 0,
        basis: if stem.ends { Basis::Name } else { Basis::Word },
        nullable: column.nullable,
        cascades: false,
        blank: (0, 0),
        role: person,
    })
}

/// Words that mean somebody only where the name goes on: `approved_by`, not `approved`.
fn too_common(word: &str) -> bool {
    word.ends_with("ed")
        || matches!(word, "to" | "from" | "last" | "target" | "agent" | "partner" | "account" | "profile" | "parent")
}

/// Tables whose name is the stem, the closest first.
fn noun_targets<'a>(evidence: &'a Evidence, stem: &Name) -> Vec<&'a CatalogTable> {
    let mut found: Vec<(usize, usize, &CatalogTable)> = Vec::new();
    for table in &evidence.catalog.tables {
        let name = Name::of_table(&table.name);
        let distance = match () {
            () if same_noun(&name.joined, &stem.joined) => 0,
            () if same_noun(name.last(), &stem.joined) => 1,
            () if same_noun(&name.joined, stem.last()) => 2,
            () if same_noun(name.last(), stem.last()) => 3,
            () => continue,
        };
        found.push((distance, name.words.len(), table));
    }
    found.sort_by_key(|(distance, words, _)| (*distance, *words));
    found.into_iter().map(|(_, _, table)| table).collect()
}

/// The column of a table that a reference of this name would refer to.
fn key_of(there: &CatalogTable, table: &CatalogTable, column: &CatalogColumn, stem: &Stem) -> Option<String> {
    let last = Name::of(&column.name).last().to_owned();
    let named = |candidate: &&CatalogColumn| {
        let name = Name::of(&candidate.name);
        stem.ends && there.name != table.name && (name == Name::of(&column.name) || name.joined == last)
    };
    let unique = there
        .columns
        .iter()
        .filter(named)
        .find(|candidate| there.unique.contains(&candidate.name) || there.primary_key == [candidate.name.clone()]);
    let key = match (unique, there.primary_key.as_slice()) {
        (Some(column), _) => &column.name,
        (None, [key]) => key,
        (None, _) => return None,
    };
    let fits = class(table, &column.name).may_refer_to(class(there, key));
    (fits && !key.contains('.')).then(|| key.clone())
}

/// Tells whether a column refers to rows of several tables, as the column beside it says.
pub(super) fn is_polymorphic(table: &CatalogTable, column: &str) -> bool {
    let name = Name::of(column);
    let Some((last, stem)) = name.words.split_last() else { return false };
    let beside = |other: &CatalogColumn| {
        let other = Name::of(&other.name);
        matches!(other.last(), "type" | "model" | "class")
            && other.words.len() == name.words.len()
            && other.words.starts_with(stem)
    };
    let django =
        name.joined == "objectid" && table.columns.iter().any(|other| Name::of(&other.name).joined == "contenttypeid");
    !stem.is_empty() && matches!(last.as_str(), "id" | "uuid") && table.columns.iter().any(beside) || django
}

/// Holds links against the values: guesses that do not agree are left out, and of all it is seen how often they are blank.
pub(super) async fn confirm(inspector: &dyn Inspector, evidence: &Evidence, links: Vec<Link>) -> Vec<Link> {
    let mut confirmed = Vec::new();
    let mut looked_up = 0;
    for mut link in links {
        let known = link.basis == Basis::ForeignKey;
        let place = |table: &str, column: &str| {
            let live = evidence.catalog.table(table).and_then(|table| table.column(column));
            let sql_type = live.map(|column| column.sql_type.clone()).unwrap_or_default();
            Place { table: table.to_owned(), column: column.to_owned(), sql_type }
        };
        let mut contained = Containment::default();
        if looked_up < LOOKED_UP && (!known || link.nullable) {
            looked_up += 1;
            let (from, to) = (place(&link.table, link.column()), place(&link.target_table, link.target_column()));
            contained = inspector.contained(&from, &to).await.unwrap_or_default();
        }
        link.blank = (contained.blank, contained.rows);
        let agrees = match (link.basis, contained.taken, contained.found) {
            (Basis::ForeignKey, _, _) | (Basis::Name, 0, _) => true,
            // Without a foreign key some of what was referred to may be gone by now.
            (Basis::Name, taken, found) => found * 2 >= taken,
            (_, taken, found) => taken > 0 && found == taken,
        };
        if agrees {
            if contained.taken > 0 && !known {
                link.basis = Basis::Values { taken: contained.taken, found: contained.found };
            }
            confirmed.push(link);
        }
    }
    confirmed
}
