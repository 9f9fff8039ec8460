//! Values that go into and come out of the store, the same for every database.
//!
//! Times are microseconds since the Unix epoch, truth is 0 or 1, JSON is text: what distributed PostgreSQLs can hold too.

use jiff::Timestamp;
use model::{Problem, Result, codes};

/// One value of a row or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(String),
    /// BLOB or BYTEA.
    Blob(Vec<u8>),
}

macro_rules! into_value {
    ($($type:ty => |$value:ident| $make:expr),+ $(,)?) => {
        $(impl From<$type> for Value { fn from($value: $type) -> Self { $make } })+
    };
}

into_value! {
    i64 => |value| Value::Int(value),
    i32 => |value| Value::Int(value.into()),
    u32 => |value| Value::Int(value.into()),
    // Counts and sizes stay far below 2^63.
    u64 => |value| Value::Int(value.cast_signed()),
    usize => |value| Value::Int((value as u64).cast_signed()),
    bool => |value| Value::Int(value.into()),
    &str => |value| Value::Text(value.to_owned()),
    &String => |value| Value::Text(value.clone()),
    String => |value| Value::Text(value),
    Vec<u8> => |value| Value::Blob(value),
    &[u8] => |value| Value::Blob(value.to_vec()),
    Timestamp => |value| Value::Int(value.as_microsecond()),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Builds the parameters of a statement: `params![id, now, name]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] };
}

/// A value that can be read from a row.
pub trait FromValue: Sized {
    /// Reads it, or returns `None` when the value has another shape.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty: $pattern:pat => $make:expr),+ $(,)?) => {
        $(impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value { $pattern => $make, _ => None }
            }
        })+
    };
}

from_value! {
    i64: Value::Int(value) => Some(*value),
    u64: Value::Int(value) => (*value).try_into().ok(),
    u32: Value::Int(value) => (*value).try_into().ok(),
    bool: Value::Int(value) => Some(*value != 0),
    String: Value::Text(value) => Some(value.clone()),
    Vec<u8>: Value::Blob(value) => Some(value.clone()),
    Timestamp: Value::Int(value) => Timestamp::from_microsecond(*value).ok(),
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// One row of a result.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) columns: std::sync::Arc<[String]>,
    pub(crate) values: Vec<Value>,
}

impl Row {
    /// Returns the value of a column.
    ///
    /// # Errors
    /// `MO-5008` if there is no such column or it holds another type: a defect of ours.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T> {
        self.columns
            .iter()
            .position(|name| name == column)
            .and_then(|index| T::from_value(&self.values[index]))
            .ok_or_else(|| {
                Problem::new(&codes::store::QUERY_FAILED, format!("column {column} is missing or of another type"))
            })
    }

    /// Returns the value of a column that holds a state's name or another word of ours.
    ///
    /// # Errors
    /// `MO-5008` if the column does not hold one.
    pub fn parse<T: std::str::FromStr>(&self, column: &str) -> Result<T> {
        self.get::<String>(column)?
            .parse()
            .map_err(|_| Problem::new(&codes::store::QUERY_FAILED, format!("column {column} holds an unknown word")))
    }

    /// Returns the value of a column that holds JSON text.
    ///
    /// # Errors
    /// `MO-5008` if the column does not hold it.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T> {
        serde_json::from_str(&self.get::<String>(column)?).map_err(|error| {
            Problem::new(&codes::store::QUERY_FAILED, format!("column {column} holds other JSON than expected"))
                .caused_by(error)
        })
    }

    /// Returns the value of a column that holds JSON text or NULL.
    ///
    /// # Errors
    /// `MO-5008` if the column holds something else.
    pub fn json_opt<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        match self.get::<Option<String>>(column)? {
            None => Ok(None),
            Some(_) => self.json(column).map(Some),
        }
    }
}

/// Writes a value as the JSON text that [`Row::json`] reads.
pub fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Problem::new(&codes::store::QUERY_FAILED, "a value cannot be written as JSON").caused_by(error)
    })
}
