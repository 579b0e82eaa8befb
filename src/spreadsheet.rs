//! Rows of comma-separated values that are safe to open in a spreadsheet, as RFC 4180 has them.
//!
//! A spreadsheet runs a cell that begins like a formula, whoever wrote the name or title in it. So such a cell is written
//! with an apostrophe before it, which a spreadsheet takes for "this is text".
//!
//! It deliberately knows no columns: what stands in a row is for whoever writes it.
//!
//! The invariant: no cell of a [`written`] row [begins a formula](begins_a_formula).

/// What a spreadsheet takes for a formula begins with one of these.
const BEGIN_A_FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

pub fn begins_a_formula(cell: &str) -> bool {
    cell.starts_with(BEGIN_A_FORMULA)
}

/// Cells as a row with its line end, none of which a spreadsheet would run.
pub fn written(cells: &[String]) -> String {
    let mut row = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = row.write_record(cells.iter().map(|cell| harmless(cell)));
    row.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn harmless(cell: &str) -> String {
    if begins_a_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        assert_eq!(harmless("doc:1-2"), "doc:1-2");
    }

    #[test]
    fn a_cell_keeps_its_commas_quotes_and_lines() {
        let cells = ["a,b".to_owned(), "a \"b\"".to_owned(), "a\nb".to_owned(), String::new()];
        let text = written(&cells);
        let mut read = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let row = read.records().next().expect("a row").expect("readable");
        assert_eq!(row.iter().collect::<Vec<_>>(), cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
