//! Citations: `LGA72 s100F(1)` → instrument, provision, address.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::decision::Citation;

/// `policies/law/sources.json`: the instruments a citation may name.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Sources(BTreeMap<String, Source>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    instrument: String,
    #[serde(default)]
    url: Option<String>,
    /// How far the words were verified (V, S, U).
    #[serde(default)]
    #[allow(dead_code)]
    grade: Option<String>,
}

impl Sources {
    /// The full citation, or `None` where the instrument is not listed.
    pub fn cite(&self, citation: &str) -> Option<Citation> {
        let (key, provision) = citation.split_once(' ').unwrap_or((citation, ""));
        let source = self.0.get(key)?;
        Some(Citation {
            instrument: source.instrument.clone(),
            provision: provision.to_owned(),
            url: source.url.as_ref().map(|base| format!("{base}{}", address(provision).unwrap_or_default())),
        })
    }
}

/// The path of a provision on legislation.gov.uk: `s100F(1)` → `/section/100F`, `reg 16(1)` → `/regulation/16`.
fn address(provision: &str) -> Option<String> {
    let numbered = |prefix: &str, folder: &str| {
        let rest = provision.strip_prefix(prefix)?.trim_start();
        let number: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        (!number.is_empty()).then(|| format!("/{folder}/{number}"))
    };
    numbered("reg", "regulation").or_else(|| numbered("art", "article")).or_else(|| {
        provision.strip_prefix('s').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))?;
        numbered("s", "section")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provision_has_its_address() {
        assert_eq!(address("s100F(2A)(a)").as_deref(), Some("/section/100F"));
        assert_eq!(address("reg 16(6)").as_deref(), Some("/regulation/16"));
        assert_eq!(address("para 8"), None);
        assert_eq!(address("schedule 2"), None);
    }
}
