//! Reads `tables/*.md` and asks every row.

use std::{collections::BTreeMap, fs};

use crate::{
    row::Row,
    world::{BUNDLE, root},
};

/// Every row of every table.
pub fn rows() -> Vec<Row> {
    let mut files: Vec<_> = fs::read_dir(root().join("tests/policy/tables"))
        .expect("tables/ exists")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            read(&file.file_name().expect("a name").to_string_lossy(), &fs::read_to_string(file).expect("a table"))
        })
        .collect()
}

fn cells(line: &str) -> Vec<String> {
    line.trim().trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
}

/// The rows of one file.
pub fn read(name: &str, text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut header: Vec<String> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if !line.trim_start().starts_with('|') {
            header.clear();
            continue;
        }
        let cells = cells(line);
        let place = format!("{name}:{}", at + 1);
        if header.is_empty() {
            assert!(cells.iter().any(|cell| cell == "Outcome"), "{place}: a table needs a header row");
            header = cells;
        } else if !cells
            .iter()
            .all(|cell| cell.chars().all(|c| "-: ".contains(c)) && !cell.is_empty() && cell.len() > 1)
        {
            assert_eq!(cells.len(), header.len(), "{place}: {cells:?}");
            let row: BTreeMap<String, String> = header.iter().cloned().zip(cells).collect();
            rows.push(Row { place: format!("{place} {}", row.get("Shows").map_or("", String::as_str)), cells: row });
        }
    }
    rows
}

#[test]
fn every_row_of_every_table_holds() {
    let rows = rows();
    assert!(rows.len() > 100, "the tables are missing");
    let failed: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let faults = row.faults(&BUNDLE);
            (!faults.is_empty()).then(|| format!("{}\n    {}", row.place, faults.join("\n    ")))
        })
        .collect();
    assert!(failed.is_empty(), "{} of {} rows fail:\n{}", failed.len(), rows.len(), failed.join("\n"));
}
