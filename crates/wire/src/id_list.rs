//! Lists of ids whose data is to be deleted, as platforms hand them out and as spreadsheets save them.
//!
//! No platform documents the form, so we take what people have: one id a line, CSV with or without a header, a JSON array, or
//! JSON lines; with a byte order mark, quotes and trailing separators. Each line is judged alone and nothing is guessed: what
//! a spreadsheet has rounded (`1.02E+16`) is no id any more. Memory is bounded by the longest line that is taken.

use model::{Identity, IdentityKind};

/// The longest line, or element of a JSON array, in bytes.
pub const MAX_LINE: usize = 4096;

/// Columns (and members of JSON objects) that are known to hold an id.
const COLUMNS: [&str; 12] = [
    "id",
    "user_id",
    "userid",
    "uid",
    "asid",
    "psid",
    "igsid",
    "app_scoped_id",
    "app-scoped id",
    "user id",
    "player_id",
    "email",
];

/// What a line holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// An id.
    Id(Identity),
    /// Nothing, or the names of columns.
    Blank,
    /// Something that is no id.
    Malformed(Fault),
}

/// Why a line holds no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A spreadsheet has turned the id into a number and rounded it.
    Rounded,
    /// It cannot be an id of this kind.
    NotAnId,
    /// It has several columns, and no header says which holds the id.
    WhichColumn,
    /// The column that holds the ids is empty here, or missing.
    NoValue,
    /// It is longer than an id can be.
    TooLong,
    /// It is not UTF-8 text.
    NotText,
    /// It is broken JSON, or JSON that holds no id.
    NotJson,
}

impl Fault {
    /// Says it in words; what the line holds is not repeated.
    pub fn words(self) -> &'static str {
        match self {
            Self::Rounded => "a spreadsheet has rounded the id to a number; export the column as text",
            Self::NotAnId => "this cannot be an id of this kind",
            Self::WhichColumn => "there are several columns and no header that says which one holds the id",
            Self::NoValue => "the column of the ids is empty here",
            Self::TooLong => "the line is longer than an id can be",
            Self::NotText => "this is not UTF-8 text; save the list as UTF-8",
            Self::NotJson => "this is JSON that holds no id",
        }
    }
}

/// Takes the lines as they are found.
pub type Sink<'a> = dyn FnMut(Line) + 'a;

/// What the list is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Nothing but white space was seen yet.
    Unknown,
    Lines,
    JsonArray,
}

/// Reads a list chunk by chunk.
pub struct Reader {
    kind: IdentityKind,
    form: Form,
    /// The column that a header named, and what separates columns there.
    column: Option<(usize, Option<char>)>,
    /// Whether a line with something in it was seen: a header comes first.
    begun: bool,
    line: Vec<u8>,
    too_long: bool,
    depth: u32,
    quoted: bool,
    escaped: bool,
    /// Whether the array has ended: what follows is not looked at.
    ended: bool,
}

impl Reader {
    /// Creates a reader of ids of one kind.
    pub fn new(kind: IdentityKind) -> Self {
        Self {
            kind,
            form: Form::Unknown,
            column: None,
            begun: false,
            line: Vec::new(),
            too_long: false,
            depth: 0,
            quoted: false,
            escaped: false,
            ended: false,
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, chunk: &[u8], sink: &mut Sink<'_>) {
        for &byte in chunk {
            match self.form {
                Form::Unknown if byte == b'[' && self.only_space() => {
                    self.form = Form::JsonArray;
                    self.line.clear();
                }
                Form::Unknown | Form::Lines => self.of_line(byte, sink),
                Form::JsonArray => self.of_array(byte, sink),
            }
        }
    }

    /// Takes what stands behind the last newline.
    pub fn end(mut self, sink: &mut Sink<'_>) {
        match self.form {
            Form::Unknown | Form::Lines if !self.line.is_empty() || self.too_long => self.line_ends(sink),
            // The array was cut off: what is left of its last element may be half an id.
            Form::JsonArray if !self.ended && (self.too_long || !self.only_space()) => {
                sink(Line::Malformed(Fault::NotJson));
            }
            _ => {}
        }
    }

    /// Tells whether nothing but white space and a byte order mark stands before this byte.
    fn only_space(&self) -> bool {
        let line = self.line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.line);
        line.iter().all(u8::is_ascii_whitespace)
    }

    fn take(&mut self, byte: u8) {
        if self.line.len() < MAX_LINE {
            self.line.push(byte);
        } else {
            self.too_long = true;
        }
    }

    fn of_line(&mut self, byte: u8, sink: &mut Sink<'_>) {
        if byte == b'\n' {
            self.line_ends(sink);
        } else {
            self.take(byte);
            if !byte.is_ascii_whitespace() && !BYTE_ORDER_MARK.starts_with(&self.line) {
                self.form = Form::Lines;
            }
        }
    }

    fn line_ends(&mut self, sink: &mut Sink<'_>) {
        let line = std::mem::take(&mut self.line);
        let too_long = std::mem::take(&mut self.too_long);
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line);
        sink(match std::str::from_utf8(line) {
            _ if too_long => Line::Malformed(Fault::TooLong),
            Err(_) => Line::Malformed(Fault::NotText),
            Ok(line) => self.line(line.trim()),
        });
    }

    fn of_array(&mut self, byte: u8, sink: &mut Sink<'_>) {
        if self.ended {
            return;
        }
        if self.quoted {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.quoted = false,
                _ => {}
            }
            self.take(byte);
            return;
        }
        match byte {
            b'"' => self.quoted = true,
            b'[' | b'{' => self.depth = self.depth.saturating_add(1),
            b']' | b'}' if self.depth > 0 => self.depth -= 1,
            b',' | b']' | b'}' if self.depth == 0 => {
                self.ended = byte != b',';
                let element = std::mem::take(&mut self.line);
                let nothing = element.iter().all(u8::is_ascii_whitespace);
                match (std::mem::take(&mut self.too_long), std::str::from_utf8(&element)) {
                    (true, _) => sink(Line::Malformed(Fault::TooLong)),
                    (false, Err(_)) => sink(Line::Malformed(Fault::NotText)),
                    (false, Ok(_)) if nothing && self.ended => {}
                    (false, Ok(text)) => sink(self.json(text.trim())),
                }
                return;
            }
            _ => {}
        }
        self.take(byte);
    }

    /// Judges one line.
    fn line(&mut self, line: &str) -> Line {
        if line.is_empty() {
            return Line::Blank;
        }
        let first = !std::mem::replace(&mut self.begun, true);
        if line.starts_with('{') {
            return self.json(line);
        }
        let separator = self.column.and_then(|(_, separator)| separator).or_else(|| separator(line));
        let cells = cells(line, separator);
        if cells.iter().all(String::is_empty) {
            return Line::Blank;
        }
        let named = |cell: &String| COLUMNS.contains(&cell.to_lowercase().as_str());
        if first && cells.iter().any(named) {
            self.column = cells.iter().position(named).map(|column| (column, separator));
            return Line::Blank;
        }
        match self.column {
            Some((column, _)) => match cells.get(column).filter(|cell| !cell.is_empty()) {
                Some(cell) => self.value(cell),
                None => Line::Malformed(Fault::NoValue),
            },
            None => match cells.iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().as_slice() {
                [one] => self.value(one),
                _ => Line::Malformed(Fault::WhichColumn),
            },
        }
    }

    /// Judges one JSON value: an id, or an object with a member that is known to hold one.
    fn json(&self, text: &str) -> Line {
        let value = match serde_json::from_str(text) {
            Ok(serde_json::Value::Object(members)) => {
                let named =
                    |(name, value): (String, _)| COLUMNS.contains(&name.to_lowercase().as_str()).then_some(value);
                members.into_iter().find_map(named)
            }
            Ok(value) => Some(value),
            Err(_) => None,
        };
        match value {
            Some(serde_json::Value::String(id)) if id.trim().is_empty() => Line::Malformed(Fault::NoValue),
            Some(serde_json::Value::String(id)) => self.value(id.trim()),
            Some(serde_json::Value::Number(number)) if number.is_u64() => self.value(&number.to_string()),
            Some(serde_json::Value::Number(_)) => Line::Malformed(Fault::Rounded),
            _ => Line::Malformed(Fault::NotJson),
        }
    }

    /// Judges what should be an id.
    fn value(&self, text: &str) -> Line {
        if !self.is_numeric() {
            let looks_right = self.kind.spelling() != model::identity::Spelling::Email || text.contains('@');
            let identity = Identity::new(self.kind.clone(), text).ok().filter(|_| looks_right);
            return identity.map_or(Line::Malformed(Fault::NotAnId), Line::Id);
        }
        if text.len() <= MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Identity::new(self.kind.clone(), text).map_or(Line::Malformed(Fault::NotAnId), Line::Id);
        }
        // What a spreadsheet makes of an id: 1.02E+16, 10158.0.
        let number = text.starts_with(|c: char| c.is_ascii_digit()) && text.replace(',', ".").parse::<f64>().is_ok();
        Line::Malformed(if number { Fault::Rounded } else { Fault::NotAnId })
    }

    /// Tells whether ids of this kind are digits alone, as the platform makes them.
    fn is_numeric(&self) -> bool {
        let kind = self.kind.as_str();
        matches!(kind.split('@').next().unwrap_or(kind), "asid" | "psid" | "igsid" | "player")
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// The longest id of digits.
const MAX_DIGITS: usize = 32;

/// Finds what separates the columns of a line: the first tab, semicolon or comma outside of quotes.
pub(crate) fn separator(line: &str) -> Option<char> {
    let mut quoted = false;
    line.chars().find(|c| {
        quoted ^= *c == '"';
        !quoted && matches!(c, '\t' | ';' | ',')
    })
}

/// Splits a line at separators outside of quotes, and unwraps its cells.
pub(crate) fn cells(line: &str, separator: Option<char>) -> Vec<String> {
    let Some(separator) = separator else { return vec![unwrapped(line)] };
    let mut quoted = false;
    let outside = |c: char| {
        quoted ^= c == '"';
        c == separator && !quoted
    };
    line.split(outside).map(unwrapped).collect()
}

/// Takes away quotes, and what spreadsheets put around text: `="123"`, `'123`.
fn unwrapped(cell: &str) -> String {
    let cell = cell.trim();
    let cell = cell.strip_prefix('=').filter(|rest| rest.starts_with('"')).unwrap_or(cell);
    let quoted = |quote| cell.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match quoted('"').or_else(|| quoted('\'')) {
        Some(inner) => inner.replace("\"\"", "\"").trim().to_owned(),
        None => cell.strip_prefix('\'').unwrap_or(cell).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, text: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for chunk in [1, 7, text.len().max(1)] {
            let mut found = Vec::new();
            let mut reader = Reader::new(kind.parse().unwrap());
            let mut sink = |line| {
                found.push(match line {
                    Line::Id(identity) => identity.value,
                    Line::Blank => "-".to_owned(),
                    Line::Malformed(fault) => format!("{fault:?}"),
                });
            };
            text.chunks(chunk).for_each(|chunk| reader.push(chunk, &mut sink));
            reader.end(&mut sink);
            assert!(lines.is_empty() || lines == found, "chunks make no difference");
            lines = found;
        }
        lines
    }

    #[test]
    fn every_form_that_people_have_is_read() {
        let table: &[(&str, &str)] = &[
            ("1001\n1002\r\n\n1003", "1001 1002 - 1003"),
            ("\u{feff}user_id\n\"1001\"\n'1002'\n=\"1003\"\n'1004,\n", "- 1001 1002 1003 1004"),
            ("name;User_ID;when\nZoe, A.;1001;x\n\"a;b\";1002;\n;;y\n", "- 1001 1002 NoValue"),
            ("1001,,,\n1002\t\n", "1001 1002"),
            ("1001,2026-01-02\n", "WhichColumn"),
            ("1.02E+16\n1,02E+16\n10158.0\n-5\n0x1F\nzoe\n", "Rounded WhichColumn Rounded NotAnId NotAnId NotAnId"),
            (
                "[\"1001\", 1002,\n {\"user_id\": \"1003\", \"more\": [1,{}]}, 1e16, {\"x\": 1}, null]\n]",
                "1001 1002 1003 Rounded NotJson NotJson",
            ),
            (" [ ] ", ""),
            ("[1001, 10", "1001 NotJson"),
            ("{\"asid\": 1001}\n{\"asid\": \"1002\"}\n{", "1001 1002 NotJson"),
            ("", ""),
            ("\n \n", "- -"),
        ];
        for (text, expected) in table {
            assert_eq!(read("asid", text.as_bytes()).join(" "), *expected, "{text}");
        }
        assert_eq!(read("email", b"Email\nzoe@example.org\nzoe\n").join(" "), "- zoe@example.org NotAnId");
        assert_eq!(read("user", b"a b\n").join("|"), "a b");
    }

    #[test]
    fn a_line_of_any_length_costs_no_more_memory_than_an_id_can_need() {
        let long = [b"1".repeat(MAX_LINE * 3), b"\n1001\n\xff\xfe\n".to_vec()].concat();
        assert_eq!(read("asid", &long), ["TooLong", "1001", "NotText"]);
        let long = [b"[\"".to_vec(), b"1".repeat(MAX_LINE * 3), b"\", 1001]".to_vec()].concat();
        assert_eq!(read("asid", &long), ["TooLong", "1001"]);
    }
}
