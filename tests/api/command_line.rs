//! The program's own commands, as somebody types them.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::read_json;

fn run(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinkpaper"));
    command.args(arguments).current_dir(home).output().expect("the program runs")
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn home_with(configuration: &str) -> TempDir {
    let home = tempfile::tempdir().expect("a directory");
    fs::write(home.path().join("pinkpaper.toml"), configuration).expect("written");
    home
}

fn files(home: &Path) -> Vec<String> {
    let names = fs::read_dir(home).expect("a directory").map(|file| file.expect("a file").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What `check` finds, by what it looked at.
fn checked(home: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let arguments = [&["check", "--config", "pinkpaper.toml", "--json"], more].concat();
    let output = run(home, &arguments);
    let (code, out, err) = told(&output);
    let found: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!(found["sound"], code == Some(0), "{found}");
    (code, found)
}

fn finding<'a>(found: &'a Value, what: &str) -> &'a Value {
    let findings = found["findings"].as_array().expect("findings");
    findings.iter().find(|finding| finding["what"] == what).unwrap_or_else(|| panic!("nothing of {what}: {found}"))
}

#[test]
fn a_sound_configuration_is_checked_and_nothing_is_made() {
    let home = home_with("database_url = \"sqlite://new.db\"\nprofile = \"wat\"\n");
    let register = read_json("tests/api/cases/th52.json")["register"].clone();
    fs::write(home.path().join("register.json"), register.to_string()).expect("written");
    let before = files(home.path());
    let (code, found) = checked(home.path(), &["--register", "register.json"]);
    assert_eq!(code, Some(0), "{found}");
    assert_eq!(finding(&found, "callers")["state"], "warning");
    assert!(finding(&found, "policies")["told"].as_str().expect("text").contains("in profile wat"));
    assert!(finding(&found, "database")["told"].as_str().expect("text").contains("the first start makes it"));
    assert_eq!(files(home.path()), before);

    let (code, out, err) = told(&run(home.path(), &["check", "--config", "pinkpaper.toml"]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.lines().any(|line| line.starts_with("ok       policies ")), "{out}");
}

#[test]
fn whatever_would_stop_a_start_is_a_fault_that_names_its_place() {
    let cases: [(&str, &str, &str); 6] = [
        ("colour = \"pink\"\n", "configuration", "colour"),
        ("profile = \"nowhere\"\n", "policies", "nowhere"),
        ("[tls]\ncertificate_file = \"none.pem\"\nkey_file = \"none.key\"\n", "tls", "none.pem"),
        ("[policies]\ndirectory = \"empty\"\n", "policies", ""),
        ("database_url = \"sqlite://no/such/place.db\"\n", "database", "cannot be opened"),
        ("database_url = \"sqlite://rubbish.db\"\n", "database", "cannot be opened"),
    ];
    for (configuration, what, why) in cases {
        let home = home_with(configuration);
        fs::create_dir(home.path().join("empty")).expect("made");
        fs::write(home.path().join("rubbish.db"), "this is no database".repeat(100)).expect("written");
        let (code, found) = checked(home.path(), &[]);
        let finding = finding(&found, what);
        assert_eq!((code, &finding["state"]), (Some(1), &json!("fault")), "{configuration}: {found}");
        assert!(finding["told"].as_str().expect("text").contains(why), "{configuration}: {finding}");
    }
}

#[test]
fn a_register_file_is_refused_with_each_place_and_what_was_expected() {
    let home = home_with("");
    let mut register = read_json("tests/api/cases/th52.json")["register"].clone();
    register["people"][0]["kind"] = json!("wizard");
    register["bodies"][0]["colour"] = json!("pink");
    fs::write(home.path().join("register.json"), register.to_string()).expect("written");
    let (code, found) = checked(home.path(), &["--register", "register.json"]);
    let told = finding(&found, "register")["told"].as_str().expect("text");
    assert_eq!(code, Some(1));
    assert!(
        told.contains("register.json") && told.contains("/people/0/kind") && told.contains("/bodies/0/colour"),
        "{told}"
    );
    let (code, found) = checked(home.path(), &["--register", "none.json"]);
    assert_eq!((code, &finding(&found, "register")["state"]), (Some(1), &json!("fault")));
}

fn ask(home: &Path, question: &Value) -> (Option<i32>, String, String) {
    fs::write(home.join("question.json"), question.to_string()).expect("written");
    told(&run(home, &["decide", "--config", "pinkpaper.toml", "question.json"]))
}

#[test]
fn a_question_from_a_file_is_answered_on_record_and_only_allow_exits_0() {
    let home = home_with("database_url = \"sqlite://asked.db\"\nprofile = \"baseline\"\n");
    let part = |id: &str, access: &str| {
        json!({
            "id": id, "council_business": true, "published_at": "2026-09-20T09:00:00Z",
            "classification": {"access": access, "determined_by": "proper_officer", "determined_at": "2026-09-19T09:00:00Z"}
        })
    };
    let question = |parts: Value| json!({"principal": {"type": "public"}, "action": "read", "document": {"id": "doc-1", "kind": "report", "held_by": "council", "parts": parts}});
    let cases = [
        (json!([part("report", "open")]), "allow", 0),
        (json!([part("report", "open"), part("appendix", "confidential")]), "redact", 3),
        (json!([part("appendix", "confidential")]), "deny", 4),
    ];
    let mut made = Vec::new();
    for (parts, outcome, code) in cases {
        let (exit, out, err) = ask(home.path(), &question(parts));
        let decision: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        assert_eq!((decision["outcome"].as_str(), exit), (Some(outcome), Some(code)), "{decision}");
        made.push(decision);
    }
    let export = told(&run(home.path(), &["log", "export", "--config", "pinkpaper.toml", "out.ndjson"]));
    assert_eq!(export.0, Some(0), "{export:?}");
    let log = fs::read_to_string(home.path().join("out.ndjson")).expect("exported");
    assert!(made.iter().all(|decision| log.contains(decision["id"].as_str().expect("an id"))));

    let (exit, out, err) =
        ask(home.path(), &json!({"principal": {"type": "public"}, "action": "peek", "document": {"id": "doc-1"}}));
    assert_eq!((exit, out.as_str()), (Some(1), ""));
    assert!(err.contains("question.json") && err.contains("/action"), "{err}");
    let (exit, ..) = told(&run(home.path(), &["decide", "--config", "pinkpaper.toml"]));
    assert_eq!(exit, Some(2));
}

/// The shipped policies with three of the situations they are tried in, as `change` leaves them.
fn three_situations(dir: &std::path::Path, change: impl Fn(&str, String) -> String) {
    for (path, text) in pinkpaper::pap::PolicyFiles::shipped().0 {
        let file = dir.join(&path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        let text = if path == "law/situations.json" {
            let mut tried: Value = serde_json::from_str(&text).expect("JSON");
            let kept = ["open-committee-report", "public-report", "scrutiny-copy-under-review"];
            let all = tried["situations"].as_array_mut().expect("a list");
            all.retain(|situation| kept.iter().any(|id| situation["id"] == *id));
            assert_eq!(all.len(), kept.len());
            tried.to_string()
        } else {
            change(&path, text)
        };
        fs::write(file, text).expect("written");
    }
}

#[test]
fn laws_that_hold_are_proved_and_a_policy_that_breaks_one_is_named() {
    let home = home_with("");
    three_situations(&home.path().join("sound"), |_, text| text);
    let (code, out, err) = told(&run(home.path(), &["policy", "prove", "--profile", "baseline", "sound"]));
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.starts_with("baseline: ") && out.ends_with("0 broken\n"), "{out}");

    // Whatever is not known to be a draft is taken for published.
    three_situations(&home.path().join("rash"), |path, text| {
        if !path.ends_with("/what-is-published-is-open-to-all.cedar") {
            return text;
        }
        let conditions = ["when", "unless", "@missing_"];
        let kept = text.lines().filter(|line| !conditions.iter().any(|word| line.starts_with(word)));
        let head = kept.collect::<Vec<_>>().join("\n").replace("permit (", "@missing_1(\"a draft\")\npermit (");
        format!("{head}\nwhen {{ !(resource has draft) }};\n")
    });
    let (code, out, err) = told(&run(home.path(), &["policy", "prove", "--profile", "baseline", "--json", "rash"]));
    let proofs: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let broken = proofs[0]["broken"].as_array().expect("a list");
    assert_eq!(code, Some(1));
    assert!(broken.iter().any(|one| one["law"] == "a fact forgotten opens nothing"), "{proofs}");
    assert_eq!(told(&run(home.path(), &["policy", "prove", "--profile", "nobody"])).0, Some(1));
}

#[test]
fn commands_are_helped_with_and_completed() {
    let home = home_with("");
    let (code, out, _) = told(&run(home.path(), &["--help"]));
    assert_eq!(code, Some(0));
    for verb in [
        "demo",
        "serve",
        "audience",
        "check",
        "decide",
        "replay",
        "log",
        "policy",
        "database",
        "openapi",
        "completions",
    ] {
        let line = out.lines().find(|line| line.trim_start().starts_with(verb));
        assert!(line.is_some_and(|line| line.trim().len() > verb.len() + 10), "{verb} is not described: {out}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = told(&run(home.path(), &["completions", shell]));
        assert!(code == Some(0) && out.contains("pinkpaper") && out.contains("decide"), "{shell}");
    }
    assert_eq!(told(&run(home.path(), &["completions", "tcsh"])).0, Some(2));
}

/// Where telemetry is sent, too: its threads must not take the reason with them.
#[test]
fn a_refused_start_says_why_though_a_collector_is_set() {
    let home = home_with("listen = \"127.0.0.1:0\"\nprofile = \"nowhere\"\n");
    for (endpoint, protocol, expected) in [
        ("http://127.0.0.1:9", "grpc", "profile `nowhere` is not among the policies"),
        ("http://127.0.0.1:9", "http/protobuf", "profile `nowhere` is not among the policies"),
        ("http://[bad", "http/protobuf", "OTEL_EXPORTER_OTLP"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinkpaper"));
        command.args(["serve", "--config", "pinkpaper.toml"]).current_dir(home.path());
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let (code, _, error) = told(&command.output().expect("the program runs"));
        assert_eq!(code, Some(1), "{endpoint} {protocol}: {error}");
        assert!(error.contains(expected) && !error.contains("panicked"), "{endpoint} {protocol}: {error}");
    }
}
