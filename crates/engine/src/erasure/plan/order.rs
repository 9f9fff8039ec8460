//! The order of tables: children before what they refer to, and how a circle is broken.

use std::collections::{BTreeMap, BTreeSet};

use model::catalog::ForeignKey;
use model::problem::Reason;
use model::{Problem, codes};

use super::Mapped;

/// The tables in order, and what has to be done first where they refer to each other in circles.
#[derive(Default)]
pub(super) struct Order {
    pub(super) tables: Vec<String>,
    pub(super) nulled_first: BTreeMap<String, BTreeSet<String>>,
    pub(super) deferred: bool,
}

/// A reference of one table to another; one of the map alone does not bind the database.
struct Edge<'a> {
    child: &'a str,
    parent: &'a str,
    bond: Bond,
}

/// What it takes to take the tables of an edge in the wrong order; the cheapest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    Declared,
    Nullable(Vec<String>),
    Deferrable,
    Firm,
}

/// Orders the tables by real foreign keys and, as far as these allow, by declared references.
///
/// # Errors
/// `MO-2012` with the names of the circle.
pub(super) fn order(mapped: &[Mapped<'_>]) -> Result<Order, Reason> {
    let mut order = Order::default();
    let mut edges = edges(mapped, &mut order);
    let mut waiting: Vec<&str> = mapped.iter().map(|table| table.live.name.as_str()).collect();
    while !waiting.is_empty() {
        let free = waiting.iter().position(|name| !edges.iter().any(|edge| edge.parent == *name));
        if let Some(free) = free {
            let name = waiting.remove(free);
            edges.retain(|edge| edge.child != name);
            order.tables.push(name.to_owned());
        } else {
            break_circle(&mut edges, &waiting, &mut order)?;
        }
    }
    Ok(order)
}

fn edges<'a>(mapped: &'a [Mapped<'_>], order: &mut Order) -> Vec<Edge<'a>> {
    let mut edges = Vec::new();
    for table in mapped {
        let child = table.live.name.as_str();
        for key in &table.live.foreign_keys {
            let bond = bond(table, key);
            if key.table == child {
                // Rows of one table that refer to each other: nulled first, so that no order among them matters.
                if let Bond::Nullable(columns) = bond {
                    order.nulled_first.entry(child.to_owned()).or_default().extend(columns);
                }
            } else if mapped.iter().any(|other| other.live.name == key.table) {
                edges.push(Edge { child, parent: &key.table, bond });
            }
        }
        let declared = table.declared().filter(|reference| reference.table != child);
        edges.extend(declared.map(|reference| Edge { child, parent: &reference.table, bond: Bond::Declared }));
    }
    edges
}

fn bond(table: &Mapped<'_>, key: &ForeignKey) -> Bond {
    let nullable = |name: &&String| table.live.column(name).is_some_and(|column| column.nullable && !column.generated);
    let columns: Vec<String> = key.columns.iter().filter(nullable).cloned().collect();
    // Without a primary key a row that was changed cannot be found again.
    if !columns.is_empty() && !table.live.primary_key.is_empty() {
        Bond::Nullable(columns)
    } else if key.deferrable {
        Bond::Deferrable
    } else {
        Bond::Firm
    }
}

/// Finds one circle among the waiting tables and takes its weakest edge away.
fn break_circle<'a>(edges: &mut Vec<Edge<'a>>, waiting: &[&'a str], order: &mut Order) -> Result<(), Reason> {
    let circle = circle(edges, waiting);
    // Two tables may be bound by several foreign keys: a pair is as strong as the strongest of them.
    let strength = |(child, parent): &(&str, &str)| {
        edges.iter().filter(|edge| edge.child == *child && edge.parent == *parent).map(|edge| edge.bond.clone()).max()
    };
    let weakest = circle.iter().min_by_key(|pair| strength(pair)).copied();
    let names = || circle.iter().map(|(child, _)| *child).collect::<Vec<_>>().join(" → ");
    let unbreakable = || Problem::new(&codes::erasure::MAP_CYCLE, names()).reason();
    let (child, parent) = weakest.ok_or_else(unbreakable)?;
    for edge in edges.iter().filter(|edge| edge.child == child && edge.parent == parent) {
        match &edge.bond {
            Bond::Declared => {}
            Bond::Nullable(columns) => {
                order.nulled_first.entry(child.to_owned()).or_default().extend(columns.iter().cloned());
            }
            Bond::Deferrable => order.deferred = true,
            Bond::Firm => return Err(unbreakable()),
        }
    }
    edges.retain(|edge| edge.child != child || edge.parent != parent);
    Ok(())
}

/// Walks from parent to child until a table comes twice; every waiting table has a waiting child.
fn circle<'a>(edges: &[Edge<'a>], waiting: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let mut path: Vec<(&str, &str)> = Vec::new();
    let Some(mut parent) = waiting.first().copied() else { return path };
    while let Some(edge) = edges.iter().find(|edge| edge.parent == parent) {
        path.push((edge.child, parent));
        parent = edge.child;
        if let Some(start) = path.iter().position(|(_, seen)| *seen == parent) {
            return path.split_off(start);
        }
    }
    path
}
