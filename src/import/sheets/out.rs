//! A register written as files.

use csv::{Terminator, WriterBuilder};
use serde_json::Value;

use super::{
    Files, cell,
    columns::{Column, Owner, SHEETS, Sheet},
};
use crate::import::List;

/// The files that a register is.
pub fn write(register: &Value) -> Result<Files, csv::Error> {
    let mut files = Files::new();
    for sheet in SHEETS {
        let mut rows = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        rows.write_record(sheet.columns.iter().map(|column| column.name))?;
        let listed = |list: List| register.get(list.word()).and_then(Value::as_array).into_iter().flatten();
        match sheet.owner {
            Owner::Authority => rows.write_record(cells(sheet, None, register.get("authority")))?,
            Owner::List(list) => {
                for object in listed(list) {
                    rows.write_record(cells(sheet, object.get("id"), Some(object)))?;
                }
            }
            Owner::Of(list, member) => {
                for object in listed(list) {
                    for below in object.get(member).and_then(Value::as_array).into_iter().flatten() {
                        rows.write_record(cells(sheet, object.get("id"), Some(below)))?;
                    }
                }
            }
        }
        let bytes = rows.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        files.insert(sheet.file.to_owned(), bytes);
    }
    Ok(files)
}

fn cells(sheet: &Sheet, key: Option<&Value>, object: Option<&Value>) -> Vec<String> {
    let cell = |column: &Column| {
        let value = match column.path {
            [] => key,
            path => path.iter().try_fold(object?, |value, name| value.get(*name)),
        };
        value.map(cell::write)
    };
    sheet.columns.iter().map(|column| cell(column).unwrap_or_default()).collect()
}
