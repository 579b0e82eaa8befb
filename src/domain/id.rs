//! Identifiers: 1–200 characters of `A-Z a-z 0-9 . _ : / -` (contract §1).

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// An identifier of anything: a person, a body, a document, a part, a matter, a decision.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Id(Arc<str>);

/// A string that is no identifier.
#[derive(Debug, thiserror::Error)]
#[error("an id is 1 to 200 characters of `A-Z a-z 0-9 . _ : / -`")]
pub struct NotAnId;

impl Id {
    pub const MAX_LENGTH: usize = 200;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Id {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(NotAnId)
        }
    }
}

impl TryFrom<&str> for Id {
    type Error = NotAnId;

    fn try_from(text: &str) -> Result<Self, NotAnId> {
        text.to_owned().try_into()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl std::borrow::Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_to_its_alphabet_and_length() {
        assert!(Id::try_from("edrms:2026/0117").is_ok());
        assert!(Id::try_from("").is_err());
        assert!(Id::try_from("two words").is_err());
        assert!(Id::try_from("a".repeat(200).as_str()).is_ok());
        assert!(Id::try_from("a".repeat(201).as_str()).is_err());
        assert!(Id::try_from("caf\u{e9}").is_err());
    }
}
