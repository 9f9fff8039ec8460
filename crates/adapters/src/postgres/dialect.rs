//! PostgreSQL's words. A list travels as one array of texts, cast to the type of the column, so that its index serves.

use std::collections::BTreeMap;

use model::plan::StepColumn;

use crate::sql::{Column, Dialect, decode, is_uuid, quote, whole_number};

/// How values of a type are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Text as it is.
    Text,
    /// Text with a comparison of its own: blank-padded or case-insensitive.
    OwnText,
    /// Whole numbers of any width.
    Integer,
    Uuid,
    /// Everything else: by its text form, which always works and no index serves.
    Other,
}

impl Kind {
    fn of(sql_type: &str) -> Self {
        match sql_type.rsplit('.').next().unwrap_or(sql_type) {
            "text" | "character varying" => Self::Text,
            "bpchar" | "citext" => Self::OwnText,
            "smallint" | "integer" | "bigint" => Self::Integer,
            "uuid" => Self::Uuid,
            _ => Self::Other,
        }
    }

    /// Whether a value of this type could be written so. A cast must never fail: the transaction would be lost.
    fn takes(self, text: &str) -> bool {
        match self {
            Self::Text | Self::OwnText | Self::Other => !text.contains('\0'),
            // "007" is not 7, although a cast would take it for 7.
            Self::Integer => whole_number(text).is_some(),
            Self::Uuid => is_uuid(text),
        }
    }

    /// The column as it is compared, and the type that the list is cast to.
    fn comparison(self, column: &Column) -> (String, &str) {
        match self {
            Self::Text => (column.sql.clone(), "text"),
            Self::OwnText => (column.sql.clone(), &column.sql_type),
            Self::Integer => (column.sql.clone(), "bigint"),
            Self::Uuid => (column.sql.clone(), "uuid"),
            Self::Other => (format!("({})::text", column.sql), "text"),
        }
    }
}

/// PostgreSQL's words.
pub(super) struct PostgresDialect;

impl Dialect for PostgresDialect {
    fn table(&self, name: &str) -> String {
        match name.split_once('.') {
            Some((schema, table)) => format!("{}.{}", quote(schema), quote(table)),
            None => quote(name),
        }
    }

    fn text(&self, value: &Column) -> String {
        format!("({})::text", value.sql)
    }

    fn row_id(&self, _columns: &BTreeMap<String, StepColumn>) -> Option<Column> {
        // A row's place is unique within one partition only. Names of system columns cannot be taken.
        Some(Column::written("(tableoid::oid::text || ctid::text)", "text"))
    }

    fn matches(
        &self,
        columns: &[Column],
        values: &mut dyn Iterator<Item = &str>,
        lists: &mut Vec<Vec<String>>,
    ) -> Option<String> {
        let kinds: Vec<Kind> = columns.iter().map(|column| Kind::of(&column.sql_type)).collect();
        let mut parts: Vec<Vec<String>> = vec![Vec::new(); columns.len()];
        for value in values.filter_map(|value| decode(value, columns.len())) {
            if kinds.iter().zip(&value).all(|(kind, text)| kind.takes(text)) {
                parts.iter_mut().zip(value).for_each(|(part, text)| part.push(text));
            }
        }
        if parts.first().is_none_or(Vec::is_empty) {
            return None;
        }
        let first = lists.len() + 1;
        lists.extend(parts);
        let compared: Vec<(String, String)> = columns
            .iter()
            .zip(&kinds)
            .enumerate()
            .map(|(index, (column, kind))| {
                let (shown, sql_type) = kind.comparison(column);
                (shown, format!("${}::{sql_type}[]", first + index))
            })
            .collect();
        match compared.as_slice() {
            [(column, list)] => Some(format!("{column} = ANY({list})")),
            several => {
                let (columns, lists): (Vec<&str>, Vec<&str>) =
                    several.iter().map(|(column, list)| (column.as_str(), list.as_str())).unzip();
                Some(format!("({}) IN (SELECT * FROM unnest({}))", columns.join(", "), lists.join(", ")))
            }
        }
    }

    fn blank(&self, sql_type: &str, distinct: Option<&str>) -> String {
        let plain = match (sql_type, distinct) {
            ("text" | "character varying" | "bpchar" | "citext", Some(key)) => return format!("('erased-' || {key})"),
            // A key that is no number counts as 0, and a second such row is refused by the database.
            ("smallint" | "integer" | "bigint" | "numeric", Some(key)) => {
                return format!("(CASE WHEN {key} ~ '^[0-9]+$' THEN -({key})::numeric ELSE 0 END)::{sql_type}");
            }
            ("boolean", _) => "false",
            ("date", _) => "1970-01-01",
            ("timestamp without time zone" | "timestamp with time zone", _) => "1970-01-01 00:00:00+00",
            ("time without time zone" | "time with time zone", _) => "00:00:00+00",
            ("uuid", _) => "00000000-0000-0000-0000-000000000000",
            ("json" | "jsonb", _) => "{}",
            ("smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" | "money" | "interval", _) => {
                "0"
            }
            ("inet" | "cidr", _) => "0.0.0.0",
            (array, _) if array.ends_with("[]") => "{}",
            ("text" | "character varying" | "bpchar" | "citext" | "bytea", _) => "",
            // An enumeration has no empty value; its first is the nearest. What is none either is refused by the database.
            (other, _) => return format!("(enum_range(NULL::{other}))[1]"),
        };
        format!("'{plain}'::{sql_type}")
    }

    fn lock(&self) -> &'static str {
        " FOR UPDATE"
    }

    fn defer(&self) -> &'static str {
        "SET CONSTRAINTS ALL DEFERRED"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_a_type_cannot_hold_are_left_out_before_they_are_cast() {
        let column = Column::named;
        let mut lists = Vec::new();
        let (tenant, id) = (column("tenant", "integer"), column("id", "uuid"));
        let uuid = "018f0000-0000-7000-8000-00000000000a";
        let values = [format!("[\"1\",\"{uuid}\"]"), format!("[\"01\",\"{uuid}\"]"), "[\"1\",\"x\"]".to_owned()];
        let condition = PostgresDialect.matches(&[tenant, id], &mut values.iter().map(String::as_str), &mut lists);
        assert_eq!(condition.unwrap(), "(\"tenant\", \"id\") IN (SELECT * FROM unnest($1::bigint[], $2::uuid[]))");
        assert_eq!(lists, [["1"], [uuid]]);
        assert_eq!(PostgresDialect.matches(&[column("id", "uuid")], &mut ["5"].into_iter(), &mut lists), None);
    }
}
