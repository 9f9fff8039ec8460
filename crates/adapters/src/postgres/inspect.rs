//! Looking into a PostgreSQL database.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use model::catalog::{Catalog, CatalogColumn};
use model::{Problem, Result, codes};

use super::Postgres;
use super::catalog::{rows, texts};
use super::connection::{Begin, PostgresConnection};
use crate::inspect::{
    ColumnSample, Containment, Copied, CopyKind, Inspector, Place, Rights, Rows, Surroundings, Trigger,
};
use crate::sql::{self, Dialect, quote};

/// The server's own estimates, and the number of partitions; -1 where it was never analysed.
const SIZES: &str = "SELECT t.name,
    (CASE c.relkind WHEN 'p' THEN (SELECT sum(leaf.reltuples) FROM pg_partition_tree(c.oid) p
        JOIN pg_class leaf ON leaf.oid = p.relid WHERE p.isleaf) ELSE c.reltuples END)::bigint::text,
    (CASE c.relkind WHEN 'p' THEN (SELECT count(*) FROM pg_partition_tree(c.oid) p WHERE p.isleaf) ELSE 0 END)::text
  FROM t JOIN pg_class c ON c.oid = t.oid";

/// Relations that are no base tables, with their columns.
const OTHERS: &str = "SELECT CASE WHEN n.nspname = current_schema() AND position('.' IN c.relname) = 0
      THEN c.relname ELSE n.nspname || '.' || c.relname END, c.relkind::text, a.attname::text, format_type(a.atttypid, -1)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind IN ('v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  ORDER BY 1, a.attnum";

/// Triggers that somebody made; `tgtype` says what they react to (src/include/catalog/pg_trigger.h).
const TRIGGERS: &str = "SELECT t.name, g.tgname::text, concat_ws(',', CASE WHEN g.tgtype & 4 > 0 THEN 'insert' END,
      CASE WHEN g.tgtype & 8 > 0 THEN 'delete' END, CASE WHEN g.tgtype & 16 > 0 THEN 'update' END)
  FROM t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal ORDER BY 1, 2";

/// What the account may do. Changing some columns is enough of a right only where these are the ones to change.
const RIGHTS: &str = "SELECT t.name, has_table_privilege(t.oid, 'SELECT')::text, has_table_privilege(t.oid, 'UPDATE')::text,
    has_table_privilege(t.oid, 'DELETE')::text, has_schema_privilege(n.oid, 'USAGE')::text, row_security_active(t.oid)::text
  FROM t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace";

#[async_trait]
impl Inspector for Postgres {
    async fn catalog(&self) -> Result<Catalog> {
        crate::Eraser::catalog(self).await
    }

    async fn surroundings(&self, catalog: &Catalog) -> Result<Surroundings> {
        let mut transaction = self.begin(Begin::Looking).await?;
        let mut around = Surroundings::default();
        sizes(&mut transaction, &mut around).await?;
        others(&mut transaction, &mut around).await?;
        triggers(&mut transaction, &mut around).await?;
        transaction.commit().await?;
        // Each in a transaction of its own: a failing statement ends one.
        for table in catalog.tables.iter().filter(|table| !around.rows.contains_key(&table.name)).collect::<Vec<_>>() {
            let mut transaction = self.begin(Begin::Looking).await?;
            if let Ok(count) = sql::inspect::count(&mut transaction, &table.name).await {
                around.rows.insert(table.name.clone(), count);
                transaction.commit().await?;
            }
        }
        Ok(around)
    }

    async fn sample(&self, table: &str, columns: &[CatalogColumn]) -> Result<BTreeMap<String, ColumnSample>> {
        let mut transaction = self.begin(Begin::Looking).await?;
        let sample = sql::inspect::sample(&mut transaction, table, columns).await?;
        transaction.commit().await?;
        Ok(sample)
    }

    async fn contained(&self, from: &Place, to: &Place) -> Result<Containment> {
        let mut transaction = self.begin(Begin::Looking).await?;
        let contained = sql::inspect::contained(&mut transaction, from, to).await?;
        transaction.commit().await?;
        Ok(contained)
    }

    async fn rights(&self, tables: &[String]) -> Result<BTreeMap<String, Rights>> {
        let mut transaction = self.begin(Begin::Looking).await?;
        let mut found = BTreeMap::new();
        for cells in rows(&mut transaction, RIGHTS).await? {
            let [name, select, update, delete, usage, row_security] = texts(cells)?;
            let may = |right: &str| right == "true" && usage == "true";
            if tables.contains(&name) {
                let (select, update, delete) = (may(&select), may(&update), may(&delete));
                // A row can be locked by whoever may change it.
                found.insert(
                    name,
                    Rights { select, update, delete, lock: update, row_security: row_security == "true" },
                );
            }
        }
        transaction.commit().await?;
        Ok(found)
    }

    fn create_index(&self, table: &str, columns: &[String]) -> String {
        let columns: Vec<String> = columns.iter().map(|column| quote(column)).collect();
        // Writers need not wait for it.
        format!(
            "CREATE INDEX CONCURRENTLY ON {} ({});",
            super::dialect::PostgresDialect.table(table),
            columns.join(", ")
        )
    }
}

async fn sizes(transaction: &mut PostgresConnection, around: &mut Surroundings) -> Result<()> {
    for cells in rows(transaction, SIZES).await? {
        let [name, estimate, partitions] = texts(cells)?;
        if let Ok(partitions @ 1..) = partitions.parse() {
            around.partitions.insert(name.clone(), partitions);
        }
        // An estimate of nothing may be an old one.
        if let Ok(estimate @ 1..) = estimate.parse() {
            around.rows.insert(name, Rows::About(estimate));
        }
    }
    Ok(())
}

async fn others(transaction: &mut PostgresConnection, around: &mut Surroundings) -> Result<()> {
    for cells in rows(transaction, OTHERS).await? {
        let [name, kind, column, sql_type] = texts(cells)?;
        let kind = match kind.as_str() {
            "m" => CopyKind::MaterializedView,
            "f" => CopyKind::ForeignTable,
            _ => {
                if around.views.last() != Some(&name) {
                    around.views.push(name);
                }
                continue;
            }
        };
        if around.copies.last().is_none_or(|last| last.name != name) {
            around.copies.push(Copied { name, kind, columns: vec![] });
        }
        let column = CatalogColumn { name: column, sql_type, nullable: true, generated: false };
        around
            .copies
            .last_mut()
            .map(|last| last.columns.push(column))
            .ok_or_else(|| Problem::new(&codes::erasure::CATALOG_UNREADABLE, "it has another shape than expected"))?;
    }
    Ok(())
}

async fn triggers(transaction: &mut PostgresConnection, around: &mut Surroundings) -> Result<()> {
    for cells in rows(transaction, TRIGGERS).await? {
        let [table, name, on] = texts(cells)?;
        let on: BTreeSet<String> = on.split(',').map(str::to_owned).collect();
        around.triggers.push(Trigger { table, name, on });
    }
    Ok(())
}
