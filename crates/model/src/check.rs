//! Points that were looked at one by one, and how each turned out: for commands that judge.

use serde::Serialize;

use crate::problem::{Problem, Reason};

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
    /// The entry of the catalogue of errors that says what to do, where there is one.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

/// What to do about a point that does not hold.
#[derive(Debug, Serialize)]
pub struct Fix {
    /// The code, for example `MO-2001`.
    pub code: String,
    /// What to do.
    pub next: String,
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
        self.0.push(Check { id, verdict, evidence: evidence.into(), fix: None });
    }

    /// Notes a point that does not hold, for a reason of the catalogue of errors.
    pub fn fail(&mut self, id: &'static str, reason: Reason) {
        let fix = Some(Fix { code: reason.code, next: reason.next });
        let evidence = format!("{}: {}", reason.title, reason.detail);
        self.0.push(Check { id, verdict: Verdict::Failed, evidence, fix });
    }

    /// Notes a point that a problem kept from holding.
    pub fn failed(&mut self, id: &'static str, problem: &Problem) {
        self.fail(id, problem.reason());
    }

    /// Adds the points of another judgement.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns the points.
    pub fn points(&self) -> &[Check] {
        &self.0
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
            let fix = check.fix.as_ref().map_or(String::new(), |fix| format!(" ({}) {}", fix.code, fix.next));
            format!("{verdict:<8} {:<18} {}{fix}\n", check.id, check.evidence)
        };
        self.0.iter().map(line).collect()
    }
}
