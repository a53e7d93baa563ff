//! Tables that fit: on a narrow terminal the least needed columns go first, lines never break.

use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, presets::NOTHING};

use super::{Screen, harmless};

/// A column: its head, how it is set, and how soon it may go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    head: &'static str,
    right: bool,
    /// Lower ones go first when there is no room; 9 never goes.
    keep: u8,
}

impl Column {
    /// A column of words that always stays.
    pub(crate) const fn words(head: &'static str) -> Self {
        Self { head, right: false, keep: 9 }
    }

    /// A column of numbers that always stays.
    pub(crate) const fn number(head: &'static str) -> Self {
        Self { head, right: true, keep: 9 }
    }

    /// It may go, lower ranks first.
    pub(crate) const fn keep(mut self, rank: u8) -> Self {
        self.keep = rank;
        self
    }
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tone {
    #[default]
    Plain,
    Good,
    Warn,
    Bad,
    Dim,
}

/// One cell; its text is made harmless when it is drawn: a table is for people, also behind a pipe, and a line break in a
/// cell would look like a row.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }
}

impl Cell {
    /// A figure, or a dash where it is not known.
    pub(crate) fn known(text: Option<impl Into<String>>) -> Self {
        match text {
            Some(text) => Self::from(text),
            None => Self::from("-").dim(),
        }
    }

    /// As it should be.
    pub(crate) fn good(mut self) -> Self {
        self.tone = Tone::Good;
        self
    }

    /// Needs a look.
    pub(crate) fn warn(mut self) -> Self {
        self.tone = Tone::Warn;
        self
    }

    /// Broken.
    pub(crate) fn bad(mut self) -> Self {
        self.tone = Tone::Bad;
        self
    }

    /// Of less interest.
    pub(crate) fn dim(mut self) -> Self {
        self.tone = Tone::Dim;
        self
    }

    fn drawn(&self, right: bool) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new_owned(harmless(&self.text).into_owned()).set_alignment(if right {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        });
        match self.tone {
            Tone::Plain => cell,
            Tone::Good => cell.fg(Color::DarkGreen),
            Tone::Warn => cell.fg(Color::DarkYellow),
            Tone::Bad => cell.fg(Color::DarkRed).add_attribute(Attribute::Bold),
            Tone::Dim => cell.add_attribute(Attribute::Dim),
        }
    }
}

/// Rows under heads.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table with these columns.
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row; it has as many cells as there are columns.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len());
        self.rows.push(cells.into());
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, each line ended.
    pub(crate) fn render(&self, screen: &Screen) -> String {
        let mut table = self.drawn(screen);
        if screen.is_terminal()
            && let Some(width) = table.width()
        {
            hide_what_does_not_fit(&mut table, &self.columns, width);
        }
        table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn drawn(&self, screen: &Screen) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if screen.paint.on {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let head = |column: &Column| Cell::from(column.head).dim().drawn(column.right);
        table.set_header(self.columns.iter().map(head).collect::<Vec<_>>());
        for row in &self.rows {
            let cells = row.iter().zip(&self.columns).map(|(cell, column)| cell.drawn(column.right));
            table.add_row(cells.collect::<Vec<_>>());
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        table
    }
}

/// Blanks between two columns.
const GAP: u16 = 2;

fn hide_what_does_not_fit(table: &mut comfy_table::Table, columns: &[Column], width: u16) {
    let widths = table.column_max_content_widths();
    for index in hidden(columns, &widths, width) {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(ColumnConstraint::Hidden);
        }
    }
}

/// The columns that must go so that the others fit into `width`.
fn hidden(columns: &[Column], widths: &[u16], width: u16) -> Vec<usize> {
    let mut needed: u32 = widths.iter().map(|width| u32::from(*width) + u32::from(GAP)).sum();
    let mut order: Vec<usize> = (0..columns.len()).filter(|index| columns[*index].keep < 9).collect();
    order.sort_by_key(|index| columns[*index].keep);
    let mut gone = Vec::new();
    for index in order {
        if needed <= u32::from(width) + u32::from(GAP) {
            break;
        }
        needed -= u32::from(widths[index]) + u32::from(GAP);
        gone.push(index);
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_neither_drives_a_terminal_nor_looks_like_a_row() {
        let mut table = Table::new([Column::words("ID"), Column::words("WHAT")]);
        table.row(["1".into(), Cell::from("all\x1b[2J\nis well\u{9b}1m").bad()]);
        let drawn = table.render(&Screen::plain());
        assert_eq!(drawn, "ID  WHAT\n1   all\\x1b[2J\\nis well\\x9b1m\n");
    }

    #[test]
    fn the_least_needed_columns_go_first() {
        let columns = [Column::words("name"), Column::number("load").keep(1), Column::number("cpu").keep(2)];
        assert_eq!(hidden(&columns, &[10, 10, 10], 34), Vec::<usize>::new());
        assert_eq!(hidden(&columns, &[10, 10, 10], 33), [1]);
        assert_eq!(hidden(&columns, &[10, 10, 10], 5), [1, 2]);
    }
}
