//! Points that were looked at one by one, and how each turned out: for commands that judge.

use serde::Serialize;

/// How one point turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but not everywhere or not for long.
    Warning,
    /// It does not work.
    Failed,
}

/// One point.
#[derive(Debug, Serialize)]
pub struct Check {
    /// Its stable name.
    pub id: &'static str,
    /// How it turned out.
    pub verdict: Verdict,
    /// What was seen.
    pub evidence: String,
}

/// The points of one judgement.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Checks(Vec<Check>);

impl Checks {
    /// Notes a point that must hold.
    pub fn must(&mut self, id: &'static str, holds: bool, evidence: impl Into<String>) {
        self.note(id, if holds { Verdict::Ok } else { Verdict::Failed }, evidence);
    }

    /// Notes a point that should hold.
    pub fn should(&mut self, id: &'static str, holds: bool, evidence: impl Into<String>) {
        self.note(id, if holds { Verdict::Ok } else { Verdict::Warning }, evidence);
    }

    /// Notes a point.
    pub fn note(&mut self, id: &'static str, verdict: Verdict, evidence: impl Into<String>) {
        self.0.push(Check { id, verdict, evidence: evidence.into() });
    }

    /// Tells whether nothing failed.
    pub fn hold(&self) -> bool {
        self.0.iter().all(|check| check.verdict != Verdict::Failed)
    }

    /// Returns one line a point, for people.
    pub fn words(&self) -> String {
        let line = |check: &Check| {
            let verdict = match check.verdict {
                Verdict::Ok => "ok",
                Verdict::Warning => "warning",
                Verdict::Failed => "FAILED",
            };
            format!("{verdict:<8} {:<18} {}\n", check.id, check.evidence)
        };
        self.0.iter().map(line).collect()
    }
}
