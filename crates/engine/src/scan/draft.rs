//! The draft: a map with reasons, and what it leaves to a person.

use std::collections::{BTreeMap, BTreeSet};

use adapters::Inspector;
use adapters::inspect::Rows;
use model::catalog::{CatalogColumn, CatalogTable};
use model::world::{ColumnRef, Container, Keep, OnErase, Table};
use serde::Serialize;

use super::evidence::Evidence;
use super::links::{Link, is_polymorphic};
use super::names::{self, Name};
use super::persons::Person;
use super::reach::{Part, Reached, nullable};
use super::{keep, personal};

/// The draft of a map.
#[derive(Debug, Default, Serialize)]
pub struct Draft {
    /// The tables of the map, people first.
    pub tables: Vec<Drafted>,
    /// What a person must decide; an erasure that meets it is blocked.
    pub undecided: Vec<Open>,
    /// What looks personal and cannot be reached.
    pub unreachable: Vec<Open>,
    /// Indexes that every erasure would miss.
    pub indexes: Vec<MissingIndex>,
    /// What else a reviewer should know.
    pub notes: Vec<String>,
    /// Tables that hold nobody, as far as was seen.
    pub nobody: Vec<String>,
}

impl Draft {
    /// Tells whether nothing personal is out of reach or undecided.
    pub fn is_whole(&self) -> bool {
        !self.tables.is_empty() && self.undecided.is_empty() && self.unreachable.is_empty()
    }
}

/// One table of a draft.
#[derive(Debug, Serialize)]
pub struct Drafted {
    /// The table as a map has it.
    pub map: Table,
    /// How it comes into the map.
    pub part: Part,
    /// How many rows it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    /// Why it is mapped so, and what to look at.
    pub notes: Vec<String>,
    /// Which columns could be owners instead of containers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub could_own: BTreeMap<String, ColumnRef>,
    /// What could be said of others' rows that hang on the person's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_erase: Vec<OnErase>,
    /// What a law may oblige to keep of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
}

/// Something that is left to a person.
#[derive(Debug, Serialize)]
pub struct Open {
    /// Where.
    pub table: String,
    /// In which columns.
    pub columns: Vec<String>,
    /// What it is.
    pub what: String,
    /// What to do about it.
    pub next: String,
}

impl Open {
    pub(super) fn new(table: &str, columns: Vec<String>, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { table: table.to_owned(), columns, what: what.into(), next: next.into() }
    }
}

/// An index that is not there.
#[derive(Debug, Serialize)]
pub struct MissingIndex {
    /// The table.
    pub table: String,
    /// The columns.
    pub columns: Vec<String>,
    /// How many rows an erasure reads without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    /// The statement that creates it.
    pub statement: String,
}

/// Puts a draft together.
pub(super) fn draft(
    inspector: &dyn Inspector,
    evidence: &Evidence,
    links: &[Link],
    persons: &[Person],
    reached: &BTreeMap<String, Reached>,
) -> Draft {
    let mut draft = Draft::default();
    let place = |name: &str| persons.iter().position(|person| person.table == name).unwrap_or(usize::MAX);
    let mut order: Vec<(&String, &Reached)> = reached.iter().collect();
    order.sort_by_key(|(name, reached)| (reached.part, place(name), reached.distance));
    for (name, found) in order {
        let Some(live) = evidence.catalog.table(name) else { continue };
        let drafting = Drafting { evidence, links, reached, live, found };
        draft.tables.push(drafting.table(persons));
        draft.undecided.extend(drafting.undecided());
        draft.unreachable.extend(drafting.guests());
        draft.indexes.extend(drafting.missing_indexes(inspector));
    }
    draft.indexes.sort_by_key(|index| std::cmp::Reverse(index.rows.map_or(0, Rows::number)));
    let known: BTreeSet<&str> = reached.keys().map(String::as_str).collect();
    let identities =
        reached.values().flat_map(|reached| &reached.identity).map(|found| found.column.as_str()).collect();
    let outside = personal::outside(evidence, &known, &identities);
    draft.unreachable.extend(outside.unreachable);
    draft.nobody = outside.nobody;
    draft.notes = notes(evidence, reached, persons);
    draft.notes.extend(outside.notes);
    let serialised = |name: &&String| Name::of_table(name).speaks_of(names::SERIALISED);
    let serialised: Vec<&str> = draft.nobody.iter().filter(serialised).map(String::as_str).collect();
    if !serialised.is_empty() {
        draft.notes.push(format!(
            "tables of this kind often hold people in a serialised form, which sampling may not see: {}",
            serialised.join(", ")
        ));
    }
    draft
}

struct Drafting<'a> {
    evidence: &'a Evidence,
    links: &'a [Link],
    reached: &'a BTreeMap<String, Reached>,
    live: &'a CatalogTable,
    found: &'a Reached,
}

impl Drafting<'_> {
    fn table(&self, persons: &[Person]) -> Drafted {
        let refer = |index: &usize| {
            let link = &self.links[*index];
            let target = ColumnRef { table: link.target_table.clone(), column: link.target_column().to_owned() };
            (link.column().to_owned(), target)
        };
        let mut owner: BTreeMap<String, ColumnRef> = self.found.owner.iter().map(refer).collect();
        if let Some((column, target)) = &self.found.by_identity {
            owner.extend(ColumnRef::try_from(target.clone()).ok().map(|target| (column.clone(), target)));
        }
        let containers: BTreeMap<String, ColumnRef> = self.found.container.iter().map(refer).collect();
        let is_person = |target: &ColumnRef| persons.iter().any(|person| person.table == target.table);
        let open = self.found.part == Part::Open;
        let could_own = containers.iter().filter(|(_, target)| open && is_person(target));
        let could_own = could_own.map(|(column, target)| (column.clone(), target.clone())).collect();
        let sound = self.found.identity.iter().filter(|found| found.unsound.is_none());
        let map = Table {
            name: self.live.name.clone(),
            identity: sound.map(|found| (found.column.clone(), found.kind.clone())).collect(),
            owner,
            container: (!containers.is_empty()).then_some(Container { columns: containers, on_erase: None }),
            keep: None,
            ignore: None,
        };
        Drafted {
            part: self.found.part,
            rows: self.evidence.rows(&self.live.name),
            notes: self.notes(persons),
            on_erase: self.choices(),
            could_own,
            keep: (self.found.part == Part::Owned)
                .then(|| keep::propose(self.evidence, self.live, self.links))
                .flatten(),
            map,
        }
    }

    fn notes(&self, persons: &[Person]) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(person) = persons.iter().find(|person| person.table == self.live.name) {
            notes.push(format!("{} tables refer to it", person.referred));
        }
        for index in &self.found.owner {
            let link = &self.links[*index];
            notes.push(format!("{}: {}", link.column(), link.basis_words()));
        }
        if self.found.owner.len() > 1 {
            notes.push("a bare connection of people: it goes with either of them".to_owned());
        }
        if self.found.by_identity.is_some() {
            notes.push(
                "several rows may name one person; rows of people without a row of their own are found by the identity"
                    .to_owned(),
            );
        }
        for found in &self.found.identity {
            notes.extend(found.note.clone());
            if let Some(why) = &found.unsound {
                notes.push(format!("{} ({}) is left out of identity: {why}", found.column, found.kind));
            }
        }
        if let Some(partitions) = self.evidence.around.partitions.get(&self.live.name) {
            notes.push(format!("{partitions} partitions, erased through their table"));
        }
        if self.live.primary_key.is_empty() {
            notes.push("no primary key: nothing of it can be kept or left as a tombstone".to_owned());
        }
        let generated: Vec<&str> =
            self.live.columns.iter().filter(|column| column.generated).map(|column| column.name.as_str()).collect();
        if !generated.is_empty() {
            notes.push(format!(
                "computed by the database, so gone with what they are computed from: {}",
                generated.join(", ")
            ));
        }
        for trigger in self.evidence.around.triggers.iter().filter(|trigger| trigger.table == self.live.name) {
            let on: Vec<&str> = trigger.on.iter().map(String::as_str).collect();
            if trigger.on.iter().any(|event| event != "insert") {
                notes.push(format!(
                    "trigger {} on {}: does it write what is erased somewhere else?",
                    trigger.name,
                    on.join(" and ")
                ));
            }
        }
        notes
    }

    /// Rows without an owner that name somebody all the same: what people without an account left.
    fn guests(&self) -> Option<Open> {
        let [owner] = self.found.owner.as_slice() else { return None };
        let link = &self.links[*owner];
        let (blank, rows) = link.blank;
        let filled = |column: &&CatalogColumn| {
            let named = names::personal(&Name::of(&column.name)) == Some("e-mail address");
            let known = self.found.identity.iter().any(|found| found.column == column.name);
            named
                && !known
                && self.evidence.sample(&self.live.name, &column.name).is_some_and(|sample| sample.filled > 0)
        };
        let email = self.live.columns.iter().find(filled).filter(|_| blank > 0)?;
        let what = format!(
            "{blank} of {rows} sampled rows have no {}, but there is {}: left by people without an account, perhaps",
            link.column(),
            email.name
        );
        let next = format!(
            "if a row with somebody's address is theirs, add it to owner ({} = \"{}.<its e-mail column>\"); people who have no account are found only by an identity",
            email.name, link.target_table
        );
        let columns = vec![link.column().to_owned(), email.name.clone()];
        Some(Open::new(&self.live.name, columns, what, next))
    }

    /// What could be said of others' rows.
    fn choices(&self) -> Vec<OnErase> {
        if self.found.container.is_empty() {
            return vec![];
        }
        let links = || self.found.container.iter().map(|index| &self.links[*index]);
        let detachable = links().all(|link| nullable(self.live, &link.columns));
        let keyed = |link: &Link| {
            self.evidence.catalog.table(&link.target_table).is_some_and(|there| !there.primary_key.is_empty())
        };
        let mut choices = vec![OnErase::Delete];
        choices.extend(detachable.then_some(OnErase::Detach));
        choices.extend(links().all(keyed).then_some(OnErase::Tombstone));
        choices
    }

    fn undecided(&self) -> Option<Open> {
        // Rows that hang on what is open itself come into question only when that is decided.
        let matters = |index: &&usize| {
            self.reached.get(&self.links[**index].target_table).is_some_and(|there| there.part != Part::Open)
        };
        let open: Vec<&Link> = self.found.container.iter().filter(matters).map(|index| &self.links[*index]).collect();
        if open.is_empty() {
            return None;
        }
        let hanging: Vec<String> =
            open.iter().map(|link| format!("{} → {}", link.column(), link.target_table)).collect();
        let what = format!("rows of others may hang on the person's by {}", hanging.join(", "));
        let columns = open.iter().map(|link| link.column().to_owned()).collect();
        let next = match self.found.part {
            Part::Open => "say whose a row is (owner), or what happens to it when the person goes (on_erase)",
            _ => "say what happens to them: on_erase; until then an erasure that meets some is blocked (MO-2004)",
        };
        Some(Open::new(&self.live.name, columns, what, next))
    }

    fn missing_indexes(&self, inspector: &dyn Inspector) -> Vec<MissingIndex> {
        let identity =
            self.found.identity.iter().filter(|found| found.unsound.is_none()).map(|found| vec![found.column.clone()]);
        let links =
            self.found.owner.iter().chain(&self.found.container).map(|index| self.links[*index].columns.clone());
        let by_identity = self.found.by_identity.iter().map(|(column, _)| vec![column.clone()]);
        let served = |columns: &Vec<String>| {
            let first =
                |column: &String| self.live.indexed.contains(column) || self.live.primary_key.first() == Some(column);
            columns.iter().any(first)
        };
        let wanted: BTreeSet<Vec<String>> = identity.chain(links).chain(by_identity).collect();
        let missing = wanted.into_iter().filter(|columns| !served(columns));
        missing
            .map(|columns| MissingIndex {
                table: self.live.name.clone(),
                rows: self.evidence.rows(&self.live.name),
                statement: inspector.create_index(&self.live.name, &columns),
                columns,
            })
            .collect()
    }
}

fn notes(evidence: &Evidence, reached: &BTreeMap<String, Reached>, persons: &[Person]) -> Vec<String> {
    let mut notes = Vec::new();
    if persons.is_empty() {
        notes.push(
            "no table of people was found: none has a column that names one person (an e-mail address, a platform's id). Say it by hand: identity = { column = \"kind\" }".to_owned(),
        );
    }
    if !evidence.around.views.is_empty() {
        notes.push(format!("views only show what tables hold, and need nothing: {}", evidence.around.views.join(", ")));
    }
    for table in evidence.catalog.tables.iter().filter(|table| reached.contains_key(&table.name)) {
        for column in table.columns.iter().filter(|column| is_polymorphic(table, &column.name)) {
            notes.push(format!(
                "{}.{} refers to rows of several tables; what hangs on the person's rows by it is not found",
                table.name, column.name
            ));
        }
    }
    for (table, why) in &evidence.unseen {
        notes.push(format!("{table} could not be sampled ({why}); what is said of it rests on names"));
    }
    notes
}
