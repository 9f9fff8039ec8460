//! Statements and values on their way to PostgreSQL and back.

use std::sync::Arc;

use bytes::BytesMut;
use deadpool_postgres::Object;
use tokio_postgres::Error;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::value::{Row, Value};

type Mismatch = Box<dyn std::error::Error + Sync + Send>;

/// How statements are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statements {
    /// Prepared once a connection, which saves the server most of the planning.
    Prepared,
    /// Each for itself, for poolers that hand a connection on after every transaction and know nothing of what was prepared on it.
    Unprepared,
}

impl Statements {
    /// Runs a statement and returns how many rows it touched.
    pub(super) async fn exec(self, client: &Object, sql: &str, params: &[Value]) -> Result<u64, Error> {
        match self {
            Self::Prepared => client.execute_raw(&client.prepare_cached(sql).await?, params).await,
            Self::Unprepared => client.execute_typed(sql, &typed(params)).await,
        }
    }

    /// Runs a query and returns its rows.
    pub(super) async fn query(self, client: &Object, sql: &str, params: &[Value]) -> Result<Vec<Row>, Error> {
        let rows = match self {
            Self::Prepared => {
                let bound: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
                client.query(&client.prepare_cached(sql).await?, &bound).await?
            }
            Self::Unprepared => client.query_typed(sql, &typed(params)).await?,
        };
        let Some(first) = rows.first() else { return Ok(vec![]) };
        let columns: Arc<[String]> = first.columns().iter().map(|column| column.name().to_owned()).collect();
        let read = |row: &tokio_postgres::Row| {
            let values = (0..columns.len()).map(|index| row.try_get(index)).collect::<Result<Vec<Value>, Error>>()?;
            Ok(Row { columns: columns.clone(), values })
        };
        rows.iter().map(read).collect()
    }
}

/// Names the types of parameters, which nobody asks the server for here; that of a null is left to it.
fn typed(params: &[Value]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    let type_of = |value: &Value| match value {
        Value::Null => Type::UNKNOWN,
        Value::Int(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Blob(_) => Type::BYTEA,
    };
    params.iter().map(|value| (value as _, type_of(value))).collect()
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Mismatch> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            // A bare `$1` beside an INT4 or without a hint is not BIGINT in PostgreSQL's eyes.
            Self::Int(value) => match *ty {
                Type::INT8 => value.to_sql(ty, out),
                Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
                Type::TEXT | Type::VARCHAR => value.to_string().to_sql(ty, out),
                _ => Err(format!("an integer cannot be a {ty}").into()),
            },
            Self::Text(value) => value.to_sql(ty, out),
            Self::Blob(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR | Type::BYTEA | Type::UNKNOWN)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Mismatch> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Int(bool::from_sql(ty, raw)?.into()),
            Type::NUMERIC => Self::Int(integer_of_numeric(raw)?),
            Type::BYTEA => Self::Blob(raw.to_vec()),
            _ => Self::Text(String::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Mismatch> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        let known = [Type::INT8, Type::INT4, Type::BOOL, Type::NUMERIC, Type::BYTEA, Type::NAME];
        known.contains(ty) || <String as FromSql>::accepts(ty)
    }
}

/// Reads a NUMERIC, which is what a sum of BIGINTs is in PostgreSQL: groups of four decimal digits behind four 16-bit numbers.
fn integer_of_numeric(raw: &[u8]) -> Result<i64, Mismatch> {
    let words: Vec<u16> = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let [_, weight, sign, _, groups @ ..] = words.as_slice() else { return Err("a NUMERIC is cut off".into()) };
    let mut value: i64 = 0;
    for index in 0..=i32::from(weight.cast_signed()) {
        let group = groups.get(usize::try_from(index)?).copied().unwrap_or(0);
        let shifted = value.checked_mul(10_000).and_then(|value| value.checked_add(group.into()));
        value = shifted.ok_or("a NUMERIC is too large")?;
    }
    match sign {
        0x0000 => Ok(value),
        0x4000 => Ok(-value),
        _ => Err("a NUMERIC is not finite".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_as_integers() {
        let numeric = |words: &[u16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        assert_eq!(integer_of_numeric(&numeric(&[0, 0, 0, 0])).unwrap(), 0);
        assert_eq!(integer_of_numeric(&numeric(&[1, 0, 0, 0, 42])).unwrap(), 42);
        // 1 2345 0000: trailing groups of zeros are not sent.
        assert_eq!(integer_of_numeric(&numeric(&[2, 2, 0x4000, 0, 1, 2345])).unwrap(), -123_450_000);
        // 0.5 has no integer part.
        assert_eq!(integer_of_numeric(&numeric(&[1, (-1_i16).cast_unsigned(), 0, 1, 5000])).unwrap(), 0);
        assert!(integer_of_numeric(&numeric(&[0, 0, 0xC000, 0])).is_err());
    }
}
