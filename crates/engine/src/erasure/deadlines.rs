//! By when the law wants an answer.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Returns the end of the period that the law gives: one calendar month from receipt (GDPR Art. 12(3)), counted in UTC.
///
/// Where the next month has no such day, it is that month's last.
pub fn due_at(received_at: Timestamp) -> Timestamp {
    received_at.to_zoned(TimeZone::UTC).saturating_add(1.month()).timestamp()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_month_is_a_calendar_month() {
        for (received, due) in [
            ("2026-11-22T12:00:00Z", "2026-12-22T12:00:00Z"),
            ("2027-01-31T09:30:00Z", "2027-02-28T09:30:00Z"),
            ("2028-01-30T09:30:00Z", "2028-02-29T09:30:00Z"),
        ] {
            assert_eq!(super::due_at(received.parse().unwrap()), due.parse().unwrap());
        }
    }
}
