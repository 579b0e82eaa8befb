//! Mutants of the policies: each must make a row fail, or the policy is not proved.
//!
//! Every build removes each policy whole, and writes down the row that notices (`proofs.json`, which `REFERENCE.md`
//! quotes). It also drops and negates conditions and swaps effects, of one policy in [`SAMPLE`]; with `MUTANTS=all` of
//! every policy (the README has the command).

use std::{
    collections::BTreeMap,
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use pinkpaper::pap::{Loader, PolicyFiles};

use crate::{
    row::Row,
    tables::rows,
    world::{BUNDLE, FILES, root},
};

/// One policy in so many is changed in every build, the same ones each time.
const SAMPLE: usize = 40;

/// One change to one policy.
struct Mutant {
    policy: String,
    what: String,
    files: PolicyFiles,
}

/// What became of a mutant.
enum Fate {
    /// The loader would not have it.
    Refused,
    /// A row noticed: its table and what it shows.
    Noticed(String),
    Survived,
}

/// Every policy about papers: id and file.
fn policies() -> Vec<(String, String)> {
    let about_papers = |file: &str| !["callers/", "deciders/"].iter().any(|folder| file.starts_with(folder));
    FILES
        .below("", ".cedar")
        .filter(|(file, _)| about_papers(file))
        .filter_map(|(file, _)| Some((file.rsplit('/').next()?.trim_end_matches(".cedar").to_owned(), file.to_owned())))
        .collect()
}

/// The bundle without one policy, also deselected from every profile.
fn without(policy: &str, file: &str) -> Mutant {
    let mut files = FILES.clone();
    files.0.remove(file);
    for (path, text) in files.0.iter_mut().filter(|(path, _)| path.starts_with("profiles/")) {
        let mut profile: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{path}"));
        profile["rules"].as_array_mut().expect("rules").retain(|rule| rule["policy"] != policy);
        *text = profile.to_string();
    }
    Mutant { policy: policy.to_owned(), what: "removed".to_owned(), files }
}

fn with(policy: &str, file: &str, what: String, text: String) -> Mutant {
    let mut files = FILES.clone();
    files.0.insert(file.to_owned(), text);
    Mutant { policy: policy.to_owned(), what, files }
}

/// Annotations and scope, then the conditions in order, each with its line break before it.
pub fn pieces(text: &str) -> (String, Vec<String>) {
    let mut head = String::new();
    let mut conditions: Vec<String> = Vec::new();
    for line in text.trim_end().trim_end_matches(';').lines() {
        let begins = line.starts_with("when ") || line.starts_with("unless ");
        match conditions.last_mut() {
            _ if begins => conditions.push(line.to_owned()),
            Some(last) => {
                last.push('\n');
                last.push_str(line);
            }
            None => {
                head.push_str(line);
                head.push('\n');
            }
        }
    }
    (head, conditions)
}

pub fn joined(head: &str, conditions: &[String]) -> String {
    format!("{head}{};\n", conditions.join("\n"))
}

/// Without the text of the nth condition, the later ones moved up.
pub fn without_missing(head: &str, at: usize) -> String {
    head.lines()
        .filter(|line| !line.starts_with(&format!("@missing_{}(", at + 1)))
        .map(|line| match line.strip_prefix("@missing_").and_then(|rest| rest.split_once('(')) {
            Some((n, rest)) if n.parse::<usize>().is_ok_and(|n| n > at + 1) => {
                format!("@missing_{}({rest}\n", n.parse::<usize>().expect("a number") - 1)
            }
            _ => format!("{line}\n"),
        })
        .collect()
}

fn negated(condition: &str) -> String {
    match condition.strip_prefix("when ") {
        Some(body) => format!("unless {body}"),
        None => format!("when {}", condition.trim_start_matches("unless ")),
    }
}

/// Each condition dropped, each negated, and the effect swapped.
fn mutants(policy: &str, file: &str) -> Vec<Mutant> {
    let text = &FILES.0[file];
    let (head, conditions) = pieces(text);
    let mut all = vec![without(policy, file)];
    for at in 0..conditions.len() {
        let mut fewer = conditions.clone();
        fewer.remove(at);
        let dropped = joined(&without_missing(&head, at), &fewer);
        all.push(with(policy, file, format!("condition {} dropped", at + 1), dropped));
        let mut other = conditions.clone();
        other[at] = negated(&conditions[at]);
        all.push(with(policy, file, format!("condition {} negated", at + 1), joined(&head, &other)));
    }
    let swapped = match text.contains("\npermit (") {
        true => text.replacen("\npermit (", "\nforbid (", 1),
        false => text.replacen("\nforbid (", "\npermit (", 1),
    };
    all.push(with(policy, file, "effect swapped".to_owned(), swapped));
    all
}

/// The rows, those first that name a rule of the policy: they are the likeliest to notice.
fn likeliest_first<'r>(policy: &str, rows: &'r [Row]) -> Vec<&'r Row> {
    let having: Vec<_> = BUNDLE.books.values().filter(|book| book.rule(policy).is_some()).collect();
    let rules: Vec<String> = having
        .iter()
        .filter_map(|book| book.rule(policy))
        .flat_map(|rule| rule.rule_ids().cloned().collect::<Vec<_>>())
        .collect();
    let names = |row: &Row| row.cells.values().any(|cell| rules.iter().any(|rule| cell.contains(rule.as_str())));
    let asked = |row: &&Row| having.iter().any(|book| book.profile.id == row.cell("Profile"));
    let (likely, others): (Vec<&Row>, Vec<&Row>) = rows.iter().filter(asked).partition(|row| names(row));
    [likely, others].concat()
}

fn fate(mutant: &Mutant, rows: &[Row], loader: &mut Loader) -> Fate {
    let Ok(bundle) = loader.load(&mutant.files) else { return Fate::Refused };
    let notices = |row: &&&Row| !row.faults(&bundle).is_empty();
    likeliest_first(&mutant.policy, rows).iter().find(notices).map_or(Fate::Survived, |row| Fate::Noticed(row.name()))
}

/// Tries mutants of these policies on both cores; gives what became of each, in order.
fn tried(policies: &[(String, String)], of: fn(&str, &str) -> Vec<Mutant>) -> Vec<(String, String, Fate)> {
    let (rows, next) = (rows(), AtomicUsize::new(0));
    let work = || {
        let mut loader = Loader::default();
        let mut done = Vec::new();
        while let Some((policy, file)) = policies.get(next.fetch_add(1, Ordering::Relaxed)) {
            for mutant in of(policy, file) {
                let fate = fate(&mutant, &rows, &mut loader);
                done.push((mutant.policy, mutant.what, fate));
            }
        }
        done
    };
    let mut all: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    all.sort_by(|(a, x, _), (b, y, _)| (a, x).cmp(&(b, y)));
    all
}

#[test]
fn removing_any_policy_makes_a_row_fail() {
    let mut proofs: BTreeMap<String, String> = BTreeMap::new();
    let mut survivors = Vec::new();
    for (policy, _, fate) in tried(&policies(), |policy, file| vec![without(policy, file)]) {
        match fate {
            Fate::Noticed(row) => {
                proofs.insert(policy, row);
            }
            Fate::Refused | Fate::Survived => survivors.push(policy),
        }
    }
    assert!(survivors.is_empty(), "no row notices the removal of: {}", survivors.join(", "));
    let file = root().join("tests/policy/proofs.json");
    let told = serde_json::to_string_pretty(&proofs).expect("JSON") + "\n";
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&file, &told).expect("written");
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == told, "tests/policy/proofs.json is out of date: UPDATE_GENERATED=1 writes it");
}

#[test]
fn every_mutant_is_killed() {
    let every = if std::env::var_os("MUTANTS").is_some_and(|which| which == "all") { 1 } else { SAMPLE };
    let chosen: Vec<_> = policies().into_iter().step_by(every).collect();
    let (mut refused, mut noticed, mut survivors) = (0, 0, Vec::new());
    let all = tried(&chosen, mutants);
    for (policy, what, fate) in &all {
        match fate {
            Fate::Refused => refused += 1,
            Fate::Noticed(_) => noticed += 1,
            Fate::Survived => survivors.push(format!("{policy}: {what}")),
        }
    }
    assert!(noticed > 0, "no mutant was tried");
    println!("{} mutants: {noticed} noticed by a row, {refused} refused by the loader", all.len());
    assert!(survivors.is_empty(), "{} survive:\n{}", survivors.len(), survivors.join("\n"));
}
