//! What is under `deploy/` agrees with itself and with the program: names of metrics, sections of the runbook, links,
//! commands, configurations, versions. What other programs read is held to them by `tests/deploy/lint`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use pinkpaper::config::{Config, Flags};

fn deploy() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn text(name: &str) -> String {
    fs::read_to_string(deploy().join(name)).unwrap_or_else(|_| panic!("deploy/{name}"))
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path, ending) } else { vec![path] })
        .collect::<Vec<_>>()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect()
}

/// What stands in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

struct Metric {
    prometheus: String,
    kind: String,
    labels: BTreeSet<String>,
}

/// The rows of METRICS.md, each with the name that the usual translation gives.
fn metrics() -> Vec<Metric> {
    let table = text("METRICS.md");
    let rows = table.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 7);
    let metrics: Vec<Metric> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let (name, unit, kind) = (quoted(cells[1]).next().expect("a name"), cells[2], cells[3]);
            let suffix = match (unit, kind) {
                ("s", _) => "_seconds",
                ("1", "gauge") => "_ratio",
                _ => "",
            };
            let total = if kind == "counter" { "_total" } else { "" };
            let prometheus = format!("{}{suffix}{total}", name.replace('.', "_"));
            assert_eq!(quoted(cells[5]).collect::<Vec<_>>(), [prometheus.as_str()], "{name}");
            assert!(["counter", "updowncounter", "gauge", "histogram"].contains(&kind), "{name}: {kind}");
            let labels = quoted(cells[4]).map(|label| label.replace('.', "_")).collect();
            Metric { prometheus, kind: kind.to_owned(), labels }
        })
        .collect();
    assert!(metrics.len() > 20, "only {} metrics are in the table", metrics.len());
    metrics
}

/// The words of a text that look like a metric or one of its labels.
fn measured(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let ours = |word: &&str| (word.starts_with("pinkpaper_") || word.starts_with("http_")) && !word.contains(':');
    words.filter(ours).map(str::to_owned).collect()
}

#[test]
fn every_metric_of_alerts_and_dashboard_is_in_the_table() {
    let metrics = metrics();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for metric in &metrics {
        known.extend(metric.labels.iter().cloned());
        match metric.kind.as_str() {
            "histogram" => known.extend(["bucket", "sum", "count"].map(|part| format!("{}_{part}", metric.prometheus))),
            _ => known.extend([metric.prometheus.clone()]),
        }
    }
    let mut shown = BTreeSet::new();
    for file in ["prometheus/alerts.yaml", "prometheus/alerts.test.yaml", "grafana/pinkpaper.json"] {
        let named = measured(&text(file));
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} names what METRICS.md does not: {unknown:?}");
        shown.extend(named);
    }
    for metric in metrics {
        assert!(shown.iter().any(|name| name.starts_with(&metric.prometheus)), "nobody looks at {}", metric.prometheus);
    }
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().replace(' ', "-")
}

/// The lines of a page, without those of its code.
fn prose(page: &str) -> Vec<&str> {
    let mut code = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            lines.push(line);
        }
    }
    lines
}

fn anchors(page: &str) -> BTreeSet<String> {
    prose(page).into_iter().filter(|line| line.starts_with('#')).map(anchor).collect()
}

#[test]
fn every_alert_has_its_section_and_its_test_and_every_section_its_alert() {
    let (alerts, tests, runbook) =
        (text("prometheus/alerts.yaml"), text("prometheus/alerts.test.yaml"), text("RUNBOOK.md"));
    let mut of: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for rule in alerts.split("- alert: ").skip(1) {
        let name = rule.lines().next().expect("a name").trim();
        let sections = rule.lines().filter_map(|line| line.trim().strip_prefix("runbook: RUNBOOK.md#"));
        let entry = of.entry(name).or_default();
        entry.0 += 1;
        entry.1.extend(sections);
    }
    assert!(of.len() > 10, "only {} alerts were found", of.len());
    for (alert, (_, sections)) in &of {
        assert_eq!(
            sections.iter().copied().collect::<Vec<_>>(),
            [alert.to_lowercase()],
            "{alert} names another section"
        );
        let fires = format!("alertname: {alert}\n        exp_alerts:");
        assert!(tests.contains(&fires), "no test has {alert} fire");
        let quiet = format!("alertname: {alert}}}");
        assert!(tests.contains(&quiet), "no test has {alert} keep quiet");
    }
    let sections: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("### Pinkpaper")).collect();
    let alerts: BTreeSet<&str> = of.keys().map(|alert| alert.trim_start_matches("Pinkpaper")).collect();
    assert_eq!(sections, alerts);
}

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    let mut followed = 0;
    for file in files(&deploy(), "md") {
        let page = fs::read_to_string(&file).expect("a page");
        for link in prose(&page).join("\n").split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (path, section) = link.split_once('#').map_or((link, None), |(path, section)| (path, Some(section)));
            let target = if path.is_empty() { file.clone() } else { file.parent().expect("a folder").join(path) };
            assert!(target.exists(), "{}: {link}", file.display());
            if let Some(section) = section {
                let there = anchors(&fs::read_to_string(&target).expect("a page"));
                assert!(there.contains(section), "{}: {link} is not among {there:?}", file.display());
            }
            followed += 1;
        }
    }
    assert!(followed > 30, "only {followed} links were found");
}

/// The commands of a page's shell blocks that are ours: the words after `pinkpaper`.
fn commands(page: &str) -> Vec<Vec<String>> {
    let blocks = page.split("```").skip(1).step_by(2).filter(|block| block.starts_with("sh\n"));
    let lines: Vec<String> =
        blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let ours = lines.iter().filter_map(|line| {
        let line = line.trim_start().trim_start_matches("sudo -u pinkpaper ");
        let words: Vec<&str> = line.split(" #").next().unwrap_or_default().split_whitespace().collect();
        // Before it stands nothing but its environment.
        let at = words.iter().position(|word| !word.starts_with("PINKPAPER_"))?;
        let begins = words[at] == "pinkpaper" || words[at].ends_with("/pinkpaper");
        begins.then(|| words[at + 1..].iter().map(|word| (*word).to_owned()).collect())
    });
    ours.collect()
}

#[test]
fn every_command_of_the_pages_exists_with_its_flags() {
    let mut tried = 0;
    for file in files(&deploy(), "md") {
        for words in commands(&fs::read_to_string(&file).expect("a page")) {
            let verbs: Vec<&String> =
                words.iter().take_while(|word| word.chars().all(|c| c.is_ascii_lowercase())).collect();
            let help = Command::new(env!("CARGO_BIN_EXE_pinkpaper")).args(&verbs).arg("--help").output().expect("help");
            let told = String::from_utf8_lossy(&help.stdout).into_owned();
            let line = words.join(" ");
            assert!(help.status.success(), "{}: there is no `pinkpaper {line}`", file.display());
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                let known = told.split_whitespace().any(|word| word.trim_end_matches(',') == flag.as_str());
                assert!(known, "{}: `{flag}` is no flag of `pinkpaper {line}`", file.display());
            }
            tried += 1;
        }
    }
    assert!(tried > 15, "only {tried} commands were found");
}

#[test]
fn every_configuration_is_one() {
    for file in files(&deploy(), "toml") {
        let read = Config::read(Some(&file), &Flags::default());
        assert!(read.is_ok(), "{}: {}", file.display(), read.err().map(|e| e.to_string()).unwrap_or_default());
    }
}

#[test]
fn every_variable_of_the_compose_file_is_in_the_example() {
    let (compose, example) = (text("compose/compose.yaml"), text("compose/.env.example"));
    let used: BTreeSet<&str> = compose.split("${").skip(1).filter_map(|rest| rest.split(":?").next()).collect();
    let given: BTreeSet<&str> =
        example.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.strip_suffix('=')).collect();
    assert_eq!(used, given);
    assert!(example.lines().all(|line| line.is_empty() || line.starts_with('#') || line.ends_with('=')), "no values");
}

#[test]
fn images_and_package_are_of_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(text("Dockerfile").contains(&format!("ARG VERSION={version}\n")), "deploy/Dockerfile");
    assert!(text("compose/compose.yaml").contains(&format!("image: pinkpaper:{version}\n")), "compose");
    for file in ["kubernetes/kustomization.yaml", "kubernetes/migration/kustomization.yaml"] {
        assert!(text(file).contains(&format!("newTag: {version}\n")), "{file}");
    }
    assert!(text("debian/changelog").starts_with(&format!("pinkpaper ({version}-1) ")), "debian/changelog");
}
