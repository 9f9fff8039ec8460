//! Statements and values on their way to PostgreSQL and back.

use std::error::Error;
use std::sync::Arc;

use bytes::BytesMut;
use deadpool_postgres::Transaction;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::value::{Row, Value};

type Mismatch = Box<dyn Error + Sync + Send>;

/// Runs a statement and returns how many rows it touched.
pub(crate) async fn exec(
    transaction: &Transaction<'_>,
    sql: &str,
    params: &[Value],
) -> Result<u64, tokio_postgres::Error> {
    let statement = transaction.prepare_cached(sql).await?;
    transaction.execute_raw(&statement, params).await
}

/// Runs a query and returns its rows.
pub(crate) async fn query(
    transaction: &Transaction<'_>,
    sql: &str,
    params: &[Value],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let statement = transaction.prepare_cached(sql).await?;
    let columns: Arc<[String]> = statement.columns().iter().map(|column| column.name().to_owned()).collect();
    let bound: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
    let rows = transaction.query(&statement, &bound).await?;
    rows.iter()
        .map(|row| {
            let values = (0..columns.len()).map(|index| row.try_get::<_, Value>(index)).collect::<Result<_, _>>()?;
            Ok(Row { columns: columns.clone(), values })
        })
        .collect()
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
        matches!(*ty, Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR | Type::BYTEA)
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
