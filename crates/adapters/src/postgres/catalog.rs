//! What a PostgreSQL database says of its tables (<https://www.postgresql.org/docs/current/catalogs.html>).

use std::collections::BTreeMap;

use model::catalog::{Catalog, CatalogColumn, CatalogTable, ForeignKey};
use model::{Problem, Result, codes};

use super::connection::PostgresConnection;
use crate::sql::{Cell, Connection, Purpose, Statement};

/// Base tables and partitioned ones; partitions belong to their table. The default schema goes without saying, except
/// where a name has a dot in it.
const TABLES: &str =
    "SELECT c.oid, c.relname, CASE WHEN n.nspname = current_schema() AND position('.' IN c.relname) = 0
    THEN c.relname ELSE n.nspname || '.' || c.relname END AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

/// Columns with the type below any domain. A length is no part of it: a cast to it would cut values short.
const COLUMNS: &str = "SELECT t.name, a.attname::text, format_type(CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.oid END, -1),
    a.attnotnull::text, (a.attgenerated <> '')::text
  FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type y ON y.oid = a.atttypid
  ORDER BY t.name COLLATE \"C\", a.attnum";

/// Indexes with their columns in order; an expression among them has no name.
const INDEXES: &str = "SELECT t.name, i.indisprimary::text, i.indisunique::text,
    (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, place)
       LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum AND k.attnum > 0)::text
  FROM t JOIN pg_index i ON i.indrelid = t.oid AND i.indisvalid ORDER BY i.indexrelid";

/// Foreign keys; those that a partition inherited are its table's.
const FOREIGN_KEYS: &str = "SELECT t.name, there.name,
    (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(f.conkey) WITH ORDINALITY AS k(attnum, place)
       JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum)::text,
    (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(f.confkey) WITH ORDINALITY AS k(attnum, place)
       JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum)::text,
    (f.confdeltype = 'c')::text, f.condeferrable::text
  FROM t JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f' AND f.conparentid = 0
    JOIN t AS there ON there.oid = f.confrelid ORDER BY f.oid";

/// The server's own estimates, of a partitioned table the sum; none where it was never analysed.
const ROWS: &str = "SELECT t.name, sum(leaf.reltuples)::bigint::text FROM t, pg_partition_tree(t.oid) p
    JOIN pg_class leaf ON leaf.oid = p.relid AND p.isleaf WHERE leaf.reltuples >= 0 GROUP BY t.name
  UNION ALL SELECT t.name, c.reltuples::bigint::text FROM t JOIN pg_class c ON c.oid = t.oid
    WHERE c.relkind = 'r' AND c.reltuples >= 0";

/// Reads every table, in the order of their names.
pub(super) async fn read(connection: &mut PostgresConnection) -> Result<Catalog> {
    let mut tables: BTreeMap<String, CatalogTable> = BTreeMap::new();
    for cells in rows(connection, COLUMNS).await? {
        let [name, column, sql_type, not_null, generated] = texts(cells)?;
        let table = tables.entry(name.clone()).or_insert_with(|| CatalogTable { name, ..CatalogTable::default() });
        let (nullable, generated) = (not_null == "false", generated == "true");
        table.columns.push(CatalogColumn { name: column, sql_type, nullable, generated });
    }
    for cells in rows(connection, INDEXES).await? {
        let [name, primary, unique, columns] = texts(cells)?;
        let columns: Vec<Option<String>> = names(&columns)?;
        let Some(table) = tables.get_mut(&name) else { continue };
        table.indexed.extend(columns.first().cloned().flatten());
        let columns = columns.into_iter().flatten();
        match (primary == "true", unique == "true") {
            (true, _) => table.primary_key = columns.collect(),
            (false, true) => table.unique.extend(columns),
            (false, false) => {}
        }
    }
    for cells in rows(connection, ROWS).await? {
        let [name, estimate] = texts(cells)?;
        if let Some(table) = tables.get_mut(&name) {
            table.rows = estimate.parse().ok();
        }
    }
    for cells in rows(connection, FOREIGN_KEYS).await? {
        let [name, there, columns, target, cascades, deferrable] = texts(cells)?;
        let Some(table) = tables.get_mut(&name) else { continue };
        table.foreign_keys.push(ForeignKey {
            columns: names(&columns)?,
            table: there,
            target: names(&target)?,
            cascades: cascades == "true",
            deferrable: deferrable == "true",
        });
    }
    Ok(Catalog { tables: tables.into_values().collect() })
}

/// Runs a query over `t`, the tables.
pub(super) async fn rows(connection: &mut PostgresConnection, query: &str) -> Result<Vec<Vec<Cell>>> {
    let sql = format!("WITH t AS ({TABLES}) {query}");
    connection.query(&Statement { purpose: Purpose::Catalog, table: String::new(), sql, lists: vec![] }).await
}

fn unreadable() -> Problem {
    Problem::new(&codes::erasure::CATALOG_UNREADABLE, "it has another shape than expected")
}

/// Reads a row of texts; null is empty.
pub(super) fn texts<const N: usize>(cells: Vec<Cell>) -> Result<[String; N]> {
    let texts: Vec<String> = cells.into_iter().map(Option::unwrap_or_default).collect();
    texts.try_into().map_err(|_| unreadable())
}

fn names<T: serde::de::DeserializeOwned>(json: &str) -> Result<Vec<T>> {
    serde_json::from_str(json).map_err(|_| unreadable())
}
