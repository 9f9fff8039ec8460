//! Errors as values: a stable code, a verdict that drives retries, and words a person can act on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of anything that can fail in a way the user should hear of.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// What a failure means for the work that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The same call may succeed later.
    Retry,
    /// The same call will fail again.
    Permanent,
    /// A person must act: reconnect an account, free space, choose.
    NeedsUser,
    /// The other organisation must act.
    NeedsPartner,
    /// A safety rule stops the work until somebody mends the cause.
    Blocked,
}

/// One entry of the catalogue of errors (`docs/ERRORS.md` lists them all).
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The number behind `MO-`, stable for ever.
    pub number: u16,
    /// What the failure means for the work.
    pub verdict: Verdict,
    /// The HTTP status that a door answers with.
    pub status: u16,
    /// The RFC 6749 / DTP `error` word that a door answers with, for example `invalid_request`.
    pub error: &'static str,
    /// What happened, in a few words and without a full stop.
    pub title: &'static str,
    /// What the reader can do about it, as a sentence.
    pub next: &'static str,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MO-{:04}", self.number)
    }
}

/// A failure: its code, what happened this time, and the next step.
///
/// The words in `detail` reach logs and other people's screens: they never hold secrets or personal data.
pub struct Problem {
    /// The entry in the catalogue.
    pub code: &'static Code,
    /// What happened this time, and what we did about it.
    pub detail: String,
    /// How long the other side asked us to wait, in seconds.
    pub retry_after: Option<u64>,
    /// The underlying error, for logs.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// Creates a problem whose detail says what happened this time.
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None, source: None }
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds how many seconds the other side asked us to wait.
    #[must_use]
    pub fn after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }

    /// Returns what the failure means for the work.
    pub fn verdict(&self) -> Verdict {
        self.code.verdict
    }

    /// Tells whether this is the given entry of the catalogue.
    pub fn is(&self, code: &Code) -> bool {
        self.code.number == code.number
    }

    /// Returns the problem as a value that can be stored and shown.
    pub fn reason(&self) -> Reason {
        Reason {
            code: self.code.to_string(),
            verdict: self.code.verdict,
            title: self.code.title.to_owned(),
            detail: self.detail.clone(),
            next: self.code.next.to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.code.title)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        write!(f, ". {}", self.code.next)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        if let Some(source) = &self.source {
            write!(f, " (source: {source})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// A problem as it is stored, and shown in JSON and on pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The code, for example `MO-2001`.
    pub code: String,
    /// What it means for the work.
    pub verdict: Verdict,
    /// What happened, in a few words.
    pub title: String,
    /// What happened this time.
    pub detail: String,
    /// What the reader can do.
    pub next: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.title)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        write!(f, ". {}", self.next)
    }
}
