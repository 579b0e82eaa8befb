//! The rule book to read: every policy with its reason, its citations and the row that proves it, then every rule of
//! the law and of the protocols with the policy that carries it (`policies/REFERENCE.md`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};

use super::{
    Bundle,
    accounting::{Account, accounts, carriers},
    book::Rule,
    placeholders::in_general,
};
use crate::domain::words::Layer;

/// Markdown of the whole. `proofs`: for each policy the row that notices its removal.
pub fn markdown(bundle: &Bundle, proofs: &BTreeMap<String, String>) -> Result<String, String> {
    let mut page = String::from(
        "# Reference: every policy, every rule\n\nMade by `pinkpaper policy reference`; a test fails when it is out of \
         date. The policies themselves are one file each, named by their id.\n",
    );
    page.push_str(&policies(bundle, proofs).unwrap_or_default());
    page.push_str("\n## Every rule, and what carries it\n");
    let carriers = carriers(bundle);
    for (file, account) in accounts(bundle)? {
        page.push_str(&accounted(&file, &account, &carriers).unwrap_or_default());
    }
    Ok(page)
}

/// A policy as each profile has it.
type Held = BTreeMap<String, Arc<Rule>>;

fn policies(bundle: &Bundle, proofs: &BTreeMap<String, String>) -> Result<String, std::fmt::Error> {
    let mut themes: BTreeMap<String, BTreeMap<String, Held>> = BTreeMap::new();
    for (profile, book) in &bundle.books {
        for rule in book.rules() {
            let theme = themes.entry(rule.theme.clone()).or_default();
            theme.entry(rule.id().to_owned()).or_default().insert(profile.clone(), Arc::clone(rule));
        }
    }
    let mut page = String::new();
    for (theme, policies) in &themes {
        writeln!(page, "\n## {theme}")?;
        for held in policies.values() {
            page.push_str(&policy(held, bundle.books.len(), proofs)?);
        }
    }
    Ok(page)
}

fn policy(held: &Held, profiles: usize, proofs: &BTreeMap<String, String>) -> Result<String, std::fmt::Error> {
    let mut page = String::new();
    let Some(any) = held.values().next() else { return Ok(page) };
    let annotations = &any.annotations;
    let layer = match annotations.layer {
        Layer::Statute => "statute",
        Layer::CommonLaw => "common law",
        Layer::Protocol => "protocol",
    };
    writeln!(page, "\n### {}\n", any.id())?;
    writeln!(page, "**{}.** {}\n", annotations.title, in_general(&annotations.reason, None))?;
    writeln!(
        page,
        "* {}, {layer}, since {}, {}",
        annotations.role.name().replace('_', " "),
        annotations.since,
        annotations.status
    )?;
    // One line for a citation that all profiles share, else one for each.
    let mut cited: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (profile, rule) in held {
        let ids: Vec<&str> = rule.rule_ids().map(String::as_str).collect();
        let citation = &rule.citation;
        let place = [citation.instrument.as_str(), citation.provision.as_str()].join(" ");
        let link = citation.url.as_ref().map_or_else(|| place.clone(), |url| format!("[{place}]({url})"));
        cited.entry(format!("{}: {}", ids.join(", "), link.trim_end())).or_default().insert(profile);
    }
    for (citation, having) in cited {
        let of = if having.len() == profiles {
            "every profile".to_owned()
        } else {
            having.into_iter().collect::<Vec<_>>().join(", ")
        };
        writeln!(page, "* {citation} ({of})")?;
    }
    if !annotations.carries.is_empty() {
        writeln!(page, "* also carries {}", annotations.carries.join(", "))?;
    }
    if let Some(row) = proofs.get(any.id()) {
        writeln!(page, "* proved by *{row}*")?;
    }
    Ok(page)
}

fn accounted(
    file: &str,
    account: &Account,
    carriers: &BTreeMap<String, BTreeSet<String>>,
) -> Result<String, std::fmt::Error> {
    let mut page = String::new();
    let carried = account.rules.iter().filter(|entry| carriers.contains_key(&entry.rule)).count();
    writeln!(page, "\n### {file}: {}\n", account.source)?;
    writeln!(page, "{} entries, {carried} carried by a policy.\n", account.rules.len())?;
    writeln!(page, "| Rule | Subject | Carried by, or how it shows |\n|---|---|---|")?;
    for entry in &account.rules {
        let by = match carriers.get(&entry.rule) {
            Some(policies) => policies.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "),
            None => {
                let how = entry.how.map_or("", super::accounting::How::words);
                format!("*{how}*: {}", entry.why.as_deref().unwrap_or_default())
            }
        };
        writeln!(page, "| {} | {} | {by} |", entry.rule, entry.subject.replace('|', "/"))?;
    }
    Ok(page)
}
