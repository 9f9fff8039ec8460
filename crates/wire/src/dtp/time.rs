//! Instants in the three forms that senders use: ISO 8601 (the schemas), seconds since the epoch as a number (the README's
//! example), and that number as text (the shipped example file).

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

/// From here on a number is taken for milliseconds, which Java writes for some types: as seconds it would be the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// An instant, and the offset from UTC that the sender wrote it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Time {
    pub at: Timestamp,
    pub offset: Option<String>,
}

impl Time {
    /// Reads ISO 8601 with or without an offset (then UTC), a date, or a number as text.
    pub fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(number) = text.parse() {
            return Self::from_number(number);
        }
        let at = text
            .parse::<Timestamp>()
            .ok()
            .or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()))
            .or_else(|| text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()))?;
        Some(Self { at, offset: offset(text) })
    }

    /// Reads seconds (or milliseconds) since the epoch. A double holds the present to a quarter of a microsecond.
    pub fn from_number(number: f64) -> Option<Self> {
        let seconds = if number.abs() < MILLISECONDS_FROM { number } else { number / 1e3 };
        let micros = (seconds * 1e6).round();
        // The cast saturates, and jiff refuses what is out of its range; only NaN would pass as the epoch.
        let at = if micros.is_nan() { None } else { Timestamp::from_microsecond(micros as i64).ok() }?;
        Some(Self { at, offset: None })
    }
}

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self { at, offset: None }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.at)
    }
}

/// Returns the numeric offset of an ISO 8601 time, unless it is that of UTC.
fn offset(text: &str) -> Option<String> {
    let clock = &text[text.find(['T', 't', ' '])?..];
    let offset = &clock[clock.find(['+', '-'])?..];
    (!offset.trim_start_matches(['+', '-']).chars().all(|c| matches!(c, '0' | ':'))).then(|| offset.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_that_were_seen() {
        let wanted: Timestamp = "2024-11-14T17:21:03.845677Z".parse().unwrap();
        for text in [
            "2024-11-14T17:21:03.845677Z",
            "2024-11-14T17:21:03.845677+00:00",
            "2024-11-14T17:21:03.845677",
            "1731604863.845677",
            " 1731604863.845677 ",
        ] {
            assert_eq!(Time::from_text(text), Some(wanted.into()), "{text}");
        }
        assert_eq!(Time::from_number(1_731_604_863.845_677), Some(wanted.into()));
        let whole: Timestamp = "2024-11-14T17:21:03.845Z".parse().unwrap();
        assert_eq!(Time::from_number(1_731_604_863_845.0), Some(whole.into()));
        for text in ["2024-11-14T18:21:03.845+01:00", "2024-11-14T18:21:03.845+0100"] {
            let time = Time::from_text(text).unwrap();
            assert_eq!(time.at, whole, "{text}");
            assert!(time.offset.is_some_and(|offset| text.ends_with(&offset)), "{text}");
        }
        let midnight: Timestamp = "2020-02-01T00:00:00Z".parse().unwrap();
        assert_eq!(Time::from_text("2020-02-01"), Some(midnight.into()));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "soon", "NaN", "inf", "1e300", "2024-13-45T00:00:00Z", "+", "T+"] {
            assert_eq!(Time::from_text(text), None, "{text}");
        }
    }
}
