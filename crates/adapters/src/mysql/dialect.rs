//! The words of MySQL and MariaDB. Values are written into the statement as hexadecimal literals, which nothing in them
//! can end. Most texts there are compared without regard to case and accents: the column's own comparison finds rows by
//! its index, and their bytes decide, so that nobody is taken for somebody else.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::plan::StepColumn;

use crate::sql::{Column, Dialect, decode, is_uuid, is_whole};

/// How many values a condition names: statements have a limited size.
const MOST_VALUES: usize = 1_000;

/// How values of a type are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind<'a> {
    /// Text of this collation.
    Text(&'a str),
    /// Bytes; of this length where all have the same.
    Bytes(Option<usize>),
    /// Whole numbers of any width.
    Whole,
    Uuid,
    /// Everything else: by its text form, which always works and no index serves.
    Other,
}

impl<'a> Kind<'a> {
    fn of(sql_type: &'a str) -> Self {
        let (named, collation) = sql_type.rsplit_once(" collate ").unwrap_or((sql_type, ""));
        match word(named) {
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
                if !collation.is_empty() =>
            {
                Self::Text(collation)
            }
            "binary" => Self::Bytes(length(named)),
            "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "geometry" => Self::Bytes(None),
            "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "year" | "bit" => Self::Whole,
            "decimal" if named.contains(",0)") => Self::Whole,
            "uuid" => Self::Uuid,
            _ => Self::Other,
        }
    }

    /// Writes the condition that a column has one of these values; `None` if none of them could stand in it.
    fn matches(self, column: &Column, values: &[&str]) -> Option<String> {
        let list =
            |literal: &dyn Fn(&str) -> String| values.iter().map(|text| literal(text)).collect::<Vec<_>>().join(", ");
        let name = &column.sql;
        let bytes = format!("CAST({} AS BINARY)", MysqlDialect.text(column));
        let exact = || format!("{bytes} IN ({})", list(&|text| hex(text.as_bytes())));
        let condition = match self {
            _ if values.is_empty() => return None,
            // Where a foreign key compares so, a row written otherwise refers to the same row all the same.
            Self::Text(collation) if column.tied => format!("{name} IN ({})", list(&|text| literal(text, collation))),
            Self::Text(collation) => {
                format!("({name} IN ({}) AND {})", list(&|text| literal(text, collation)), exact())
            }
            Self::Bytes(length) => format!("{name} IN ({})", list(&|text| hex(&stored(text, length)))),
            Self::Whole => format!("{name} IN ({})", list(&str::to_owned)),
            Self::Uuid => format!("{name} IN ({})", list(&|text| format!("'{text}'"))),
            Self::Other => exact(),
        };
        Some(condition)
    }

    /// Whether a value of this type could be written so.
    fn takes(self, text: &str) -> bool {
        match self {
            // "007" is not 7, although the column would take it for 7.
            Self::Whole => is_whole(text) && text.len() <= 65,
            Self::Uuid => is_uuid(text),
            Self::Text(_) | Self::Bytes(_) | Self::Other => true,
        }
    }
}

/// The first word of a type, for example `bigint` of `bigint(20) unsigned`.
fn word(sql_type: &str) -> &str {
    let end = sql_type.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(sql_type.len());
    &sql_type[..end]
}

/// The number in the brackets of a type.
fn length(sql_type: &str) -> Option<usize> {
    sql_type.split(['(', ')']).nth(1)?.parse().ok()
}

/// Writes bytes as a literal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut literal = String::with_capacity(3 + 2 * bytes.len());
    literal.push_str("x'");
    for byte in bytes {
        // A String takes whatever is written to it.
        let _ = write!(literal, "{byte:02x}");
    }
    literal.push('\'');
    literal
}

/// Writes a text as a literal of a collation, so that it is compared as the column is and its index serves. What the
/// column's character set cannot hold becomes another text, which the comparison of bytes rules out.
fn literal(text: &str, collation: &str) -> String {
    let utf8 = format!("_utf8mb4 {}", hex(text.as_bytes()));
    match collation.split_once('_').map_or(collation, |(set, _)| set) {
        "utf8mb4" => utf8,
        set => format!("CONVERT({utf8} USING {set}) COLLATE {collation}"),
    }
}

/// The bytes that stand for a text in a column of bytes: those that it spells as `\x00ff`, as such columns are read, or
/// its own, filled up with zeros where all have the same length.
fn stored(text: &str, length: Option<usize>) -> Vec<u8> {
    let spelled =
        text.strip_prefix("\\x").filter(|digits| digits.is_ascii() && digits.len() % 2 == 0).and_then(|digits| {
            (0..digits.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
                .collect::<Option<Vec<u8>>>()
        });
    spelled.unwrap_or_else(|| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(length.unwrap_or(0).max(bytes.len()), 0);
        bytes
    })
}

/// The words of MySQL and MariaDB.
pub(super) struct MysqlDialect;

impl Dialect for MysqlDialect {
    fn table(&self, name: &str) -> String {
        match name.split_once('.') {
            Some((schema, table)) => format!("{}.{}", crate::sql::quote(schema), crate::sql::quote(table)),
            None => crate::sql::quote(name),
        }
    }

    fn text(&self, value: &Column) -> String {
        let expression = &value.sql;
        match Kind::of(&value.sql_type) {
            Kind::Bytes(_) => format!("CONCAT('\\x', LOWER(HEX({expression})))"),
            // As a number, so that no column fills it up with zeros.
            Kind::Whole => format!("CAST(({expression}) + 0 AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin"),
            Kind::Text(_) | Kind::Uuid | Kind::Other => {
                format!("CAST({expression} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin")
            }
        }
    }

    fn alike(&self, column: &Column, values: &[String]) -> Option<String> {
        match Kind::of(&column.sql_type) {
            Kind::Text(collation) if collation.ends_with("_ci") => {
                let literals: Vec<String> = values.iter().map(|value| literal(value, collation)).collect();
                Some(format!("{} IN ({})", column.sql, literals.join(", ")))
            }
            _ => None,
        }
    }

    fn row_id(&self, columns: &BTreeMap<String, StepColumn>) -> Option<Column> {
        // There is no such thing: what a row says is all that tells it from others.
        let part = |(name, column): (&String, &StepColumn)| {
            let text = self.text(&Column::named(name, &column.sql_type));
            format!("COALESCE(CONCAT(CHAR_LENGTH({text}), ':', {text}), '-')")
        };
        let parts: Vec<String> = columns.iter().map(part).collect();
        Some(Column::written(format!("SHA2(CONCAT({}), 256)", parts.join(", ")), "digest"))
    }

    fn most_values(&self) -> usize {
        MOST_VALUES
    }

    fn matches(
        &self,
        columns: &[Column],
        values: &mut dyn Iterator<Item = &str>,
        _lists: &mut Vec<Vec<String>>,
    ) -> Option<String> {
        let kinds: Vec<Kind<'_>> = columns.iter().map(|column| Kind::of(&column.sql_type)).collect();
        let fits = |value: &Vec<String>| kinds.iter().zip(value).all(|(kind, text)| kind.takes(text));
        let values: Vec<Vec<String>> = values.filter_map(|value| decode(value, columns.len())).filter(fits).collect();
        if let ([column], [kind]) = (columns, kinds.as_slice()) {
            let values: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
            return kind.matches(column, &values);
        }
        // Written out, each column by itself, because only so every version uses an index.
        let one = |value: &Vec<String>| {
            let parts = columns.iter().zip(&kinds).zip(value);
            let parts: Option<Vec<String>> =
                parts.map(|((column, kind), text)| kind.matches(column, &[text])).collect();
            parts.map(|parts| format!("({})", parts.join(" AND ")))
        };
        let written: Vec<String> = values.iter().filter_map(one).collect();
        if written.is_empty() { None } else { Some(format!("({})", written.join(" OR "))) }
    }

    fn blank(&self, sql_type: &str, distinct: Option<&str>) -> String {
        // A key that is no number counts as its checksum; should two be the same, the database refuses the second.
        let number = |key: &str| {
            format!("(CASE WHEN {key} REGEXP '^[0-9]+$' THEN CAST({key} AS UNSIGNED) ELSE CRC32({key}) DIV 4 END)")
        };
        let plain = match (word(sql_type), distinct) {
            ("enum", _) => return first_of(sql_type).to_owned(),
            ("binary", key) => {
                let text = key.map_or_else(|| "''".to_owned(), |key| distinct_text(key, length(sql_type)));
                return format!("CAST({text} AS BINARY({}))", length(sql_type).unwrap_or(1));
            }
            ("char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "varbinary", Some(key)) => {
                return distinct_text(key, length(sql_type));
            }
            ("decimal", key) => {
                let value = key.map_or_else(|| "0".to_owned(), |key| format!("-CAST({} AS SIGNED)", number(key)));
                return format!("CAST({value} AS {})", sql_type.split_inclusive(')').next().unwrap_or("decimal"));
            }
            ("tinyint" | "smallint" | "mediumint" | "int" | "bigint", Some(key)) => {
                return match highest(sql_type) {
                    // Counted down from the end, where keys seldom are.
                    Some(highest) => format!("({highest} - {})", number(key)),
                    None => format!("(-CAST({} AS SIGNED))", number(key)),
                };
            }
            ("tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "float" | "double" | "bit", _) => {
                return "0".to_owned();
            }
            ("date", _) => "1970-01-01",
            // As the column writes it, with its fractions.
            ("datetime" | "timestamp", _) => {
                return format!("CAST('1970-01-01 00:00:01' AS DATETIME({}))", length(sql_type).unwrap_or(0));
            }
            ("time", _) => return format!("CAST('00:00:00' AS TIME({}))", length(sql_type).unwrap_or(0)),
            ("year", _) => "1970",
            ("json", _) => "{}",
            ("uuid", _) => "00000000-0000-0000-0000-000000000000",
            ("inet4", _) => "0.0.0.0",
            ("inet6", _) => "::",
            _ => "",
        };
        format!("'{plain}'")
    }

    fn lock(&self) -> &'static str {
        " FOR UPDATE"
    }

    fn defer(&self) -> &'static str {
        // Nothing can wait for the commit, and no catalogue says that it could.
        "DO 0"
    }
}

/// A text that differs from row to row as the key does, and has room in a column of this length.
fn distinct_text(key: &str, length: Option<usize>) -> String {
    let erased = format!("'erased-' || {key}");
    match length {
        None => format!("({erased})"),
        Some(length) => {
            let room = length.saturating_sub("erased-".len());
            format!("(CASE WHEN CHAR_LENGTH({key}) <= {room} THEN {erased} ELSE LEFT(SHA2({key}, 256), {length}) END)")
        }
    }
}

/// The first value of an enumeration, as the literal that its type is written with: it has no empty value.
fn first_of(sql_type: &str) -> &str {
    let Some(start) = sql_type.find('\'') else { return "''" };
    let mut rest = &sql_type[start + 1..];
    let mut end = start + 1;
    while let Some(quote) = rest.find('\'') {
        end += quote + 1;
        rest = &rest[quote + 1..];
        // Two quotes stand for one within the value.
        match rest.strip_prefix('\'') {
            Some(after) => {
                end += 1;
                rest = after;
            }
            None => return &sql_type[start..end],
        }
    }
    "''"
}

/// The highest value of a type without negative ones.
fn highest(sql_type: &str) -> Option<u64> {
    let bits = match word(sql_type) {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        "bigint" => 64,
        _ => return None,
    };
    sql_type.contains("unsigned").then(|| u64::MAX >> (64 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(sql_type: &str) -> [Column; 1] {
        [Column::named("c", sql_type)]
    }

    #[test]
    fn nothing_in_a_value_ends_its_literal() {
        let written = |sql_type: &str, value: &str| {
            MysqlDialect.matches(&column(sql_type), &mut [value].into_iter(), &mut Vec::new())
        };
        let text = written("varchar(9) collate utf8mb4_general_ci", "a'\\").unwrap();
        assert!(text.contains("_utf8mb4 x'61275c'") && !text.contains("a'"), "{text}");
        let latin = written("enum('x collate y') collate latin1_german1_ci", "a").unwrap();
        assert!(latin.contains("CONVERT(_utf8mb4 x'61' USING latin1) COLLATE latin1_german1_ci"), "{latin}");
        assert_eq!(written("binary(4)", "\\x00ff").unwrap(), "\"c\" IN (x'00ff')");
        assert_eq!(written("binary(4)", "ab").unwrap(), "\"c\" IN (x'61620000')");
        for (sql_type, value) in
            [("bigint(20)", "007"), ("int unsigned", "1 OR 1"), ("uuid", "x' OR '1"), ("decimal(9,0)", "")]
        {
            assert_eq!(written(sql_type, value), None, "{sql_type}");
        }
        assert_eq!(written("bigint unsigned", "18446744073709551615").unwrap(), "\"c\" IN (18446744073709551615)");
    }

    #[test]
    fn an_enumeration_is_blanked_to_its_first_value() {
        assert_eq!(first_of("enum('it''s','b') collate utf8mb4_bin"), "'it''s'");
        assert_eq!(first_of("enum('','b')"), "''");
        assert_eq!(highest("int(10) unsigned"), Some(4_294_967_295));
        assert_eq!(highest("int(10)"), None);
    }
}
