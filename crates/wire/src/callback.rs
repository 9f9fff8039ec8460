//! The answer to a deletion callback: `{"url": …, "confirmation_code": …}`.
//!
//! We write strict JSON. Reading others' answers we are lenient: the platform's own documentation prints unquoted names and
//! single quotes, and some implementations answer exactly that.

use std::collections::BTreeMap;

/// The longest answer we read, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;

/// What an app answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where the person can look.
    pub url: String,
    /// The code to look with.
    pub confirmation_code: String,
    /// Whether it is JSON, rather than what the documentation prints.
    pub is_json: bool,
}

/// Reads an answer; `None` if it has no `url` and `confirmation_code` in any form.
pub fn parse(text: &str) -> Option<Answer> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let json = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(text).ok();
    let is_json = json.is_some();
    let mut members = match json {
        Some(members) => members
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
            .collect::<BTreeMap<_, _>>(),
        None => loose(text)?,
    };
    Some(Answer { url: members.remove("url")?, confirmation_code: members.remove("confirmation_code")?, is_json })
}

/// Reads a flat object whose names may lack quotes and whose strings may have single ones.
fn loose(text: &str) -> Option<BTreeMap<String, String>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim_start();
    let mut members = BTreeMap::new();
    while !rest.is_empty() {
        let (name, behind) = if rest.starts_with(['"', '\'']) { quoted(rest)? } else { rest.split_at(rest.find(':')?) };
        let (value, behind) = quoted(behind.trim_start().strip_prefix(':')?.trim_start())?;
        members.insert(name.trim().to_owned(), value.replace("\\/", "/"));
        let behind = behind.trim_start();
        rest = behind.strip_prefix(',').unwrap_or(behind).trim_start();
        if rest.len() == behind.len() && !rest.is_empty() {
            return None;
        }
    }
    Some(members)
}

/// Splits off a string in single or double quotes.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_what_the_documentation_prints_are_read() {
        let table = [
            (r#"{"url":"https:\/\/a.example\/d","confirmation_code":"abc","more":{}}"#, true),
            ("{ url: 'https://a.example/d', confirmation_code: 'abc' }", false),
            ("{ url: \"https://a.example/d\",\n 'confirmation_code': 'abc', }", false),
        ];
        for (text, is_json) in table {
            let answer = parse(text).unwrap();
            assert_eq!((answer.url.as_str(), answer.confirmation_code.as_str()), ("https://a.example/d", "abc"));
            assert_eq!(answer.is_json, is_json);
        }
        for text in
            ["", "ok", "{}", "{url: 'x'}", "{url: 'x' confirmation_code: 'y'}", r#"{"url":1,"confirmation_code":2}"#]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
