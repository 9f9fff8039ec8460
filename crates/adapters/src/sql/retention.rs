//! Until when a kept row is kept.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use model::world::{Keep, Round};
use model::{Problem, Result, codes};

/// Computes when the ground of a kept row is over; `None` if the rule says no time, or the row has none to count from.
///
/// # Errors
/// `MO-2017` if the row's time cannot be read; the row is named by its table and column only.
pub(super) fn until(table: &str, keep: &Keep, from: Option<&str>) -> Result<Option<Timestamp>> {
    let (Some(period), Some(column), Some(from)) = (&keep.period, &keep.from, from) else { return Ok(None) };
    let invalid = |what: &str| Problem::new(&codes::erasure::KEEP_INVALID, format!("{table}.{column} {what}"));
    let period: Span = period.parse().map_err(|_| invalid("is kept for a time that is not like \"8y\""))?;
    let start = read(from).ok_or_else(|| invalid("holds something that is no time"))?;
    let end = start.checked_add(period).map_err(|_| invalid("holds a time too far away to count from"))?;
    let end = match keep.round {
        Some(Round::YearEnd) => end.date().last_of_year().at(23, 59, 59, 0),
        None => end,
    };
    let zoned = end.to_zoned(TimeZone::UTC).map_err(|_| invalid("holds a time too far away to count from"))?;
    Ok(Some(zoned.timestamp()))
}

/// Reads a time as databases write it: ISO 8601 with or without zone (then UTC), a date, or seconds, milliseconds or
/// microseconds since the Unix epoch.
fn read(text: &str) -> Option<DateTime> {
    let utc = |instant: Timestamp| instant.to_zoned(TimeZone::UTC).datetime();
    if let Ok(number) = text.parse::<i64>() {
        let instant = match number.unsigned_abs() {
            0..100_000_000_000 => Timestamp::from_second(number),
            100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(number),
            _ => Timestamp::from_microsecond(number),
        };
        return instant.ok().map(utc);
    }
    text.parse::<Timestamp>()
        .ok()
        .map(utc)
        .or_else(|| text.parse::<DateTime>().ok())
        .or_else(|| text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_counted_in_the_calendar_and_rounded_up() {
        let keep = |period: &str, round| Keep {
            columns: vec![],
            ground: "legal-obligation".to_owned(),
            law: "HGB §257 (4)".to_owned(),
            period: Some(period.to_owned()),
            from: Some("issued_at".to_owned()),
            round,
        };
        let table = [
            ("8y", Some(Round::YearEnd), "2024-03-05", "2032-12-31T23:59:59Z"),
            ("8y", None, "2024-02-29 10:00:00+00", "2032-02-29T10:00:00Z"),
            ("30d", None, "2024-03-05T23:30:00-02:00", "2024-04-05T01:30:00Z"),
            ("6mo", None, "2024-03-05 10:00:00.5", "2024-09-05T10:00:00.5Z"),
            ("1d", None, "1709632800", "2024-03-06T10:00:00Z"),
            ("1d", None, "1709632800000", "2024-03-06T10:00:00Z"),
        ];
        for (period, round, from, expected) in table {
            let end = until("invoices", &keep(period, round), Some(from)).unwrap().unwrap();
            assert_eq!(end.to_string(), expected, "{from}");
        }
        assert_eq!(until("invoices", &keep("8y", None), None).unwrap(), None);
        let problem = until("invoices", &keep("8y", None), Some("Zoë's birthday")).unwrap_err();
        assert!(problem.is(&codes::erasure::KEEP_INVALID) && !problem.to_string().contains("Zoë"));
    }
}
