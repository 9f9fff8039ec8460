//! `SPEC`: where a system is, as people type it: `archive:./takeout.zip`, `dir:./out`, `dtp+https://host/dtp/`, `sqlite:./shop.db`.

use std::fmt;
use std::str::FromStr;

use model::{Problem, codes};

/// A parsed spec: the scheme names the adapter, the rest is the adapter's own.
#[derive(Clone, PartialEq, Eq)]
pub struct Spec {
    /// The adapter: what stands before `:` or `+`, for example `dtp` or `archive`.
    pub adapter: String,
    /// What the adapter opens: a path, or an absolute URL.
    pub target: String,
}

/// The adapters whose target is a path of this machine.
const PATHS: &[&str] = &["archive", "dir", "sqlite", "zip"];

/// What else an adapter's addresses begin with.
const ALIASES: &[(&str, &str)] = &[
    ("postgresql", "postgres"),
    ("mariadb", "mysql"),
    ("rediss", "redis"),
    ("valkey", "redis"),
    ("valkeys", "redis"),
    ("https", "http"),
];

/// Reads the path of a URL like `dir:///home/zoe/out`, whose host may be empty or `localhost` (RFC 8089 §2).
fn local_path(rest: &str) -> Result<String, Problem> {
    let path = rest.strip_prefix("//localhost").or_else(|| rest.strip_prefix("//")).unwrap_or(rest);
    if path.starts_with('/') {
        return Ok(path.to_owned());
    }
    let detail = "behind '//' stands a host, and only paths of this machine are read";
    Err(Problem::new(&codes::transfer::SPEC_MALFORMED, detail))
}

impl FromStr for Spec {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let malformed = |detail: &str| Problem::new(&codes::transfer::SPEC_MALFORMED, detail);
        let (scheme, rest) =
            text.split_once(':').ok_or_else(|| malformed("there is no ':' behind the kind of system"))?;
        if rest.is_empty() {
            return Err(malformed("there is nothing behind the ':'"));
        }
        let (adapter, target) = match scheme.split_once('+') {
            Some((adapter, transport)) => (adapter, format!("{transport}:{rest}")),
            None if PATHS.contains(&scheme) && rest.starts_with("//") => (scheme, local_path(rest)?),
            // Databases and object stores are known by their URL's own scheme.
            None if rest.starts_with("//") => (scheme, text.to_owned()),
            None => (scheme, rest.to_owned()),
        };
        let adapter = ALIASES.iter().find(|(alias, _)| *alias == adapter).map_or(adapter, |(_, name)| name);
        if adapter.is_empty() || !adapter.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(malformed("the kind of system has letters and digits only"));
        }
        Ok(Self { adapter: adapter.to_owned(), target })
    }
}

impl fmt::Display for Spec {
    /// Shows the spec without a user name or password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.target.split_once("://") {
            Some((scheme, rest)) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
                let path = &rest[host..];
                format!("{scheme}://{}", path.split(['?', '#']).next().unwrap_or_default())
            }
            None => self.target.clone(),
        };
        if shown.starts_with(&format!("{}:", self.adapter)) {
            f.write_str(&shown)
        } else {
            write!(f, "{}:{shown}", self.adapter)
        }
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_names_the_adapter_and_secrets_are_not_shown() {
        let table = [
            ("archive:./takeout.zip", "archive", "./takeout.zip", "archive:./takeout.zip"),
            ("sqlite:./shop.db", "sqlite", "./shop.db", "sqlite:./shop.db"),
            ("dir:///tmp/out", "dir", "/tmp/out", "dir:/tmp/out"),
            ("sqlite://localhost/tmp/a.db", "sqlite", "/tmp/a.db", "sqlite:/tmp/a.db"),
            ("dtp+http://127.0.0.1:8080/dtp/", "dtp", "http://127.0.0.1:8080/dtp/", "dtp:http://127.0.0.1:8080/dtp/"),
            (
                "postgresql://u:p@db/shop?sslmode=require",
                "postgres",
                "postgresql://u:p@db/shop?sslmode=require",
                "postgres:postgresql://db/shop",
            ),
            ("mariadb://u:p@db/shop", "mysql", "mariadb://u:p@db/shop", "mysql:mariadb://db/shop"),
            ("s3://bucket/prefix", "s3", "s3://bucket/prefix", "s3://bucket/prefix"),
        ];
        for (text, adapter, target, shown) in table {
            let spec: Spec = text.parse().unwrap();
            assert_eq!(
                (spec.adapter.as_str(), spec.target.as_str(), spec.to_string().as_str()),
                (adapter, target, shown)
            );
        }
        for text in ["", "archive", "archive:", "a b:c", "+x:y", "dir://elsewhere/out"] {
            assert!(text.parse::<Spec>().is_err(), "{text:?}");
        }
    }
}
