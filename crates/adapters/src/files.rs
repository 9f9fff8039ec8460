//! What systems of files and objects have in common when a person's are erased there.

use model::location::Place;
use model::{Problem, Result, codes};

use crate::locations::Person;

/// Whose files are meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// One file or object.
    One,
    /// Everything below a folder.
    Below,
}

/// Returns the place of a person as steps from the system's root, and whether it is one file or a folder.
///
/// # Errors
/// `MO-2060` if a step leads elsewhere. Declaration and values were looked at before; this is the second lock on the same door.
pub(crate) fn steps(place: &Place, person: &Person<'_>) -> Result<(Vec<String>, Which)> {
    let (template, which) = match place {
        Place::Path(path) => (path, Which::One),
        Place::Prefix(prefix) => (prefix, Which::Below),
        _ => return Err(unreadable("a system of files has paths and prefixes")),
    };
    let filled = person.fill(template);
    let path = match which {
        Which::One => Some(filled.as_str()),
        // Without the end of a step, the prefix of one person would begin those of others.
        Which::Below => filled.strip_suffix('/'),
    };
    let steps: Vec<String> = path.unwrap_or_default().split('/').map(str::to_owned).collect();
    let leads_elsewhere = |step: &String| {
        matches!(step.as_str(), "" | "." | "..") || step.contains(['\\', '\0']) || step.trim().is_empty()
    };
    if steps.iter().any(leads_elsewhere) {
        return Err(Problem::new(
            &codes::erasure::LOCATION_VALUE_UNSAFE,
            "a step of the path is empty or leads elsewhere",
        ));
    }
    Ok((steps, which))
}

/// What is there cannot be read, and somebody must mend that.
pub(crate) fn unreadable(detail: impl Into<String>) -> Problem {
    Problem::new(&codes::erasure::LOCATION_UNREADABLE, detail)
}

/// The system does not let us, and somebody must mend that.
pub(crate) fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(&codes::erasure::LOCATION_REFUSED, detail)
}

/// The system is away or too busy: tried again by itself. What a network error says has no personal data, but its address may.
pub(crate) fn away(problem: &Problem) -> Problem {
    Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, problem.code.title)
}

/// Maps an answer that is no success.
pub(crate) fn answered(status: u16, what: &str) -> Problem {
    match status {
        401 | 403 | 405 | 423 => refused(format!("{what} was answered with HTTP {status}")),
        408 | 425 | 429 | 500..=599 => {
            Problem::new(&codes::erasure::SYSTEM_BUSY, format!("{what} was answered with HTTP {status}"))
        }
        _ => unreadable(format!("{what} was answered with HTTP {status}")),
    }
}
