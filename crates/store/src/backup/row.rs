//! Rows as lines of JSON: an array of values, where bytes are an object with their base64.

use data_encoding::BASE64;
use model::Result;
use serde_json::{Value as Json, json};

use super::broken;
use crate::Value;

/// Writes a row as one line.
pub(super) fn write(values: &[Value], out: &mut Vec<u8>) {
    let value = |value: &Value| match value {
        Value::Null => Json::Null,
        Value::Int(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::Blob(value) => json!({ "base64": BASE64.encode(value) }),
    };
    let row: Json = values.iter().map(value).collect();
    out.extend_from_slice(row.to_string().as_bytes());
    out.push(b'\n');
}

/// Reads a line.
pub(super) fn read(line: &[u8]) -> Result<Vec<Value>> {
    let row: Vec<Json> =
        serde_json::from_slice(line).map_err(|cause| broken("a row cannot be read").caused_by(cause))?;
    row.into_iter()
        .map(|value| read_value(value).ok_or_else(|| broken("a row holds a value of another kind")))
        .collect()
}

fn read_value(value: Json) -> Option<Value> {
    match value {
        Json::Null => Some(Value::Null),
        Json::Number(number) => number.as_i64().map(Value::Int),
        Json::String(text) => Some(Value::Text(text)),
        Json::Object(bytes) => BASE64.decode(bytes.get("base64")?.as_str()?.as_bytes()).ok().map(Value::Blob),
        _ => None,
    }
}
