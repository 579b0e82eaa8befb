//! Reads a guide: its fenced blocks, each with what its opening line says of it.

use serde_json::Value;

pub struct Block {
    /// `json`, `sh`, …
    pub kind: String,
    /// The rest of the opening line, which a reader of the rendered page does not see.
    pub says: String,
    pub text: String,
    /// Where it stands.
    pub place: String,
}

/// Every block of a guide, in order. `guide` is its path from the repository's root.
pub fn blocks(guide: &str) -> Vec<Block> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(guide);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{guide}: {error}"));
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(head), None) => {
                let (kind, says) = head.split_once(' ').unwrap_or((head, ""));
                let place = format!("{guide}:{}", at + 1);
                open = Some(Block { kind: kind.to_owned(), says: says.to_owned(), text: String::new(), place });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{guide}: a block is not closed");
    blocks
}

/// What of an answer a guide shows otherwise than it is. `…` stands for anything: a text or number, the end of a text, the
/// rest of a list, the rest of an object. A member that is not shown may be there.
pub fn differences(told: &Value, shown: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", told, shown, &mut found);
    found
}

fn compare(at: &str, told: &Value, shown: &Value, found: &mut Vec<String>) {
    match (told, shown) {
        (_, Value::String(text)) if text == "…" => {}
        (Value::String(told), Value::String(shown)) if told.starts_with(shown.trim_end_matches('…')) => {
            if !shown.ends_with('…') && told != shown {
                found.push(format!("{at}: {told:?}, shown as {shown:?}"));
            }
        }
        (Value::Object(told), Value::Object(shown)) => {
            for (name, shown) in shown.iter().filter(|(name, _)| *name != "…") {
                match told.get(name) {
                    Some(told) => compare(&format!("{at}/{name}"), told, shown, found),
                    None => found.push(format!("{at}/{name}: is not there")),
                }
            }
        }
        (Value::Array(told), Value::Array(shown)) => {
            let open = shown.last().is_some_and(|last| last == "…");
            let known = shown.len() - usize::from(open);
            if told.len() < known || (!open && told.len() != known) {
                found.push(format!("{at}: {} of them, {known} shown", told.len()));
            }
            for (place, (told, shown)) in told.iter().zip(shown.iter().take(known)).enumerate() {
                compare(&format!("{at}/{place}"), told, shown, found);
            }
        }
        _ if told == shown => {}
        _ => found.push(format!("{at}: {told}, shown as {shown}")),
    }
}
