//! Tables of numbers for people: names on the left, figures on the right.

use std::fmt;

/// A table of which the first column holds names and all others hold numbers.
pub struct Table<const N: usize> {
    head: [&'static str; N],
    rows: Vec<Vec<String>>,
}

impl<const N: usize> Table<N> {
    /// Creates an empty table.
    pub fn new(head: [&'static str; N]) -> Self {
        Self { head, rows: vec![] }
    }

    /// Adds a row.
    pub fn row(&mut self, name: &str, numbers: impl IntoIterator<Item = u64>) {
        self.rows.push(std::iter::once(name.to_owned()).chain(numbers.into_iter().map(grouped)).collect());
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([self.head[column].len()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..N).map(width).collect();
        let head = self.head.iter().map(|cell| (*cell).to_owned()).collect();
        for row in std::iter::once(&head).chain(&self.rows) {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  "))?;
        }
        Ok(())
    }
}

/// Writes a number with thin groups: 1 234 567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_under_each_other() {
        let mut table = Table::new(["", "read", "bytes"]);
        table.row("posts", [7, 1_234_567]);
        table.row("photos", [12_000, 0]);
        assert_eq!(
            table.to_string(),
            "          read      bytes\nposts        7  1 234 567\nphotos  12 000          0\n"
        );
    }
}
