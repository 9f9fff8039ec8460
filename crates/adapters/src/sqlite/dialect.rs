//! SQLite's words. A column's declared type gives its affinity (<https://sqlite.org/datatype3.html>), which decides how
//! a value given as text is compared; a list travels as one JSON parameter.

use crate::sql::{Column, Dialect, decode, quote, whole_number};

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

    fn text(&self, expression: &str) -> String {
        format!(
            "CASE typeof({expression}) WHEN 'blob' THEN '\\x' || lower(hex({expression})) ELSE CAST({expression} AS TEXT) END"
        )
    }

    fn row_id(&self, taken: &dyn Fn(&str) -> bool) -> Option<Column> {
        // A table may have a column of one of these names, hardly of all three.
        let name = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken(name))?;
        Some(Column { sql: name.to_owned(), sql_type: "INTEGER".to_owned() })
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
            Affinity::Blob | Affinity::Real | Affinity::Numeric => self.text(&column.sql),
        });
        let shown: Vec<String> = shown.collect();
        let parts: Vec<String> = (0..columns.len()).map(|index| format!("json_extract(value, '$[{index}]')")).collect();
        Some(format!("({}) IN (SELECT {} FROM {list})", shown.join(", "), parts.join(", ")))
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
    /// the text decides.
    fn matches_one(&self, column: &Column, affinity: Affinity, list: &str) -> String {
        let name = &column.sql;
        let plain = format!("{name} IN (SELECT value FROM {list})");
        let exact = format!("{} IN (SELECT value FROM {list})", self.text(name));
        match affinity {
            Affinity::Integer | Affinity::Text => plain,
            Affinity::Blob => exact,
            Affinity::Real | Affinity::Numeric => format!("({plain} AND {exact})"),
        }
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
