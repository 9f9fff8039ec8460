//! Readers for members that senders write in more than one way: null for absent, numbers for text.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

/// Something that one scalar of JSON can become.
trait Scalar: Sized {
    const EXPECTED: &'static str;

    fn from_text(text: &str) -> Option<Self>;
    fn from_number(number: f64, written: String) -> Option<Self>;
}

impl Scalar for String {
    const EXPECTED: &'static str = "a text";

    fn from_text(text: &str) -> Option<Self> {
        // The schemas require some texts that we may not have and write as empty.
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn from_number(_: f64, written: String) -> Option<Self> {
        Some(written)
    }
}

impl Scalar for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    fn from_number(number: f64, _: String) -> Option<Self> {
        Some(number)
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_number(number: f64, _: String) -> Option<Self> {
        Some(number != 0.0)
    }
}

impl Scalar for super::time::Time {
    const EXPECTED: &'static str = "a time";

    fn from_text(text: &str) -> Option<Self> {
        Self::from_text(text)
    }

    fn from_number(number: f64, _: String) -> Option<Self> {
        Self::from_number(number)
    }
}

struct Lenient<T>(PhantomData<T>);

impl<T: Scalar> Visitor<'_> for Lenient<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        Ok(T::from_text(text))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<T>, E> {
        Ok(T::from_text(if value { "true" } else { "false" }))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<T>, E> {
        Ok(T::from_number(number as f64, number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<T>, E> {
        Ok(T::from_number(number as f64, number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<T>, E> {
        Ok(T::from_number(number, number.to_string()))
    }
}

/// Reads a scalar; null, an empty text and what cannot be made sense of are `None`. The original keeps what was sent.
#[expect(private_bounds, reason = "the scalars are those of this wire")]
pub(super) fn scalar<'de, D: Deserializer<'de>, T: Scalar>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Lenient(PhantomData))
}
