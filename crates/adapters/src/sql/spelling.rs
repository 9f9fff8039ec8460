//! Identity columns are compared as written, and where people write one identity in several ways also by what these have in
//! common. Whoever is found either way is found: two persons found so are ambiguous, and nothing is erased.

use std::collections::BTreeSet;

use model::identity::{PHONE_SEPARATORS, Spelling};
use model::{Identity, IdentityKind};

use super::{Column, Dialect};

/// Writes the condition that a column holds one of the identities of a kind, adding values to `lists`; `None` if no such
/// column could.
pub(super) fn matches(
    dialect: &dyn Dialect,
    column: &Column,
    kind: &IdentityKind,
    identities: &[Identity],
    lists: &mut Vec<Vec<String>>,
) -> Option<String> {
    let values: Vec<&str> =
        identities.iter().filter(|known| known.kind == *kind).map(|known| known.value.as_str()).collect();
    let columns = std::slice::from_ref(column);
    let exact = dialect.matches(columns, &mut values.iter().copied(), lists);
    let spelling = kind.spelling();
    let folded: BTreeSet<String> = values.iter().flat_map(|value| folded(spelling, value)).collect();
    let Some(sql) = fold(dialect, spelling, &column.sql).filter(|_| !folded.is_empty()) else { return exact };
    let columns = [Column { sql, sql_type: "text".to_owned() }];
    let alike = dialect.matches(&columns, &mut folded.iter().map(String::as_str), lists);
    match (exact, alike) {
        (Some(exact), Some(alike)) => Some(format!("({exact} OR {alike})")),
        (exact, alike) => exact.or(alike),
    }
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
fn fold(dialect: &dyn Dialect, spelling: Spelling, column: &str) -> Option<String> {
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
