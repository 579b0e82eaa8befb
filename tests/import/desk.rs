//! An operator's desk: a directory with a database, sources, and the command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use pinkpaper::{
    audit::{DecisionLog, key::Signer},
    store,
};
use serde_json::Value;
use tempfile::TempDir;

pub struct Desk {
    pub home: TempDir,
    pub database: String,
}

impl Desk {
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let database = format!("sqlite://{}", home.path().join("test.db").display());
        Self { home, database }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The samples of modern.gov, to change as one likes.
    pub fn moderngov(&self) -> PathBuf {
        let to = self.path("answers");
        fs::create_dir_all(&to).expect("made");
        for file in fs::read_dir(samples().join("moderngov")).expect("samples").map(|entry| entry.expect("one").path())
        {
            fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("copied");
        }
        to
    }

    /// Changes a file of the samples.
    pub fn edit(&self, file: &str, what: &str, to: &str) {
        let path = self.path("answers").join(file);
        let text = fs::read_to_string(&path).expect("a sample");
        assert!(text.contains(what), "`{what}` is not in {file}");
        fs::write(path, text.replace(what, to)).expect("written");
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(&path, bytes).expect("written");
        path
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinkpaper"));
        command.arg("register").args(arguments).current_dir(self.home.path());
        command.output().expect("runs")
    }

    /// An import into the database.
    pub fn import(&self, from: &str, source: &Path, more: &[&str]) -> Output {
        let source = source.to_str().expect("a path");
        self.run(&[&["import", "--from", from, source, "--database-url", &self.database], more].concat())
    }

    /// What a successful import tells with `--json`.
    pub fn told(&self, from: &str, source: &Path, more: &[&str]) -> Value {
        let output = self.import(from, source, &[more, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// What a refused import says; its exit code is 1.
    pub fn refused(&self, from: &str, source: &Path, more: &[&str]) -> String {
        let output = self.import(from, source, more);
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).expect("text")
    }

    /// The register, as the command gives it out.
    pub fn register(&self) -> Value {
        let output = self.run(&["export", "--database-url", &self.database]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    pub fn is_empty(&self) -> bool {
        if !self.path("test.db").exists() {
            return true;
        }
        let output = self.run(&["export", "--database-url", &self.database]);
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("has not been written yet")
    }

    /// The database in hand. Nobody else may have it meanwhile.
    pub async fn store(&self) -> Arc<dyn DecisionLog> {
        let signer = Signer::open(&self.path("test.key")).expect("a signer");
        let options = store::Options::new("http://127.0.0.1:8080", Arc::new(signer));
        store::connect(&self.database, options).await.expect("open")
    }
}

pub fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/import")
}

pub fn map() -> String {
    samples().join("map.toml").display().to_string()
}

/// The member of a list with an id.
pub fn one<'a>(register: &'a Value, list: &str, id: &str) -> &'a Value {
    let all = register[list].as_array().expect("a list");
    all.iter().find(|object| object["id"] == id).unwrap_or_else(|| panic!("no {id} in {list}: {register:#}"))
}
