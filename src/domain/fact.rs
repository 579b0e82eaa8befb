//! Known, known to be none, or unknown.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A fact about a document. Left out of the message: `Unknown`. `null`: `None`, known to be none. Else `Known`.
///
/// Unknown is the closed value: no permission may follow from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fact<T> {
    #[default]
    Unknown,
    None,
    Known(T),
}

impl<T> Fact<T> {
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::None | Self::Unknown => None,
        }
    }

    /// The fact here, or where it is unknown, the one inherited.
    pub fn or<'a>(&'a self, inherited: &'a Self) -> &'a Self {
        if self.is_unknown() { inherited } else { self }
    }

    /// What is known of it: `Some(None)` is "known to be none".
    pub fn settled(&self) -> Option<Option<&T>> {
        match self {
            Self::Unknown => None,
            Self::None => Some(None),
            Self::Known(value) => Some(Some(value)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::<T>::deserialize(deserializer)? {
            Some(value) => Self::Known(value),
            None => Self::None,
        })
    }
}

impl<T: Serialize> Serialize for Fact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.known().serialize(serializer)
    }
}
