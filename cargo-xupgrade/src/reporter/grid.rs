//! The parts of tables: columns, colours, the title of a dependency. Pure text; widths are counted in characters.

use std::fmt::Write as _;

use crate::candidate::{Place, Role};
use crate::machine::failure::shown;

/// The use of colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// ANSI colours.
    Colour,
    /// None.
    Plain,
}

impl Paint {
    pub(super) fn over(self, code: &str, text: &str) -> String {
        match self {
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

/// Aligned columns; the last one is not padded.
#[derive(Debug, Default)]
pub(super) struct Grid {
    pub(super) rows: Vec<Vec<String>>,
}

impl Grid {
    pub(super) fn row(&mut self, cells: &[&str]) {
        self.rows.push(cells.iter().map(|cell| shown(cell).replace('\n', " ")).collect());
    }

    pub(super) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, "  {cell:width$}");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A name, with a word beside it where no manifest of the project has it, or its registry is not the usual one.
pub(super) fn titled(name: &str, role: Role, places: &[Place]) -> String {
    let registry = places.first().and_then(|place| place.registry.as_deref());
    match registry.or((!role.is_direct()).then_some("transitive")) {
        Some(word) => format!("{name} ({word})"),
        None => name.to_owned(),
    }
}
