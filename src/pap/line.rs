//! Where in a policy file a fault stands: whoever wrote the file looks for a line, and Cedar speaks of offsets.

use miette::Diagnostic;

/// A fault in words, after the line it stands on where Cedar says which.
pub fn told(text: &str, fault: &dyn Diagnostic) -> String {
    let offset = fault.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
    match offset.and_then(|offset| text.as_bytes().get(..offset)) {
        Some(before) => format!("line {}: {fault}", 1 + before.iter().filter(|byte| **byte == b'\n').count()),
        None => fault.to_string(),
    }
}
