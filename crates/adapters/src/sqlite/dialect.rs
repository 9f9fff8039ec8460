//! SQLite's words. A column's declared type gives its affinity (<https://sqlite.org/datatype3.html>), which decides how
//! a value given as text is compared; a list travels as one JSON parameter.

use std::collections::BTreeMap;

use model::plan::StepColumn;

use crate::sql::{Column, Dialect, decode, is_whole, quote, whole_number};

/// The affinity of a declared type, by the rules of <https://sqlite.org/datatype3.html#determination_of_column_affinity>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

impl Affinity {
    fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |part: &str| declared.contains(part);
        match () {
            () if has("INT") => Self::Integer,
            () if has("CHAR") || has("CLOB") || has("TEXT") => Self::Text,
            () if has("BLOB") || declared.is_empty() => Self::Blob,
            () if has("REAL") || has("FLOA") || has("DOUB") => Self::Real,
            () => Self::Numeric,
        }
    }

    /// The value as JSON that compares equal to a column of this affinity, if any row could hold it.
    fn value(self, text: &str) -> Option<serde_json::Value> {
        match self {
            // "007" is not 7, although the column would take it for 7.
            Self::Integer => match whole_number(text) {
                Some(number) => Some(number.into()),
                // Beyond 64 bits the column has rounded it, and the list's value is rounded the same way.
                None if is_whole(text) => Some(text.into()),
                None if text.trim().parse::<f64>().is_ok() => None,
                None => Some(text.into()),
            },
            Self::Text | Self::Blob | Self::Real | Self::Numeric => Some(text.into()),
        }
    }
}

/// SQLite's words.
pub(super) struct SqliteDialect;

impl Dialect for SqliteDialect {
    fn table(&self, name: &str) -> String {
        quote(name)
    }

    fn text(&self, value: &Column) -> String {
        let expression = &value.sql;
        // Up to 2^53 a whole number is exact as a floating-point value, and is written as any other whole number.
        format!(
            "CASE WHEN typeof({expression}) = 'blob' THEN '\\x' || lower(hex({expression})) \
             WHEN typeof({expression}) = 'real' AND {expression} BETWEEN -9007199254740992 AND 9007199254740992 \
             AND {expression} = CAST({expression} AS INTEGER) THEN CAST(CAST({expression} AS INTEGER) AS TEXT) \
             ELSE CAST({expression} AS TEXT) END"
        )
    }

    fn argument(&self, column: &Column) -> String {
        // Functions of texts take every storage class for its text.
        column.sql.clone()
    }

    fn row_id(&self, columns: &BTreeMap<String, StepColumn>) -> Option<Column> {
        // A table may have a column of one of these names, hardly of all three.
        let taken = |name: &str| columns.keys().any(|column| column.eq_ignore_ascii_case(name));
        let name = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken(name))?;
        Some(Column::written(name, "INTEGER"))
    }

    fn matches(
        &self,
        columns: &[Column],
        values: &mut dyn Iterator<Item = &str>,
        lists: &mut Vec<Vec<String>>,
    ) -> Option<String> {
        let affinities: Vec<Affinity> = columns.iter().map(|column| Affinity::of(&column.sql_type)).collect();
        let typed = |value: &str| {
            let parts = decode(value, columns.len())?;
            let typed: Option<Vec<_>> = affinities.iter().zip(&parts).map(|(kind, text)| kind.value(text)).collect();
            match typed?.as_mut_slice() {
                [one] => Some(one.take()),
                several => Some(several.to_vec().into()),
            }
        };
        let typed: Vec<serde_json::Value> = values.filter_map(typed).collect();
        if typed.is_empty() {
            return None;
        }
        lists.push(typed.iter().map(serde_json::Value::to_string).collect());
        let list = format!("json_each(?{})", lists.len());
        if let ([column], [affinity]) = (columns, affinities.as_slice()) {
            return Some(self.matches_one(column, *affinity, &list));
        }
        let shown = columns.iter().zip(&affinities).map(|(column, affinity)| match affinity {
            Affinity::Integer | Affinity::Text => column.sql.clone(),
            Affinity::Blob | Affinity::Real | Affinity::Numeric => self.text(column),
        });
        let shown: Vec<String> = shown.collect();
        let parts: Vec<String> = (0..columns.len()).map(|index| format!("json_extract(value, '$[{index}]')")).collect();
        let mut conditions = vec![format!("({}) IN (SELECT {} FROM {list})", shown.join(", "), parts.join(", "))];
        let texts: Vec<String> = columns.iter().map(|column| self.text(column)).collect();
        let parts: Vec<String> = parts.iter().map(|part| format!("CAST({part} AS TEXT)")).collect();
        let by_text = format!("({}) IN (SELECT {} FROM {list})", texts.join(", "), parts.join(", "));
        for (column, affinity) in columns.iter().zip(&affinities) {
            if let Affinity::Integer | Affinity::Text = affinity {
                conditions.push(format!("({} AND {by_text})", foreign(column, *affinity)));
            }
        }
        Some(format!("({})", conditions.join(" OR ")))
    }

    fn blank(&self, sql_type: &str, distinct: Option<&str>) -> String {
        match (Affinity::of(sql_type), distinct) {
            (Affinity::Text, Some(key)) => format!("('erased-' || {key})"),
            (Affinity::Text, None) => "''".to_owned(),
            (Affinity::Blob, Some(key)) => format!("CAST('erased-' || {key} AS BLOB)"),
            (Affinity::Blob, None) => "x''".to_owned(),
            // A key that is no number counts as 0, and a second such row is refused by the database.
            (Affinity::Integer | Affinity::Numeric, Some(key)) => format!("(-CAST({key} AS INTEGER))"),
            (Affinity::Integer | Affinity::Numeric, None) => "0".to_owned(),
            (Affinity::Real, _) => "0.0".to_owned(),
        }
    }

    fn lock(&self) -> &'static str {
        // BEGIN IMMEDIATE has locked the whole file.
        ""
    }

    fn defer(&self) -> &'static str {
        "PRAGMA defer_foreign_keys = ON"
    }
}

impl SqliteDialect {
    /// A column's own comparison uses its index and collation; where it would take different texts for the same number,
    /// the text decides. A column may also hold values of storage classes that are not its own: these are compared by
    /// their text, and blobs also by the text that their bytes are. Both sides of each `OR` can use an index.
    fn matches_one(&self, column: &Column, affinity: Affinity, list: &str) -> String {
        let name = &column.sql;
        let plain = format!("{name} IN (SELECT value FROM {list})");
        let texts = format!("(SELECT CAST(value AS TEXT) FROM {list})");
        let exact = format!("{} IN {texts}", self.text(column));
        let any_class = format!("({exact} OR (typeof({name}) = 'blob' AND CAST({name} AS TEXT) IN {texts}))");
        let foreign = foreign(column, affinity);
        match affinity {
            Affinity::Integer | Affinity::Text => format!("({plain} OR ({foreign} AND {any_class}))"),
            Affinity::Blob => any_class,
            // What is too large to be exact has no text of its own: its number decides.
            Affinity::Real | Affinity::Numeric => format!(
                "(({plain} AND ({exact} OR (typeof({name}) = 'real' AND {name} NOT BETWEEN -9007199254740992 AND 9007199254740992))) OR ({foreign} AND {any_class}))"
            ),
        }
    }
}

/// Writes the condition that a column holds a value of a storage class that is not its own, as a range of its index:
/// numbers come before texts, texts before blobs (<https://sqlite.org/datatype3.html#comparison_expressions>).
fn foreign(column: &Column, affinity: Affinity) -> String {
    match affinity {
        Affinity::Text => format!("{} >= x''", column.sql),
        Affinity::Integer | Affinity::Real | Affinity::Numeric | Affinity::Blob => format!("{} >= ''", column.sql),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_matched_only_as_it_is_written() {
        let column = [Column::named("id", "BIGINT")];
        let mut lists = Vec::new();
        let values = ["7", "007", "7.0", " 7", "x"];
        SqliteDialect.matches(&column, &mut values.into_iter(), &mut lists).unwrap();
        assert_eq!(lists, [["7", "\"x\""]]);
        assert_eq!(SqliteDialect.matches(&column, &mut ["1e1"].into_iter(), &mut lists), None);
    }
}
