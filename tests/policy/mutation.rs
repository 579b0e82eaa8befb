//! Removing any one policy must make a row fail: a policy that no row notices is not proved.

use std::{collections::BTreeMap, thread};

use pinkpaper::pap::{Bundle, PolicyFiles};

use crate::{
    row::Row,
    tables::rows,
    world::{BUNDLE, FILES},
};

/// The bundle without one policy, also deselected from every profile.
fn without(policy: &str) -> PolicyFiles {
    let mut files = BTreeMap::new();
    for (path, text) in &FILES.0 {
        if path.ends_with(&format!("/{policy}.cedar")) {
            continue;
        }
        let text = if path.starts_with("profiles/") { deselect(policy, text) } else { text.clone() };
        files.insert(path.clone(), text);
    }
    PolicyFiles(files)
}

fn deselect(policy: &str, profile: &str) -> String {
    let mut profile: serde_json::Value = serde_json::from_str(profile).expect("a profile");
    let rules = profile["rules"].as_array_mut().expect("rules");
    rules.retain(|rule| rule["policy"] != policy);
    profile.to_string()
}

/// The rows, those first that name a rule of the policy: they are the likeliest to notice.
fn likeliest_first<'r>(policy: &str, rows: &'r [Row]) -> Vec<&'r Row> {
    let rules: Vec<String> = BUNDLE
        .books
        .values()
        .filter_map(|book| book.rule(policy))
        .flat_map(|rule| rule.rule_ids().cloned().collect::<Vec<_>>())
        .collect();
    let names = |row: &Row| rules.iter().any(|rule| row.cell("Because").contains(rule.as_str()));
    let (likely, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| names(row));
    [likely, others].concat()
}

fn survives(policy: &str, rows: &[Row]) -> bool {
    let bundle = Bundle::load(&without(policy)).unwrap_or_else(|error| panic!("without {policy}: {error}"));
    likeliest_first(policy, rows).into_iter().all(|row| row.faults(&bundle).is_empty())
}

#[test]
fn removing_any_policy_makes_a_row_fail() {
    let rows = rows();
    let policies: Vec<String> = FILES
        .below("", ".cedar")
        .filter(|(path, _)| !path.starts_with("callers/"))
        .filter_map(|(path, _)| Some(path.rsplit('/').next()?.trim_end_matches(".cedar").to_owned()))
        .collect();
    let half = policies.len().div_ceil(2);
    let survivors: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = policies
            .chunks(half)
            .map(|some| {
                scope.spawn(|| some.iter().filter(|policy| survives(policy, &rows)).cloned().collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    assert!(survivors.is_empty(), "no row notices the removal of: {}", survivors.join(", "));
}
