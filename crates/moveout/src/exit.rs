//! How a command ends: exit codes, and errors as words on stderr.

use model::{Code, Problem, Verdict, codes};

use crate::output::Out;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// All is well.
    Ok = 0,
    /// It failed.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// It is not allowed.
    NotAllowed = 4,
    /// It finished, with failed or uncertain items.
    WithFailures = 5,
    /// A check did not hold, or a request is blocked.
    NotHeld = 6,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// Tells the error on stderr, as words or as a problem document, and returns the code to exit with.
pub fn report(error: &anyhow::Error, out: Out) -> ExitCode {
    let Some(problem) = error.downcast_ref::<Problem>() else {
        out.note(&format!("error: {error:#}"));
        return ExitCode::Failed;
    };
    if out.is_json() {
        out.note(&serde_json::json!(problem.reason()).to_string());
    } else {
        out.note(&format!("error: {problem}"));
    }
    of(problem)
}

/// Returns the exit code that a problem deserves.
fn of(problem: &Problem) -> ExitCode {
    const MALFORMED: [&Code; 3] =
        [&codes::config::USAGE, &codes::transfer::SPEC_MALFORMED, &codes::erasure::IDENTITY_MALFORMED];
    if MALFORMED.iter().any(|code| problem.is(code)) {
        ExitCode::Usage
    } else if problem.verdict() == Verdict::Blocked || problem.is(&codes::store::LEDGER_BROKEN) {
        ExitCode::NotHeld
    } else {
        match problem.code.status {
            404 => ExitCode::NotFound,
            401 | 403 => ExitCode::NotAllowed,
            _ => ExitCode::Failed,
        }
    }
}
