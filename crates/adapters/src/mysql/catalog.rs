//! What a MySQL or MariaDB database says of its tables
//! (<https://dev.mysql.com/doc/refman/8.0/en/information-schema.html>).

use std::collections::{BTreeMap, BTreeSet};

use model::catalog::{Catalog, CatalogColumn, CatalogTable, ForeignKey};
use model::{Problem, Result, codes};

use super::connection::MysqlConnection;
use super::dialect::hex;
use crate::sql::{Cell, Connection, Purpose, Statement};

/// Foreign keys of the database and to it, column by column.
const FOREIGN_KEYS: &str = "SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME,
    k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.DELETE_RULE
  FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
    ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
  WHERE k.REFERENCED_TABLE_NAME IS NOT NULL AND DATABASE() IN (k.TABLE_SCHEMA, k.REFERENCED_TABLE_SCHEMA)
  ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION";

/// Base tables; partitions belong to theirs, and views only show what tables hold.
const TABLES: &str = "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS, t.TABLE_ROWS
  FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
  WHERE t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND t.TABLE_SCHEMA IN";

const COLUMNS: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE,
    CASE WHEN COALESCE(GENERATION_EXPRESSION, '') <> '' THEN '1' ELSE '0' END
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN";

/// Indexes with their columns in order; an expression among them has no name.
const INDEXES: &str =
    "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, NULLABLE, SUB_PART
  FROM information_schema.STATISTICS WHERE TABLE_SCHEMA IN";

/// MariaDB's JSON is a text with a check.
const JSON_CHECKS: &str =
    "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS
  WHERE REPLACE(REPLACE(CHECK_CLAUSE, '`', ''), '\"', '') = CONCAT('json_valid(', CONSTRAINT_NAME, ')') AND CONSTRAINT_SCHEMA IN";

/// A table by its schema and name.
type Named = (String, String);

/// Reads every table of the database, and those of other databases on the server that a foreign key ties to it.
pub(super) async fn read(connection: &mut MysqlConnection, database: &str) -> Result<Catalog> {
    let mut reading = Reading { connection, database, tables: BTreeMap::new() };
    let keys = reading.foreign_keys().await?;
    let tied = keys.iter().flat_map(|key| [key.from.clone(), key.to.clone()]).collect();
    let schemas = reading.schemas(&tied);
    reading.tables(&schemas, &tied).await?;
    reading.columns(&schemas).await?;
    reading.indexes(&schemas).await?;
    for key in keys {
        reading.tie(key);
    }
    let mut tables: Vec<CatalogTable> = reading.tables.into_values().collect();
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Catalog { tables })
}

/// A foreign key between tables that are named by their schema.
struct Tie {
    from: Named,
    name: String,
    to: Named,
    columns: Vec<String>,
    target: Vec<String>,
    cascades: bool,
}

struct Reading<'a> {
    connection: &'a mut MysqlConnection,
    database: &'a str,
    tables: BTreeMap<Named, CatalogTable>,
}

impl Reading<'_> {
    async fn rows<const N: usize>(&mut self, sql: String) -> Result<Vec<[String; N]>> {
        let statement = Statement { purpose: Purpose::Catalog, table: String::new(), sql, lists: vec![] };
        self.connection.query(&statement).await?.into_iter().map(texts).collect()
    }

    /// The name that a map writes: the database goes without saying, except where a name has a dot in it.
    fn name(&self, (schema, table): &Named) -> String {
        if schema == self.database && !table.contains('.') { table.clone() } else { format!("{schema}.{table}") }
    }

    /// The schemas to ask about, as a list of literals.
    fn schemas(&self, tied: &BTreeSet<Named>) -> String {
        let named = tied.iter().map(|(schema, _)| schema.as_str());
        let all: BTreeSet<&str> = named.chain([self.database]).collect();
        let literals: Vec<String> =
            all.into_iter().map(|schema| format!("_utf8mb4 {}", hex(schema.as_bytes()))).collect();
        format!("({})", literals.join(", "))
    }

    async fn foreign_keys(&mut self) -> Result<Vec<Tie>> {
        let mut ties: Vec<Tie> = Vec::new();
        for cells in self.rows(FOREIGN_KEYS.to_owned()).await? {
            let [schema, table, name, column, there_schema, there, target, rule] = cells;
            let (from, to) = ((schema, table), (there_schema, there));
            match ties.last_mut().filter(|tie| tie.from == from && tie.name == name) {
                Some(tie) => {
                    tie.columns.push(column);
                    tie.target.push(target);
                }
                None => {
                    let cascades = rule == "CASCADE";
                    ties.push(Tie { from, name, to, columns: vec![column], target: vec![target], cascades });
                }
            }
        }
        Ok(ties)
    }

    async fn tables(&mut self, schemas: &str, tied: &BTreeSet<Named>) -> Result<()> {
        for cells in self.rows(format!("{TABLES} {schemas}")).await? {
            let [schema, table, kind, engine, transactions, rows] = cells;
            let named = (schema, table);
            if named.0 == self.database || tied.contains(&named) {
                let (name, rows) = (self.name(&named), rows.parse().ok());
                let unfit = unfit(&kind, &engine, &transactions);
                self.tables.insert(named, CatalogTable { name, rows, unfit, ..CatalogTable::default() });
            }
        }
        Ok(())
    }

    async fn columns(&mut self, schemas: &str) -> Result<()> {
        let sql = "SELECT CASE WHEN VERSION() LIKE '%MariaDB%' THEN '1' ELSE '0' END".to_owned();
        let mut json = BTreeSet::new();
        if self.rows(sql).await?.iter().any(|[is_mariadb]| is_mariadb == "1") {
            json = self.rows::<3>(format!("{JSON_CHECKS} {schemas}")).await?.into_iter().collect();
        }
        for cells in self.rows(format!("{COLUMNS} {schemas} ORDER BY ORDINAL_POSITION")).await? {
            let [schema, table, name, sql_type, collation, nullable, generated] = cells;
            let named = (schema, table);
            let Some(table) = self.tables.get_mut(&named) else { continue };
            let sql_type = match () {
                () if json.contains(&[named.0, named.1, name.clone()]) => "json".to_owned(),
                () if collation.is_empty() => sql_type,
                // How texts compare is part of what a column is.
                () => format!("{sql_type} collate {collation}"),
            };
            let (nullable, generated) = (nullable == "YES", generated == "1");
            table.columns.push(CatalogColumn { name, sql_type, nullable, generated });
        }
        Ok(())
    }

    async fn indexes(&mut self, schemas: &str) -> Result<()> {
        let order = "ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX";
        let mut whole: BTreeMap<Named, BTreeMap<String, Option<Vec<String>>>> = BTreeMap::new();
        for cells in self.rows(format!("{INDEXES} {schemas} {order}")).await? {
            let [schema, table, index, non_unique, place, column, nullable, part] = cells;
            let named = (schema, table);
            let Some(table) = self.tables.get_mut(&named) else { continue };
            if place == "1" && !column.is_empty() {
                table.indexed.push(column.clone());
            }
            if index == "PRIMARY" {
                table.primary_key.push(column);
            } else if non_unique == "0" {
                let telling = nullable != "YES" && part.is_empty() && !column.is_empty();
                let columns = whole.entry(named).or_default().entry(index).or_insert_with(|| Some(Vec::new()));
                match columns {
                    Some(columns) if telling => columns.push(column.clone()),
                    _ => *columns = None,
                }
                table.unique.extend((!column.is_empty()).then_some(column));
            }
        }
        // Without a primary key, a unique index on columns that are never null names a row as well.
        for (named, indexes) in whole {
            if let Some(table) = self.tables.get_mut(&named).filter(|table| table.primary_key.is_empty()) {
                table.primary_key = indexes.into_values().flatten().next().unwrap_or_default();
            }
        }
        Ok(())
    }

    fn tie(&mut self, tie: Tie) {
        let there = self.name(&tie.to);
        if let Some(table) = self.tables.get_mut(&tie.from) {
            let (columns, target, cascades) = (tie.columns, tie.target, tie.cascades);
            table.foreign_keys.push(ForeignKey { columns, table: there, target, cascades, deferrable: false });
        }
    }
}

/// Why rows cannot be erased from a table for good, all or nothing.
fn unfit(kind: &str, engine: &str, transactions: &str) -> Option<String> {
    match (kind, engine, transactions) {
        ("SYSTEM VERSIONED", ..) => Some(
            "it is system-versioned: what is deleted stays in its history; take the versioning off it, or the personal data out of it".to_owned(),
        ),
        (_, "", _) => Some("the server cannot open it".to_owned()),
        (_, _, "YES") => None,
        (_, engine, _) => Some(format!(
            "its engine {engine} has no transactions, so an erasure that fails half way could not be undone; convert it with ALTER TABLE … ENGINE = InnoDB"
        )),
    }
}

/// Reads a row of texts; null is empty.
pub(super) fn texts<const N: usize>(cells: Vec<Cell>) -> Result<[String; N]> {
    let texts: Vec<String> = cells.into_iter().map(Option::unwrap_or_default).collect();
    let unreadable = || Problem::new(&codes::erasure::CATALOG_UNREADABLE, "it has another shape than expected");
    texts.try_into().map_err(|_| unreadable())
}
