//! The program itself, as it is installed: its own process, its own settings, one key for each role.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
};

use pinkpaper::domain::words::CallerRole;
use reqwest::{Client, Method};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub struct Program {
    process: Child,
    pub url: String,
    /// Its own directory, where its lines are in `stderr.log`.
    pub home: Arc<TempDir>,
    pub client: Client,
    key: String,
}

/// How it is started.
pub struct Setting<'a> {
    /// Where database and keys are: programs of one home are replicas of each other.
    pub home: Arc<TempDir>,
    pub database_url: Option<String>,
    /// The beginning of every key.
    pub key: &'a str,
    /// For whom the councillor's key speaks.
    pub councillor: &'a str,
    /// More of the configuration: tables.
    pub tables: &'a str,
    pub environment: &'a [(&'a str, &'a str)],
}

impl Default for Setting<'_> {
    fn default() -> Self {
        let home = Arc::new(tempfile::tempdir().expect("a directory"));
        Self { home, database_url: None, key: "pp_test", councillor: "b1", tables: "", environment: &[] }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

impl Setting<'_> {
    fn key(&self, role: CallerRole) -> String {
        format!("{}-{role}", self.key)
    }

    /// A file of its own for each program of a home.
    fn file(&self) -> PathBuf {
        let home = self.home.path();
        let database = self.database_url.clone();
        let database = database.unwrap_or_else(|| format!("sqlite://{}", home.join("test.db").display()));
        let mut text = format!(
            "listen = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1\"\ndatabase_url = \"{database}\"\n\
             [log]\nheartbeat_seconds = 1\nkey_file = \"{0}/test.key\"\ncheckpoint_key_file = \"{0}/checkpoint.key\"\n{1}",
            home.display(),
            self.tables
        );
        for role in CallerRole::ALL {
            let councillor = *role == CallerRole::Councillor;
            let person = if councillor { format!("person = \"{}\"\n", self.councillor) } else { String::new() };
            text.push_str(&format!(
                "[[auth.api_keys]]\nname = \"key-{role}\"\nroles = [\"{role}\"]\n{person}sha256 = \"{}\"\n",
                hex::encode(Sha256::digest(self.key(*role)))
            ));
        }
        let (mut file, path) = tempfile::Builder::new()
            .suffix(".toml")
            .tempfile_in(home)
            .and_then(|file| file.keep().map_err(|error| error.error))
            .expect("a file");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
        path
    }
}

impl Program {
    pub fn start(setting: &Setting<'_>) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(setting.home.path().join("stderr.log"));
        let mut process = Command::new(env!("CARGO_BIN_EXE_pinkpaper"))
            .args(["serve", "--config"])
            .arg(setting.file())
            .envs(setting.environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log.expect("a file"))
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let lines = || std::fs::read_to_string(setting.home.path().join("stderr.log")).unwrap_or_default();
        let at = line.find("http://").unwrap_or_else(|| panic!("no address in {line:?}: {}", lines()));
        let url = line[at..].trim().trim_end_matches("/docs/").to_owned();
        // A program that was stopped for a while has closed what was kept open.
        let client = pinkpaper::outbound::builder().pool_max_idle_per_host(0).build().expect("a client");
        Self { process, url, home: Arc::clone(&setting.home), client, key: setting.key.to_owned() }
    }

    pub fn key(&self, role: CallerRole) -> String {
        format!("{}-{role}", self.key)
    }

    pub fn request(&self, role: CallerRole, method: &str, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let method: Method = method.parse().expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(self.key(role));
        if body.is_null() { request } else { request.json(body) }
    }

    pub async fn call(&self, role: CallerRole, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.request(role, method, path, body).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.expect("text")).unwrap_or(Value::Null))
    }

    pub async fn done(&self, role: CallerRole, method: &str, path: &str, body: &Value) -> Value {
        let (status, told) = self.call(role, method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {told}");
        told
    }

    /// What it has said of itself.
    pub fn lines(&self) -> String {
        std::fs::read_to_string(self.home.path().join("stderr.log")).expect("its lines")
    }

    /// Sends it a signal: `HUP`, `TERM`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Once it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        self.process.wait().expect("it ends")
    }
}

/// Waits for what comes about by itself; for no longer than any machine needs.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("never: {what}");
}
