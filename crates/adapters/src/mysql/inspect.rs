//! Looking into a MySQL or MariaDB database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::catalog::{Catalog, CatalogColumn};
use model::{Problem, Result, codes};

use super::Mysql;
use super::catalog::texts;
use super::connection::{Begin, MysqlConnection};
use super::dialect::MysqlDialect;
use crate::inspect::{COUNTED_ROWS, ColumnSample, Containment, Inspector, Place, Rights, Rows, Surroundings, Trigger};
use crate::sql::{self, Connection, Dialect, Purpose, Statement, quote};

const VIEWS: &str = "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1";

const TRIGGERS: &str =
    "SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME, LOWER(EVENT_MANIPULATION) FROM information_schema.TRIGGERS
  WHERE EVENT_OBJECT_SCHEMA = DATABASE() ORDER BY 1, 2";

const PARTITIONS: &str = "SELECT TABLE_NAME, COUNT(*) FROM information_schema.PARTITIONS
  WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL GROUP BY TABLE_NAME";

#[async_trait]
impl Inspector for Mysql {
    async fn catalog(&self) -> Result<Catalog> {
        crate::Eraser::catalog(self).await
    }

    async fn surroundings(&self, catalog: &Catalog) -> Result<Surroundings> {
        let mut transaction = self.begin(Begin::Looking).await?;
        let mut around = Surroundings::default();
        around.views.extend(rows(&mut transaction, VIEWS).await?.into_iter().map(|[name]| name));
        for [table, name, event] in rows(&mut transaction, TRIGGERS).await? {
            around.triggers.push(Trigger { table, name, on: [event].into() });
        }
        for [table, count] in rows(&mut transaction, PARTITIONS).await? {
            around.partitions.insert(table, count.parse().unwrap_or_default());
        }
        for table in &catalog.tables {
            let size = match table.rows {
                // The estimate of a small table may be far off, and counting it costs little.
                Some(estimate) if estimate > COUNTED_ROWS => Ok(Rows::About(estimate)),
                _ => sql::inspect::count(&mut transaction, &table.name).await,
            };
            if let Ok(size) = size {
                around.rows.insert(table.name.clone(), size);
            }
        }
        transaction.commit().await?;
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

    /// Asks how the server would do it, for which it demands the same rights, whatever roles they come from.
    async fn rights(&self, tables: &[String]) -> Result<BTreeMap<String, Rights>> {
        let catalog = crate::Eraser::catalog(self).await?;
        // Nothing is changed, but a transaction that only reads would not even be told how.
        let mut transaction = self.begin(Begin::Writing).await?;
        let mut found = BTreeMap::new();
        for table in catalog.tables.iter().filter(|table| tables.contains(&table.name)) {
            let name = MysqlDialect.table(&table.name);
            let column = table.columns.iter().find(|column| !column.generated).map(|column| quote(&column.name));
            let set = column.map_or_else(String::new, |column| format!("{column} = {column}"));
            let select = may(&mut transaction, &format!("SELECT * FROM {name} LIMIT 1")).await?;
            let update = may(&mut transaction, &format!("UPDATE {name} SET {set} WHERE 1 = 0")).await?;
            let delete = may(&mut transaction, &format!("DELETE FROM {name} WHERE 1 = 0")).await?;
            let lock = select && (update || delete);
            found.insert(table.name.clone(), Rights { select, update, delete, lock, row_security: false });
        }
        transaction.commit().await?;
        Ok(found)
    }

    fn create_index(&self, table: &str, columns: &[String]) -> String {
        let name = quote_as_usual(&columns.join("_"));
        let columns: Vec<String> = columns.iter().map(|column| quote_as_usual(column)).collect();
        let table: Vec<String> = table.splitn(2, '.').map(quote_as_usual).collect();
        format!("CREATE INDEX {name} ON {} ({});", table.join("."), columns.join(", "))
    }
}

/// Writes a name as people's own sessions understand it, which know no standard quotes.
fn quote_as_usual(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

async fn may(transaction: &mut MysqlConnection, statement: &str) -> Result<bool> {
    let sql = format!("EXPLAIN {statement}");
    let asked = Statement { purpose: Purpose::Read, table: String::new(), sql, lists: vec![] };
    match transaction.query(&asked).await {
        Ok(_) => Ok(true),
        Err(problem) if problem.is(&codes::erasure::TABLE_UNREADABLE) => Ok(false),
        Err(problem) => Err(problem),
    }
}

async fn rows<const N: usize>(transaction: &mut MysqlConnection, sql: &str) -> Result<Vec<[String; N]>> {
    let statement = Statement { purpose: Purpose::Catalog, table: String::new(), sql: sql.to_owned(), lists: vec![] };
    transaction.query(&statement).await?.into_iter().map(texts).collect::<Result<_, Problem>>()
}
