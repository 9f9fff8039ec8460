//! Identity columns are compared as written, and where people write one identity in several ways also by what these have in
//! common. Whoever is found either way is found: two persons found so are ambiguous, and nothing is erased.

use std::collections::BTreeSet;

use model::identity::{PHONE_SEPARATORS, Spelling};
use model::{Identity, IdentityKind};

use super::statement::Condition;
use super::{Column, Dialect};

/// Returns the conditions of which one holds where a column has one of the identities of a kind.
pub(super) fn conditions(
    dialect: &dyn Dialect,
    column: &Column,
    kind: &IdentityKind,
    identities: &[Identity],
) -> Vec<Condition> {
    let values: Vec<String> =
        identities.iter().filter(|known| known.kind == *kind).map(|known| known.value.clone()).collect();
    let spelling = kind.spelling();
    let folded: BTreeSet<String> = values.iter().flat_map(|value| folded(spelling, value)).collect();
    let exact = Condition { columns: vec![column.clone()], values, and: None };
    let Some(sql) = fold(dialect, spelling, column).filter(|_| !folded.is_empty()) else { return vec![exact] };
    let and = if spelling == Spelling::Email { dialect.alike(column, &exact.values) } else { None };
    let alike = Condition { columns: vec![Column::written(sql, "text")], values: folded.into_iter().collect(), and };
    vec![exact, alike]
}

/// What a value may be after [`fold`].
fn folded(spelling: Spelling, value: &str) -> Vec<String> {
    match spelling {
        Spelling::Exact => Vec::new(),
        // Databases differ in which letters beyond ASCII their `lower` knows.
        Spelling::Email => vec![spelling.fold(value), value.to_ascii_lowercase()],
        Spelling::Phone => {
            let number = spelling.fold(value);
            let dialled = number.strip_prefix('+').map(|number| format!("00{number}"));
            dialled.into_iter().chain([number]).collect()
        }
    }
}

/// Writes a column as its values are compared.
fn fold(dialect: &dyn Dialect, spelling: Spelling, column: &Column) -> Option<String> {
    match spelling {
        Spelling::Exact => None,
        Spelling::Email => Some(format!("lower({})", dialect.argument(column))),
        Spelling::Phone => Some(
            PHONE_SEPARATORS
                .iter()
                .fold(dialect.argument(column), |text, separator| format!("replace({text}, '{separator}', '')")),
        ),
    }
}
