//! JSON with one spelling for each value, so that it can be hashed: RFC 8785 (JCS), for values without fractions.
//!
//! What people reformat keeps its hash. What has two readings (a name twice in an object) is refused.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A JSON object in which every name stands once, and every number is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object(pub Map<String, Value>);

impl Object {
    /// Returns the one spelling of this object: no spaces, names in the order of their UTF-16 code units.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        write_object(&self.0, &mut text);
        text.into_bytes()
    }
}

impl serde::Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(Strict)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(D::Error::custom("it is not an object")),
        }
    }
}

fn write_object(members: &Map<String, Value>, text: &mut String) {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    text.push('{');
    for (place, (name, value)) in members.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(name.as_str()).to_string());
        text.push(':');
        write_value(value, text);
    }
    text.push('}');
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => write_object(members, text),
        Value::Array(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_value(value, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// Reads any value, refusing repeated names and numbers that are not whole.
struct Strict;

impl<'de> serde::de::DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with whole numbers and each name once")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(value) = values.next_element_seed(Strict)? {
            array.push(value);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Strict)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice in an object"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_spelling() {
        let spelled = r#"{"":[1,-2,"\u001f\n\"é\""],"a":{"b":null,"c":true},"😀":1,"ﬀ":2}"#;
        let other = " {\"\\ufb00\":2, \"\\ud83d\\ude00\":1,\"a\":{\"c\":true,\n\"b\":null},\"\":[1,-2,\"\\u001F\\u000a\\\"\\u00e9\\\"\"]}";
        let object: Object = serde_json::from_str(other).unwrap();
        assert_eq!(String::from_utf8(object.to_bytes()).unwrap(), spelled);
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":[{"b":1,"b":2}]}"#, r#"{"a":1.0}"#, r#"{"a":1e2}"#, "[]", "1"] {
            assert!(serde_json::from_str::<Object>(text).is_err(), "{text}");
        }
    }
}
