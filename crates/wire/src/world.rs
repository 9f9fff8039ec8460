//! `world.toml`, the operator's declaration: read strictly, with everything that is wrong named at once.

mod calls;
mod check;
mod places;
pub mod write;

use model::world::World;
use model::{Problem, Result, codes};

/// The largest declaration we read, in bytes.
pub const MAX_TEXT: usize = 4 * 1024 * 1024;

/// Reads a declaration.
///
/// # Errors
/// `MO-7002`: either the line that is not well formed, or every place that makes no sense.
pub fn parse(text: &str) -> Result<World> {
    let invalid = |detail: String| Problem::new(&codes::config::WORLD_INVALID, detail);
    if text.len() > MAX_TEXT {
        return Err(invalid(format!("it has more than {MAX_TEXT} bytes")));
    }
    let world: World = toml::from_str(text).map_err(|cause| {
        let before = cause.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        // The line itself is not repeated: it may hold a password.
        invalid(format!("line {}: {}", before.matches('\n').count() + 1, cause.message()))
    })?;
    match check::everything(&world) {
        complaints if complaints.is_empty() => Ok(world),
        complaints => Err(invalid(complaints.join("; "))),
    }
}
