//! What was seen of a database: everything that a draft is made from.

use std::collections::BTreeMap;

use adapters::Inspector;
use adapters::inspect::{ColumnSample, Shape, Surroundings};
use model::Result;
use model::catalog::{Catalog, CatalogColumn, CatalogTable};

use super::names::{self, Name};
use super::types::TypeClass;

/// How many tables are sampled; beyond that, names alone must do.
const SAMPLED_TABLES: usize = 500;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) catalog: Catalog,
    pub(super) around: Surroundings,
    /// By table and column.
    pub(super) samples: BTreeMap<String, BTreeMap<String, ColumnSample>>,
    /// Tables that could not be sampled, and why.
    pub(super) unseen: Vec<(String, String)>,
}

impl Evidence {
    /// Looks at everything, within limits.
    pub(super) async fn gather(inspector: &dyn Inspector) -> Result<Self> {
        let catalog = inspector.catalog().await?;
        let around = inspector.surroundings(&catalog).await?;
        let mut evidence = Self { catalog, around, ..Self::default() };
        let tables = evidence.catalog.tables.iter().map(|table| (table.name.clone(), interesting(&table.columns)));
        let copies = evidence.around.copies.iter().map(|copy| (copy.name.clone(), interesting(&copy.columns)));
        for (number, (name, columns)) in tables.chain(copies).collect::<Vec<_>>().into_iter().enumerate() {
            if columns.is_empty() {
                continue;
            }
            if number >= SAMPLED_TABLES {
                evidence.unseen.push((name, format!("only {SAMPLED_TABLES} tables are sampled")));
                continue;
            }
            match inspector.sample(&name, &columns).await {
                Ok(sample) => drop(evidence.samples.insert(name, sample)),
                Err(problem) => evidence.unseen.push((name, problem.detail)),
            }
        }
        Ok(evidence)
    }

    pub(super) fn sample(&self, table: &str, column: &str) -> Option<&ColumnSample> {
        self.samples.get(table)?.get(column)
    }

    pub(super) fn rows(&self, table: &str) -> Option<adapters::inspect::Rows> {
        self.around.rows.get(table).copied()
    }

    /// Says what looks personal about a column, by its name or its values; values win, and never come out.
    pub(super) fn looks_personal(&self, table: &str, column: &CatalogColumn) -> Option<String> {
        let by_name = || {
            let class = TypeClass::of(&column.sql_type);
            // A flag or a time about an address is none.
            let holds = !matches!(class, TypeClass::Other | TypeClass::Bytes);
            names::personal(&Name::of(&column.name))
                .filter(|what| holds && (class != TypeClass::Time || *what == "birth or sex"))
        };
        let sample = self.sample(table, &column.name);
        let by_value = sample.and_then(|sample| match () {
            () if sample.is_mostly(Shape::Email) => Some("e-mail addresses, by the sampled values"),
            () if sample.is_mostly(Shape::IpAddress) => Some("IP addresses, by the sampled values"),
            () if sample.is_mostly(Shape::Phone) => Some("telephone numbers, by the sampled values"),
            () if sample.is_mostly(Shape::PasswordHash) => Some("password hashes, by the sampled values"),
            () if sample.has(Shape::MentionsEmail) || sample.has(Shape::Email) => {
                Some("text with e-mail addresses in it, by the sampled values")
            }
            () => None,
        });
        match (by_value, by_name()) {
            (Some(what), _) => Some(what.to_owned()),
            // An empty column holds nobody yet, but was made to.
            (None, Some(what)) => Some(format!("{what}, by its name")),
            (None, None) if TypeClass::of(&column.sql_type) == TypeClass::IpAddress => {
                Some("IP addresses, by its type".to_owned())
            }
            (None, None) => None,
        }
    }
}

/// The columns whose values are worth a look.
fn interesting(columns: &[CatalogColumn]) -> Vec<CatalogColumn> {
    let identity = |column: &CatalogColumn| super::identities::kind(&Name::of(&column.name)).is_some();
    let worth = |column: &&CatalogColumn| {
        let class = TypeClass::of(&column.sql_type);
        class.is_worth_a_look() || class.holds_identity() && identity(column)
    };
    columns.iter().filter(worth).cloned().collect()
}

/// Finds a table's column.
pub(super) fn class(table: &CatalogTable, column: &str) -> TypeClass {
    table.column(column).map_or(TypeClass::Other, |column| TypeClass::of(&column.sql_type))
}
