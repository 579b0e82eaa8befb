//! A register as CSV files in a directory: read and written by the same table of columns ([`columns`]).
//!
//! A file that is there is owned: `memberships.csv` is all memberships of everybody it or `people.csv` names. A column
//! that is there is owned too: an empty cell says that there is none. What is left out, file or column, says nothing.
//!
//! The invariant: what [`write()`] makes of a register, [`read()`] takes back as the same register.

use std::collections::{BTreeMap, BTreeSet};

use csv::{ReaderBuilder, StringRecord};
use jiff::civil::Date;
use serde_json::{Value, json};

use self::columns::{Column, Owner, SHEETS, Sheet};
use super::{Faults, Found, Item, Members, mapping::Mapping, values};

mod cell;
mod columns;
mod out;

pub use out::write;

/// Files by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What the files tell.
pub fn read(files: &Files, map: &Mapping) -> Result<Found, Faults> {
    let mut reading = Reading::default();
    reading.found.authority = map.authority.as_ref().map(|authority| json!(authority));
    for name in files.keys().filter(|name| !SHEETS.iter().any(|sheet| sheet.file == *name)) {
        let known: Vec<&str> = SHEETS.iter().map(|sheet| sheet.file).collect();
        reading.faults.add(name, format!("is not one of {}", known.join(", ")));
    }
    if files.is_empty() {
        reading.faults.add("source", "has no file of the set, such as people.csv");
    }
    for sheet in SHEETS {
        if let Some(bytes) = files.get(sheet.file) {
            reading.sheet(sheet, bytes);
        }
    }
    reading.faults.unless_any(reading.found)
}

#[derive(Default)]
struct Reading {
    found: Found,
    faults: Faults,
}

impl Reading {
    fn sheet(&mut self, sheet: &'static Sheet, bytes: &[u8]) {
        let Some(text) = self.text(sheet.file, bytes) else { return };
        let mut rows = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut rows = rows.records();
        let Some(Ok(header)) = rows.next() else {
            self.faults.add(sheet.file, format!("expected a first line with {}", sheet.header()));
            return;
        };
        let Some(columns) = self.columns(sheet, &header) else { return };
        let mut seen = BTreeSet::new();
        if let Owner::Of(list, member) = sheet.owner {
            // Whoever is named and has no row has none.
            for item in self.found.lists.get_mut(&list).into_iter().flatten() {
                item.told.insert(member.to_owned(), Value::Null);
            }
        }
        for row in rows {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    self.faults.add(sheet.file, error);
                    return;
                }
            };
            let line = row.position().map_or(0, csv::Position::line);
            let at = format!("{}:{line}", sheet.file);
            if row.len() != header.len() {
                self.faults.add(at, format!("has {} cells, expected {} as in the first line", row.len(), header.len()));
                continue;
            }
            let Some(members) = self.row(&at, &columns, &row) else { continue };
            self.take(sheet, at, members, &mut seen);
        }
    }

    /// The text of a file that is UTF-8 and separated by commas.
    fn text<'a>(&mut self, file: &str, bytes: &'a [u8]) -> Option<&'a str> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let whole = bytes.iter().take(error.valid_up_to());
                let line = 1 + whole.filter(|byte| **byte == b'\n').count();
                self.faults.add(format!("{file}:{line}"), "is not UTF-8: save it as `CSV UTF-8`");
                return None;
            }
        };
        let first = text.lines().next().unwrap_or_default();
        if first.contains(';') && !first.contains(',') {
            self.faults.add(format!("{file}:1"), "is separated by semicolons: save it separated by commas");
            return None;
        }
        Some(text)
    }

    /// Which column each cell of a row is of.
    fn columns(&mut self, sheet: &'static Sheet, header: &StringRecord) -> Option<Vec<&'static Column>> {
        let at = format!("{}:1", sheet.file);
        let mut columns: Vec<&'static Column> = Vec::new();
        let mut whole = true;
        for name in header {
            match sheet.columns.iter().find(|column| column.name == name.trim()) {
                Some(column) if !columns.iter().any(|other| other.name == column.name) => columns.push(column),
                known => {
                    let why = if known.is_some() { "stands twice" } else { "is not one of its columns" };
                    self.faults.add(&at, format!("`{}` {why}: {}", values::short(name), sheet.header()));
                    whole = false;
                }
            }
        }
        for column in sheet.columns.iter().filter(|column| column.needed) {
            if !columns.iter().any(|other| other.name == column.name) {
                self.faults.add(&at, format!("has no column `{}`", column.name));
                whole = false;
            }
        }
        whole.then_some(columns)
    }

    /// The cells of a row as members, by the columns' names; `null`: none.
    fn row(
        &mut self,
        at: &str,
        columns: &[&'static Column],
        row: &StringRecord,
    ) -> Option<Vec<(&'static Column, Value)>> {
        let mut members = Vec::new();
        let mut whole = true;
        for (column, text) in columns.iter().zip(row) {
            match cell::read(column, text) {
                Ok(value) => members.push((*column, value)),
                Err(expected) => {
                    let told = values::short(text);
                    self.faults.add(at, format!("{}: expected {expected}, not `{told}`", column.name));
                    whole = false;
                }
            }
        }
        let day = |name: &str| {
            let (_, value) = members.iter().find(|(column, _)| column.name == name)?;
            value.as_str()?.parse::<Date>().ok()
        };
        for (from, to) in [("from", "to"), ("term_from", "term_to")] {
            if let (Some(begins), Some(ends)) = (day(from), day(to))
                && ends < begins
            {
                self.faults.add(at, format!("{to}: {ends} is before {from}, {begins}"));
                whole = false;
            }
        }
        for (column, value) in &members {
            let Some(list) = column.names else { continue };
            let one = value.as_str().into_iter();
            let many = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            for id in one.chain(many) {
                self.found.refer(&format!("{at} {}", column.name), list, id);
            }
        }
        whole.then_some(members)
    }

    fn take(&mut self, sheet: &Sheet, at: String, cells: Vec<(&'static Column, Value)>, seen: &mut BTreeSet<String>) {
        let key = cells.iter().find(|(column, _)| column.path.is_empty());
        let id = key.and_then(|(_, value)| value.as_str()).unwrap_or_default().to_owned();
        let (top, mut object) = (matches!(sheet.owner, Owner::List(_)), Members::new());
        for (column, value) in cells {
            place(&mut object, column.path, value, top);
        }
        match sheet.owner {
            Owner::Authority if self.found.authority.is_some() && !seen.is_empty() => {
                self.faults.add(at, "expected one authority");
            }
            Owner::Authority => {
                seen.insert(id);
                self.found.authority = Some(Value::Object(object));
            }
            Owner::List(list) => {
                if !seen.insert(id.clone()) {
                    self.faults.add(at, format!("id: `{id}` stands twice"));
                    return;
                }
                self.found.add(list, Item { id, at, told: object, at_first: Members::new() });
            }
            Owner::Of(list, member) => {
                let items = self.found.lists.entry(list).or_default();
                let at_item = items.iter().position(|item| item.id == id).unwrap_or_else(|| {
                    items.push(Item { id, at, ..Item::default() });
                    items.len() - 1
                });
                let Some(item) = items.get_mut(at_item) else { return };
                match item.told.get_mut(member) {
                    Some(Value::Array(all)) => all.push(Value::Object(object)),
                    _ => {
                        item.told.insert(member.to_owned(), json!([object]));
                    }
                }
            }
        }
    }
}

/// Puts a value where a path says. In an object of a list `null` is told; elsewhere it is left out.
fn place(object: &mut Members, path: &[&str], value: Value, null_is_told: bool) {
    match path {
        [name] if !value.is_null() || null_is_told => {
            object.insert((*name).to_owned(), value);
        }
        [outer, inner] => {
            let there = object.entry((*outer).to_owned()).or_insert(Value::Null);
            if !value.is_null() {
                if !there.is_object() {
                    *there = json!({});
                }
                if let Value::Object(there) = there {
                    there.insert((*inner).to_owned(), value);
                }
            }
        }
        _ => {}
    }
}
