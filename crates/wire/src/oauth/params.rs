//! Parameters of a query or a form body: each at most once, empty ones as if they were not there (RFC 6749 §3.1, §3.2).

use model::{Problem, Result, codes};

/// How many parameters a request may have; the protocols here need 12.
const MAX_PARAMS: usize = 40;
/// How long one value may be, in bytes: long enough for a `state` that carries a signed token.
const MAX_VALUE: usize = 4096;

/// The parameters of a request.
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text.
    ///
    /// # Errors
    /// `MO-4021` if there are too many, one is too long, or it holds control characters.
    pub fn parse(text: &str) -> Result<Self> {
        let mut pairs = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if pairs.len() == MAX_PARAMS {
                return Err(malformed("there are too many parameters"));
            }
            if value.len() > MAX_VALUE || name.len() > MAX_VALUE {
                return Err(malformed("a parameter is too long"));
            }
            if value.contains('\0') || name.contains('\0') {
                return Err(malformed("a parameter holds a NUL character"));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// Returns a parameter, if it is there and not empty.
    ///
    /// # Errors
    /// `MO-4021` if it is there more than once.
    pub fn get(&self, name: &'static str) -> Result<Option<&str>> {
        let mut values = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(malformed(format!("the parameter {name} is there more than once")));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// Returns a parameter that must be there.
    ///
    /// # Errors
    /// `MO-4021` if it is missing, empty or there more than once.
    pub fn require(&self, name: &'static str) -> Result<&str> {
        self.get(name)?.ok_or_else(|| malformed(format!("the parameter {name} is missing")))
    }

    /// Returns all values of a parameter that may repeat, such as the ticked boxes of our consent page.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Params {
    /// Shows names only: values hold passwords and codes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// A request that is not well formed.
pub(super) fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(&codes::landing::OAUTH_REQUEST_MALFORMED, detail)
}
