//! Where an element of an answer is: its line and column, found without reading the answer from its start each time.

use roxmltree::Node;

/// How many bytes are read again to find a place.
const STEP: usize = 1024;

/// An answer, by its name, with the line and column of every [`STEP`]th byte.
pub(in crate::import) struct Source<'a> {
    pub name: &'a str,
    text: &'a str,
    places: Vec<Place>,
}

/// Line and column, in characters, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    line: u32,
    column: u32,
}

impl Place {
    const FIRST: Self = Self { line: 1, column: 1 };

    fn after(self, bytes: &[u8]) -> Self {
        bytes.iter().fold(self, |place, byte| match byte {
            b'\n' => Self { line: place.line + 1, column: 1 },
            // Not the first byte of a character.
            0x80..=0xBF => place,
            _ => Self { column: place.column + 1, ..place },
        })
    }
}

impl<'a> Source<'a> {
    pub fn new(name: &'a str, text: &'a str) -> Self {
        let steps = text.as_bytes().chunks(STEP);
        let places = steps.scan(Place::FIRST, |place, step| Some(std::mem::replace(place, place.after(step))));
        Self { name, text, places: places.collect() }
    }

    fn place(&self, byte: usize) -> Place {
        let step = byte / STEP;
        let before = self.text.as_bytes().get(step * STEP..byte).unwrap_or_default();
        self.places.get(step).copied().unwrap_or(Place::FIRST).after(before)
    }

    /// Where an element is.
    pub fn at(&self, node: Node<'_, '_>) -> String {
        let Place { line, column } = self.place(node.range().start);
        format!("{}:{line}:{column} <{}>", self.name, node.tag_name().name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_one_that_reading_from_the_start_gives() {
        let text = format!("<a>{}\n{}<b/>\n\n<c>é</c></a>", "é<x/>".repeat(700), "<y/>\r\n ü ".repeat(300));
        let document = roxmltree::Document::parse(&text).expect("XML");
        let source = Source::new("a.xml", &text);
        for node in document.descendants().filter(|node| node.is_element()) {
            let start = node.range().start;
            let expected = document.text_pos_at(start);
            assert_eq!(source.place(start), Place { line: expected.row, column: expected.col });
        }
    }
}
