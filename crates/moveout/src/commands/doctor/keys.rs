//! The master keys: which seals, and which are still needed.

use model::check::{Checks, Verdict};
use store::Store;

/// Looks at how far each master key is in use.
pub async fn look(checks: &mut Checks, store: &Store) {
    let keys = match store.key_usage().await {
        Ok(keys) => keys,
        Err(problem) => return checks.must("keys", false, problem.to_string()),
    };
    for key in keys {
        let (id, values) = (key.id, key.values);
        let (verdict, words) = match (key.seals, key.given, values) {
            (true, ..) => (Verdict::Ok, "it seals"),
            (_, false, _) => (Verdict::Failed, "it is not given, so these values do not open"),
            (_, _, 0) => (Verdict::Warning, "it is no longer needed, but for older backups"),
            _ => (Verdict::Warning, "still needed; `moveout key rotate` seals them with the newest"),
        };
        checks.note("keys", verdict, format!("key {id} opens {values} values: {words}"));
    }
}
