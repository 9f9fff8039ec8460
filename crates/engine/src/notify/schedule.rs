//! When to try again: exponential with full jitter, never before the other side asked us to, and not for ever.

use jiff::{SignedDuration, Timestamp};
use model::Ambient;

/// How long a notice is tried at least before it is put aside.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_hours(72);
/// The longest wait before the second attempt at a notice; it doubles with each.
const FIRST: SignedDuration = SignedDuration::from_secs(30);
/// The longest wait between two attempts at a notice.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);
/// The same for a receiver that takes nothing at all: it is asked with one notice.
const FIRST_PROBE: SignedDuration = SignedDuration::from_secs(4);
const LONGEST_PROBE: SignedDuration = SignedDuration::from_hours(1);
/// The longest that a receiver can make us wait with `Retry-After`.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(6);

/// Returns when a notice that was tried so often is tried again.
pub(super) fn next_attempt(ambient: &Ambient, attempts: u32, asked: Option<u64>) -> Timestamp {
    after(ambient, FIRST, LONGEST, attempts, asked)
}

/// Returns when a receiver that took nothing so often in a row is tried again.
pub(super) fn next_probe(ambient: &Ambient, failures: u32, asked: Option<u64>) -> Timestamp {
    after(ambient, FIRST_PROBE, LONGEST_PROBE, failures, asked)
}

fn after(
    ambient: &Ambient,
    first: SignedDuration,
    longest: SignedDuration,
    times: u32,
    asked: Option<u64>,
) -> Timestamp {
    let grown = 2_i32.checked_pow(times).and_then(|factor| first.checked_mul(factor));
    let most = grown.unwrap_or(longest).min(longest).as_millis().unsigned_abs().max(1);
    let jitter = u128::from(u64::from_le_bytes(ambient.random())) % most;
    let jitter = SignedDuration::from_millis(i64::try_from(jitter).unwrap_or(0));
    let asked = SignedDuration::from_secs(asked.and_then(|seconds| seconds.try_into().ok()).unwrap_or(0));
    let wait = asked.min(LONGEST_ASKED).saturating_add(jitter);
    ambient.now().saturating_add(wait).unwrap_or(Timestamp::MAX)
}
