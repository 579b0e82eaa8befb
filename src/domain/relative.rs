//! Times written relative to a moment, for data that must stay of today: `{{now+7d}}`, `{{date-90d}}`.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::calendar::london_day;

/// A text in double braces that names no time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no placeholder")]
pub struct NotAPlaceholder(pub String);

/// Replaces every string that is a placeholder: `{{now}}`, `{{now-5h}}`, `{{now+7d}}`, `{{now-5m}}` by a time,
/// `{{date}}`, `{{date-90d}}` by a London day.
pub fn resolve(value: &mut Value, now: Timestamp) -> Result<(), NotAPlaceholder> {
    match value {
        Value::String(text) => {
            if let Some(inner) = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
                *text = placeholder(inner, now).ok_or_else(|| NotAPlaceholder(inner.to_owned()))?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve(item, now)),
        Value::Object(members) => members.values_mut().try_for_each(|member| resolve(member, now)),
        _ => Ok(()),
    }
}

fn placeholder(text: &str, now: Timestamp) -> Option<String> {
    if let Some(offset) = text.strip_prefix("now") {
        return Some(now.checked_add(duration(offset)?).ok()?.to_string());
    }
    let at = now.checked_add(duration(text.strip_prefix("date")?)?).ok()?;
    Some(london_day(at).to_string())
}

/// `""`, `+7d`, `-5h`, `-5m`.
fn duration(text: &str) -> Option<SignedDuration> {
    let Some(unit) = text.chars().last() else { return Some(SignedDuration::ZERO) };
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_that_is_none_is_refused() {
        let mut value = serde_json::json!({"at": "{{tomorrow}}"});
        assert!(resolve(&mut value, Timestamp::UNIX_EPOCH).is_err());
    }
}
