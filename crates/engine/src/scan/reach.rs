//! From the people to their rows: whose row each row is, and what hangs on what.

use std::collections::{BTreeMap, BTreeSet};

use model::catalog::CatalogTable;

use super::evidence::{Evidence, class};
use super::identities::{self, IdentityColumn};
use super::links::{Link, Role};
use super::names::{self, Name};
use super::persons::Person;
use super::types::TypeClass;

/// How a table comes into the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Its rows are people.
    Person,
    /// Its rows name people by an identity and by nothing else.
    Named,
    /// Its rows are people's.
    Owned,
    /// Its rows have to do with people, and whose they are is open.
    Open,
}

/// How a table is reached.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    pub(super) part: Part,
    /// How far from the people.
    pub(super) distance: usize,
    pub(super) identity: Vec<IdentityColumn>,
    /// Indexes of links.
    pub(super) owner: Vec<usize>,
    pub(super) container: Vec<usize>,
    /// A column of the same identity in the people's table, where rows are the person's that carry it.
    pub(super) by_identity: Option<(String, String)>,
}

impl Reached {
    fn new(part: Part, distance: usize) -> Self {
        Self { part, distance, identity: vec![], owner: vec![], container: vec![], by_identity: None }
    }
}

/// Reaches every table that can be reached.
pub(super) fn reach(evidence: &Evidence, links: &[Link], persons: &[Person]) -> BTreeMap<String, Reached> {
    let mut reach = Reach { evidence, links, reached: BTreeMap::new() };
    for person in persons {
        let reached = Reached { identity: person.identity.clone(), ..Reached::new(Part::Person, 0) };
        reach.reached.insert(person.table.clone(), reached);
    }
    reach.directly();
    reach.along_owned();
    reach.by_identity(persons);
    reach.along_owned();
    reach.what_is_open();
    reach.containers();
    reach.reached
}

struct Reach<'a> {
    evidence: &'a Evidence,
    links: &'a [Link],
    reached: BTreeMap<String, Reached>,
}

impl<'a> Reach<'a> {
    fn unreached(&self) -> Vec<&'a CatalogTable> {
        self.evidence.catalog.tables.iter().filter(|table| !self.reached.contains_key(&table.name)).collect()
    }

    /// The links of a table to reached ones of these parts.
    fn to(&self, table: &str, parts: &[Part]) -> Vec<usize> {
        let fits = |link: &Link| {
            link.table == table
                && !link.is_to_itself()
                && self.reached.get(&link.target_table).is_some_and(|there| parts.contains(&there.part))
        };
        (0..self.links.len()).filter(|index| fits(&self.links[*index])).collect()
    }

    fn directly(&mut self) {
        for table in self.unreached() {
            let direct = self.to(&table.name, &[Part::Person]);
            let owner = self.owners(table, &direct);
            if !owner.is_empty() && !self.is_a_group(&table.name) {
                let identity = self.identities_beside_owner(table, &owner);
                self.reached.insert(table.name.clone(), Reached { owner, identity, ..Reached::new(Part::Owned, 1) });
            }
        }
    }

    /// Tells whether people refer to it as where they belong: a tenant or family is hardly one person's, whoever owns it.
    fn is_a_group(&self, table: &str) -> bool {
        let people = |link: &&Link| self.reached.get(&link.table).is_some_and(|there| there.part == Part::Person);
        self.links.iter().filter(people).any(|link| link.target_table == table && link.is_plain())
    }

    /// Which of the references to people say whose row it is.
    fn owners(&self, table: &CatalogTable, direct: &[usize]) -> Vec<usize> {
        let of_role = |fits: &dyn Fn(Role) -> bool| -> Vec<usize> {
            direct.iter().copied().filter(|index| fits(self.links[*index].role)).collect()
        };
        let owners = of_role(&|role| matches!(role, Role::Owner(_)));
        let unsaid = of_role(&|role| role == Role::Unsaid);
        // A bare connection of two people is nobody's alone: it goes with either.
        if direct.len() > 1 && self.is_bare_connection(table) && self.is_between_equals(direct) {
            return direct.to_vec();
        }
        match (owners.as_slice(), unsaid.as_slice()) {
            ([_, ..], _) => {
                let surest = owners.iter().min_by_key(|index| (self.links[**index].role, self.links[**index].nullable));
                surest.into_iter().copied().collect()
            }
            ([], [one]) => vec![*one],
            _ => vec![],
        }
    }

    /// Tells whether nobody among them merely acted on the row.
    fn is_between_equals(&self, direct: &[usize]) -> bool {
        direct.iter().all(|index| {
            let name = Name::of(self.links[*index].column());
            !name.has("by admin moderator reviewer assignee assigned")
        })
    }

    /// Tells whether a table has nothing to say but what it connects, when, and in which state.
    fn is_bare_connection(&self, table: &CatalogTable) -> bool {
        table.columns.iter().all(|column| {
            let linked = self.links.iter().any(|link| link.table == table.name && link.columns.contains(&column.name));
            let plain = Name::of(&column.name).has("id status state type kind role position level");
            let class = TypeClass::of(&column.sql_type);
            linked
                || plain
                || table.primary_key.contains(&column.name)
                || matches!(class, TypeClass::Time | TypeClass::Other)
        })
    }

    /// Identities in a row that one person owns are that person's where the table is one of logins or profiles;
    /// elsewhere (an order's e-mail address) they may be somebody else's.
    fn identities_beside_owner(&self, table: &CatalogTable, owner: &[usize]) -> Vec<IdentityColumn> {
        let [owner] = owner else { return vec![] };
        let column = self.links[*owner].column().to_owned();
        let one_each = table.primary_key == [column.clone()] || table.unique.contains(&column);
        let login = Name::of_table(&table.name).speaks_of(names::LOGINS) || one_each;
        let mut identity = identities::of(self.evidence, table);
        identity.retain(|found| identities::is_given_out(&found.kind) || login && found.unsound.is_none());
        identity
    }

    /// Follows references to owned rows, the nearest first.
    fn along_owned(&mut self) {
        let mut distance = 1;
        loop {
            let mut found: Vec<(String, usize)> = Vec::new();
            for table in self.unreached() {
                let chains = self.to(&table.name, &[Part::Owned, Part::Named]);
                let firm = chains.into_iter().filter(|index| self.is_firm(table, &self.links[*index]));
                if let Some(best) = firm.min_by_key(|index| self.strength(table, &self.links[*index])) {
                    found.push((table.name.clone(), best));
                }
            }
            if found.is_empty() {
                return;
            }
            distance += 1;
            for (table, owner) in found {
                self.reached.insert(table, Reached { owner: vec![owner], ..Reached::new(Part::Owned, distance) });
            }
        }
    }

    /// Tells whether a row could hardly be without what it refers to: then it belongs to it.
    fn is_firm(&self, table: &CatalogTable, link: &Link) -> bool {
        let in_key = table.primary_key.contains(&link.columns[link.named]);
        // Loose schemas let everything be null, and the application never leaves it so.
        let house = Name::of_table(&table.name).speaks_of(names::OF_THE_HOUSE);
        let in_practice = link.is_plain() && link.is_always_there() && !house;
        link.cascades || !link.nullable || in_key || named_after(table, link) || in_practice
    }

    /// How surely a link says what a row belongs to; less is surer.
    fn strength(&self, table: &CatalogTable, link: &Link) -> (bool, bool, bool, bool, usize) {
        let distance = self.reached.get(&link.target_table).map_or(0, |there| there.distance);
        (
            !named_after(table, link),
            !link.cascades,
            !table.primary_key.contains(&link.columns[link.named]),
            link.nullable,
            distance,
        )
    }

    /// Tables that name people by an identity alone: newsletters, waiting lists, contact forms.
    fn by_identity(&mut self, persons: &[Person]) {
        for table in self.unreached() {
            let referred = self.links.iter().any(|link| link.target_table == table.name && !link.is_to_itself());
            // An invitation names whom it is for, whoever wrote it.
            let to_people = self.to(&table.name, &[Part::Person]);
            let to_people = to_people.iter().any(|index| self.links[*index].role != Role::Other);
            if referred || to_people || Name::of_table(&table.name).speaks_of(names::OF_THE_HOUSE) {
                continue;
            }
            let identity = identities::of(self.evidence, table);
            let Some(first) =
                identity.iter().find(|found| matches!(found.kind.as_str(), "email" | "asid" | "psid" | "igsid"))
            else {
                continue;
            };
            let unique = table.unique.contains(&first.column) || table.primary_key == [first.column.clone()];
            let same = persons.iter().find_map(|person| {
                let there = person.identity.iter().find(|there| there.kind == first.kind && there.unsound.is_none())?;
                Some((first.column.clone(), format!("{}.{}", person.table, there.column)))
            });
            // Several rows of one person can be told apart from several people only by what they lead to.
            let encrypted = first.unsound.as_ref().is_some_and(|why| why.contains("look like"));
            if encrypted || !unique && same.is_none() {
                continue;
            }
            let sound = IdentityColumn { unsound: None, note: None, ..first.clone() };
            let by_identity = same.filter(|_| !unique);
            self.reached.insert(
                table.name.clone(),
                Reached { identity: vec![sound], by_identity, ..Reached::new(Part::Named, 1) },
            );
        }
    }

    /// What is left and refers to people, or loosely to their rows: somebody must say whose it is.
    fn what_is_open(&mut self) {
        loop {
            let mut found: Vec<(String, Reached)> = Vec::new();
            for table in self.unreached() {
                if !self.to(&table.name, &[Part::Person, Part::Owned, Part::Named]).is_empty() {
                    found.push((table.name.clone(), Reached::new(Part::Open, 90)));
                    continue;
                }
                let chains = self.to(&table.name, &[Part::Open]);
                let firm = chains.into_iter().filter(|index| self.is_firm(table, &self.links[*index]));
                if let Some(best) = firm.min_by_key(|index| self.strength(table, &self.links[*index])) {
                    found.push((table.name.clone(), Reached { owner: vec![best], ..Reached::new(Part::Open, 91) }));
                }
            }
            if found.is_empty() {
                return;
            }
            self.reached.extend(found);
        }
    }

    /// Everything else that reached tables refer to in each other.
    fn containers(&mut self) {
        for (index, link) in self.links.iter().enumerate() {
            if !self.reached.contains_key(&link.target_table) {
                continue;
            }
            let Some(reached) = self.reached.get_mut(&link.table) else { continue };
            // A column can be named once in a map.
            let used: BTreeSet<&str> =
                reached.owner.iter().chain(&reached.container).map(|index| self.links[*index].column()).collect();
            let by_identity = reached.by_identity.as_ref().is_some_and(|(column, _)| column == link.column());
            if !used.contains(link.column()) && !by_identity {
                reached.container.push(index);
            }
        }
    }
}

/// Tells whether a table is called after what it refers to: `order_items` after `orders`.
fn named_after(table: &CatalogTable, link: &Link) -> bool {
    let (child, parent) = (Name::of_table(&table.name), Name::of_table(&link.target_table));
    let noun = parent.last();
    let words = child.words.iter().take(child.words.len().saturating_sub(1));
    words.into_iter().any(|word| names::same_noun(word, noun))
        || child.joined != parent.joined && child.joined.starts_with(noun.trim_end_matches('s')) && !noun.is_empty()
}

/// Tells whether columns of a table may be null.
pub(super) fn nullable(table: &CatalogTable, columns: &[String]) -> bool {
    columns.iter().any(|name| table.column(name).is_some_and(|column| column.nullable))
}

/// Tells whether a column holds a time, by its type or (where types are loose) its name.
pub(super) fn is_time(table: &CatalogTable, column: &str) -> bool {
    let name = Name::of(column);
    let named =
        matches!(name.last(), "at" | "on" | "date" | "time" | "datum" | "fecha") || name.joined.ends_with("date");
    match class(table, column) {
        TypeClass::Time => true,
        TypeClass::Text => named,
        _ => false,
    }
}
