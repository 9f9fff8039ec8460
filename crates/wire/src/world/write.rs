//! Writing parts of a declaration as an operator would.

use std::collections::BTreeMap;

use model::identity::IdentityKind;
use model::world::{ColumnRef, Container, Keep, Round, Table};

/// Writes a table of a map, as one `[[system.table]]`.
pub fn table(table: &Table) -> String {
    let mut lines = vec!["[[system.table]]".to_owned(), format!("name = {}", quoted(&table.name))];
    if !table.identity.is_empty() {
        let kinds = table.identity.iter().map(|(column, kind): (_, &IdentityKind)| (column.as_str(), kind.to_string()));
        lines.push(format!("identity = {}", inline(kinds)));
    }
    if !table.owner.is_empty() {
        lines.push(owner(&table.owner));
    }
    lines.extend(table.container.as_ref().map(container));
    lines.extend(table.keep.as_ref().map(keep));
    lines.extend(table.ignore.as_ref().map(|why| format!("ignore = {}", quoted(why))));
    lines.join("\n") + "\n"
}

/// Writes the line that says whose a row is.
pub fn owner(owner: &BTreeMap<String, ColumnRef>) -> String {
    format!("owner = {}", inline(owner.iter().map(|(column, target)| (column.as_str(), target.to_string()))))
}

/// Writes the line that says what a row hangs on.
pub fn container(container: &Container) -> String {
    let entries: BTreeMap<String, String> = container.clone().into();
    // What happens stands behind what it happens to.
    let (columns, rest): (Vec<_>, Vec<_>) = entries.iter().partition(|(name, _)| *name != "on_erase");
    format!(
        "container = {}",
        inline(columns.into_iter().chain(rest).map(|(name, value)| (name.as_str(), value.clone())))
    )
}

/// Writes the line that says what is kept.
pub fn keep(keep: &Keep) -> String {
    let columns: Vec<String> = keep.columns.iter().map(|column| quoted(column)).collect();
    let mut entries = vec![
        format!("columns = [{}]", columns.join(", ")),
        format!("ground = {}", quoted(&keep.ground)),
        format!("law = {}", quoted(&keep.law)),
    ];
    entries.extend(keep.period.as_ref().map(|period| format!("for = {}", quoted(period))));
    entries.extend(keep.from.as_ref().map(|from| format!("from = {}", quoted(from))));
    entries.extend(keep.round.map(|Round::YearEnd| "round = \"year_end\"".to_owned()));
    format!("keep = {{ {} }}", entries.join(", "))
}

fn inline<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let entries: Vec<String> = entries.map(|(name, value)| format!("{} = {}", key(name), quoted(&value))).collect();
    format!("{{ {} }}", entries.join(", "))
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare { name.to_owned() } else { quoted(name) }
}

/// Writes a text between double quotes (TOML 1.0, basic strings).
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
