//! The policy author's guide, followed to the letter: its files are written, its commands run, its rows asked.
//!
//! The opening line of a block says what to do with it: a path writes the file; `sh` runs (`sh fails` must), `sh starts`
//! goes on beside the rest; `text` is what the last command says, `…` for anything; `markdown` is a table of rows;
//! `sh repository` is what `cargo test` itself does.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use pinkpaper::pap::{Bundle, Loader, PolicyFiles};

use crate::{
    guide::{Block, blocks},
    mutation::{joined, pieces, without_missing},
    row::Row,
    tables,
    world::{FILES, root},
};

const GUIDE: &str = "policies/AUTHORING.md";
const ADDRESS: &str = "127.0.0.1:8080";

/// What stands in the guide is done here.
struct Desk {
    home: tempfile::TempDir,
    address: String,
    service: Option<Child>,
    tokens: Vec<(&'static str, String)>,
    said: String,
    rows: Vec<Row>,
    commands: usize,
    compared: usize,
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(service) = &mut self.service {
            let _gone = service.kill();
            let _reaped = service.wait();
        }
    }
}

impl Desk {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        for (path, text) in &FILES.0 {
            write(&home.path().join("policies").join(path), text);
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        Self {
            home,
            address: free.to_string(),
            service: None,
            tokens: Vec::new(),
            said: String::new(),
            rows: Vec::new(),
            commands: 0,
            compared: 0,
        }
    }

    fn follow(&mut self, block: &Block) {
        let text = block.text.replace(ADDRESS, &self.address);
        match (block.kind.as_str(), block.says.as_str()) {
            ("sh", "repository") => assert!(text.contains("cargo test"), "{}: nobody runs this", block.place),
            ("sh", "starts") => self.start(&text),
            ("sh", how @ ("" | "fails")) => {
                let run = self.shell(&text).output().expect("a shell");
                self.said = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
                assert_eq!(run.status.success(), how.is_empty(), "{}: {}", block.place, self.said);
                self.commands += 1;
            }
            ("text", "") => {
                assert!(reads(&self.said, &text), "{}: it says otherwise:\n{}", block.place, self.said);
                self.compared += 1;
            }
            ("cedar", says) if says.starts_with("shown from ") => {
                let file = says.trim_start_matches("shown from ");
                assert!(FILES.0[file].contains(&text), "{}: {file} reads otherwise", block.place);
            }
            ("markdown", path) => self.rows.extend(tables::read(path, &text)),
            ("cedar" | "json" | "toml", path) if !path.is_empty() => write(&self.home.path().join(path), &text),
            (kind, says) => panic!("{}: nobody tries `{kind} {says}`", block.place),
        }
    }

    /// A shell in which `pinkpaper` is this build, and the tokens are known.
    fn shell(&self, text: &str) -> Command {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_pinkpaper"));
        let folder = program.parent().expect("a folder").display();
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", text]).current_dir(self.home.path()).env("PATH", path);
        shell.envs(self.tokens.iter().map(|(name, token)| (*name, token.as_str())));
        shell
    }

    fn start(&mut self, text: &str) {
        let mut shell = self.shell(&format!("exec {text}"));
        let mut service = shell.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let lines = BufReader::new(service.stdout.take().expect("its output")).lines().map_while(Result::ok);
        self.service = Some(service);
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [role, token, ..] = words[..] else { continue };
            match role {
                "pep" => self.tokens.push(("PEP", token.to_owned())),
                "policy_admin" => self.tokens.push(("ADMIN", token.to_owned())),
                _ => {}
            }
            if self.tokens.len() == 2 {
                return;
            }
        }
        panic!("the service did not start");
    }
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    fs::write(file, text).expect("written");
}

/// Whether all that is shown was said, in its order and from the beginning; `…` stands for anything.
fn reads(said: &str, shown: &str) -> bool {
    let mut rest = said;
    shown.trim_end().split('…').enumerate().all(|(at, piece)| match rest.find(piece) {
        Some(found) if at > 0 || found == 0 => {
            rest = &rest[found + piece.len()..];
            true
        }
        _ => false,
    })
}

/// The rows that do not hold.
fn failing(rows: &[Row], bundle: &Bundle) -> Vec<String> {
    let faults = |row: &Row| (row.place.clone(), row.faults(bundle));
    let faults = rows.iter().map(faults).filter(|(_, faults)| !faults.is_empty());
    faults.map(|(place, faults)| format!("{place}: {}", faults.join("; "))).collect()
}

#[test]
fn an_author_who_does_as_the_guide_says_gets_what_it_promises() {
    let mut desk = Desk::new();
    for block in blocks(GUIDE) {
        desk.follow(&block);
    }
    assert!(desk.commands >= 10 && desk.compared >= 7, "{} commands, {} compared", desk.commands, desk.compared);

    // The rows hold under the policies of the guide, and each condition of its rule has a row that fails without it.
    let files = PolicyFiles::read(&desk.home.path().join("new")).expect("they can be read");
    let mut loader = Loader::default();
    let failed = failing(&desk.rows, &loader.load(&files).expect("they load"));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let added: Vec<&String> =
        files.0.keys().filter(|file| file.ends_with(".cedar") && !FILES.0.contains_key(*file)).collect();
    assert!(!added.is_empty(), "the guide adds a rule");
    for file in added {
        let (head, conditions) = pieces(&files.0[file]);
        for at in 0..conditions.len() {
            let mut fewer = conditions.clone();
            fewer.remove(at);
            let mut other = files.clone();
            other.0.insert(file.clone(), joined(&without_missing(&head, at), &fewer));
            let noticed = loader.load(&other).map_or(true, |bundle| !failing(&desk.rows, &bundle).is_empty());
            assert!(noticed, "no row of the guide notices that `{}` is gone", conditions[at]);
        }
    }
}

/// Every annotation and role that policies use is told of.
#[test]
fn the_guide_tells_of_every_annotation_and_role() {
    let guide = fs::read_to_string(root().join(GUIDE)).expect("the guide");
    let mut used: BTreeSet<String> = BTreeSet::new();
    let own = |file: &str| !["callers/", "deciders/"].iter().any(|folder| file.starts_with(folder));
    for (_, text) in FILES.below("", ".cedar").filter(|(file, _)| own(file)) {
        for line in text.lines().filter_map(|line| line.strip_prefix('@')) {
            let (name, rest) = line.split_once("(\"").expect("an annotation");
            used.insert(if name.starts_with("missing_") { "@missing_1".to_owned() } else { format!("@{name}") });
            if name == "role" {
                used.insert(rest.trim_end_matches("\")").to_owned());
            }
        }
    }
    assert!(used.len() > 25, "only {used:?}");
    let untold: Vec<&String> = used.iter().filter(|word| !guide.contains(&format!("`{word}`"))).collect();
    assert!(untold.is_empty(), "the guide does not tell of {untold:?}");
}

/// A guide among the policies changes nothing of them.
#[test]
fn only_policies_have_a_part_in_decisions() {
    let dir = tempfile::tempdir().expect("a directory");
    for (path, text) in &FILES.0 {
        write(&dir.path().join(path), text);
    }
    let before = PolicyFiles::read(dir.path()).expect("read").hash();
    write(&dir.path().join("AUTHORING.md"), "permit (principal, action, resource);\n");
    write(&dir.path().join("need-to-know/notes.txt"), "permit (principal, action, resource);\n");
    assert_eq!(PolicyFiles::read(dir.path()).expect("read").hash(), before);
}
