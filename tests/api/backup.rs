//! A restored backup has lost entries: the service finds it, and goes on only when somebody says why.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

use crate::cluster::{Cluster, Database};

const KEY: &str = "pp_test-key-of-information-governance";

/// The program with a configuration of its own.
pub struct Installed {
    home: tempfile::TempDir,
}

pub struct Running {
    process: Child,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

impl Installed {
    fn new() -> Self {
        Self::with("heartbeat_seconds = 0")
    }

    /// With these settings of its log.
    pub fn with(log: &str) -> Self {
        let installed = Self { home: tempfile::tempdir().expect("a directory") };
        installed.configure("sqlite://log.db", log);
        installed
    }

    fn configure(&self, database: &str, log: &str) {
        let config = format!(
            "listen = \"127.0.0.1:0\"\ndatabase_url = \"{database}\"\n[log]\n{log}\n\
             [[auth.api_keys]]\nname = \"ig\"\nroles = [\"information_governance\"]\nsha256 = \"{}\"\n",
            hex::encode(Sha256::digest(KEY))
        );
        std::fs::write(self.file("pinkpaper.toml"), config).expect("written");
    }

    /// Opens an epoch, and tells how that ended.
    fn open_epoch(&self, checkpoints: &[&str]) -> (bool, String) {
        let mut arguments = vec!["log", "epoch", "--config", "pinkpaper.toml", "--reason", "the disk failed"];
        arguments.extend(checkpoints.iter().flat_map(|file| ["--checkpoint", file]));
        let Output { status, stdout, stderr } = self.run(&arguments);
        (status.success(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinkpaper"));
        command.args(arguments).current_dir(self.home.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    pub fn start(&self) -> Running {
        let mut process = self
            .command(&["serve", "--config", "pinkpaper.toml"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let at = line.find("http://").unwrap_or_else(|| panic!("no address in `{line}`"));
        Running { process, url: line[at..].trim_end().trim_end_matches("/docs/").to_owned() }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The database as a backup would take it, the service being stopped.
    fn back_up(&self, to: &Path) {
        for name in ["log.db", "log.db-wal", "log.db-shm"] {
            let _none = std::fs::remove_file(to.join(name));
            if self.file(name).exists() {
                std::fs::copy(self.file(name), to.join(name)).expect("copied");
            }
        }
    }

    fn restore(&self, from: &Path) {
        for name in ["log.db", "log.db-wal", "log.db-shm"] {
            let _none = std::fs::remove_file(self.file(name));
            if from.join(name).exists() {
                std::fs::copy(from.join(name), self.file(name)).expect("copied");
            }
        }
    }
}

impl Running {
    async fn get(&self, path: &str) -> String {
        let client = pinkpaper::outbound::builder().build().expect("a client");
        let answer = client.get(format!("{}{path}", self.url)).bearer_auth(KEY).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.expect("text")
    }

    async fn read_decisions(&self, times: usize) {
        for _ in 0..times {
            self.get("/v1/decisions").await;
        }
    }
}

#[tokio::test]
async fn a_restored_backup_is_found_and_goes_on_in_an_epoch_that_says_why() {
    let installed = Installed::new();
    let backup = tempfile::tempdir().expect("a directory");
    let service = installed.start();
    service.read_decisions(3).await;
    let before = service.get("/v1/log/checkpoint").await;
    let key = service.get("/v1/log/key").await;
    drop(service);
    installed.back_up(backup.path());

    let service = installed.start();
    service.read_decisions(4).await;
    let lost = service.get("/v1/log/checkpoint").await;
    drop(service);
    installed.restore(backup.path());

    let refused = installed.run(&["serve", "--config", "pinkpaper.toml"]);
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("a backup was restored"), "{told}");

    let (opened, told) = installed.open_epoch(&[]);
    assert!(opened && told.starts_with("epoch 2 is open from entry "), "{told}");
    assert!(!installed.open_epoch(&[]).0, "there is nothing more to open");

    let service = installed.start();
    service.read_decisions(2).await;
    for (name, text) in [
        ("export.ndjson", service.get("/v1/log/export").await),
        ("log.key", key),
        ("before.checkpoint", before),
        ("lost.checkpoint", lost),
        ("after.checkpoint", service.get("/v1/log/checkpoint").await),
    ] {
        std::fs::write(installed.file(name), text).expect("written");
    }
    let verify = |checkpoint: &str| {
        let arguments = ["log", "verify", "export.ndjson", "--key", "log.key", "--json", "--checkpoint", checkpoint];
        let output = installed.run(&arguments);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    let found = verify("before.checkpoint");
    assert_eq!(
        (&found["epoch"], &found["checkpoints"], &found["given_up"]),
        (&2.into(), &1.into(), &0.into()),
        "{found}"
    );
    let told = verify("lost.checkpoint")["verdict"].to_string();
    assert!(told.contains("given up: the log says that epoch 1 ended at "), "{told}");
    let accepting = ["log", "verify", "export.ndjson", "--accept-loss", "--checkpoint", "lost.checkpoint"];
    let told = String::from_utf8(installed.run(&accepting).stdout).expect("text");
    assert!(
        told.contains("\ngiven up: 1 of the kept checkpoints, which sign entries that the log says were lost"),
        "{told}"
    );
    assert!(std::fs::read_to_string(installed.file("export.ndjson")).expect("read").contains("the disk failed"));
}

#[tokio::test]
async fn a_log_rewritten_behind_the_services_back_is_not_signed() {
    let installed = Installed::new();
    let backup = tempfile::tempdir().expect("a directory");
    let service = installed.start();
    service.read_decisions(2).await;
    drop(service);
    installed.back_up(backup.path());
    let service = installed.start();
    service.read_decisions(3).await;
    service.get("/v1/log/checkpoint").await;
    drop(service);
    // The backup, made as long as the log was by a service that did not know of the checkpoint.
    let kept = std::fs::read(installed.file("log.checkpoint")).expect("a checkpoint");
    installed.restore(backup.path());
    std::fs::remove_file(installed.file("log.checkpoint")).expect("removed");
    let service = installed.start();
    service.read_decisions(5).await;
    drop(service);
    std::fs::write(installed.file("log.checkpoint"), kept).expect("put back");
    let refused = installed.run(&["serve", "--config", "pinkpaper.toml"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("are not those of the checkpoint signed of them"), "{told}");
}

#[tokio::test]
async fn how_the_log_stands_is_told_beside_the_service_and_the_log_is_written_without_it() {
    let installed = Installed::new();
    let status = || {
        let output = installed.run(&["log", "status", "--config", "pinkpaper.toml", "--json"]);
        let told = serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON");
        (output.status.code(), told)
    };
    let service = installed.start();
    service.read_decisions(3).await;
    service.get("/v1/log/checkpoint").await;
    let (code, told) = status();
    assert_eq!((code, &told["epoch"], &told["goes_on"]), (Some(0), &1.into(), &true.into()), "{told}");
    assert_eq!(told["entries"], told["signed"]);
    service.read_decisions(2).await;
    let (_, later) = status();
    assert_eq!(later["entries"].as_u64(), told["entries"].as_u64().map(|entries| entries + 2));
    assert_eq!(later["signed"], told["signed"], "nobody asked for a checkpoint");
    drop(service);

    let export = |file: &str| installed.run(&["log", "export", "--config", "pinkpaper.toml", "--view", "foi", file]);
    assert!(export("log.ndjson").status.success());
    assert!(!export("log.ndjson").status.success(), "what is there is not written over");
    assert!(installed.run(&["log", "verify", "log.ndjson"]).status.success());
    let words = installed.run(&["log", "status", "--config", "pinkpaper.toml"]);
    assert!(String::from_utf8_lossy(&words.stdout).contains("entries are signed, and goes on from them"));

    let mut outsider = crate::support::outsider_of(&installed.file("log.db")).await;
    for statement in ["DROP TRIGGER log_node_is_never_updated", "UPDATE log_node SET hash = zeroblob(32)"] {
        sqlx::query(statement).execute(&mut outsider).await.expect(statement);
    }
    for statement in ["DROP TRIGGER log_head_never_goes_back", "UPDATE log_head SET peaks = zeroblob(length(peaks))"] {
        sqlx::query(statement).execute(&mut outsider).await.expect(statement);
    }
    assert_eq!((status().0, &status().1["goes_on"]), (Some(1), &false.into()));
}

/// A copy of a database that nobody is connected to, and its address.
async fn copied(from: &Database, name: &str) -> String {
    let cluster = Cluster::shared();
    let copy = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {}", from.name));
    sqlx::query(copy).execute(&mut cluster.admin().await).await.expect("copied");
    from.url.replace(&from.name, name)
}

#[tokio::test]
async fn a_restored_postgresql_is_found_by_whoever_kept_a_checkpoint_and_no_epoch_is_opened_twice() {
    const QUIET: &str = "heartbeat_seconds = 0";
    let database = Cluster::shared().database().await;
    let installed = Installed::new();
    let on = |address: &str| {
        installed.configure(address, QUIET);
        installed.start()
    };
    let service = on(&database.url);
    service.read_decisions(3).await;
    let key = service.get("/v1/log/key").await;
    drop(service);
    let (first, second) = (copied(&database, "restored_once").await, copied(&database, "restored_twice").await);

    let checked = installed.run(&["check", "--config", "pinkpaper.toml"]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        checked.status.success() && told.contains("warning  checkpoint     no `log.checkpoint_file` is set"),
        "{told}"
    );

    let service = on(&database.url);
    service.read_decisions(4).await;
    let kept = |name: &str, note: String| std::fs::write(installed.file(name), note).expect("written");
    kept("lost", service.get("/v1/log/checkpoint").await);
    kept("log.key", key);
    drop(service);

    // Nothing in the database, nor beside it, tells that it is the older one.
    installed.configure(&first, QUIET);
    assert!(installed.open_epoch(&[]).1.contains("nothing to open"));
    let (opened, told) = installed.open_epoch(&["lost"]);
    assert!(opened && told.starts_with("epoch 2 is open from entry "), "{told}");
    let service = on(&first);
    service.read_decisions(2).await;
    kept("of-epoch-2", service.get("/v1/log/checkpoint").await);
    drop(service);

    // The same backup once more: epoch 2 has been signed, and one origin signs one history.
    installed.configure(&second, QUIET);
    let (opened, told) = installed.open_epoch(&["lost", "of-epoch-2"]);
    assert!(opened && told.starts_with("epoch 3 is open from entry "), "{told}");
    let service = on(&second);
    service.read_decisions(6).await;
    kept("export.ndjson", service.get("/v1/log/export").await);
    let verify = ["log", "verify", "export.ndjson", "--key", "log.key"];
    let whole = installed.run(&verify);
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stdout));
    for checkpoint in ["lost", "of-epoch-2"] {
        let told = installed.run(&[&verify[..], &["--checkpoint", checkpoint]].concat()).stdout;
        assert!(told.starts_with(b"given up: "), "{checkpoint}: {}", String::from_utf8_lossy(&told));
        let told = installed.run(&[&verify[..], &["--accept-loss", "--checkpoint", checkpoint]].concat());
        assert!(told.status.success(), "{checkpoint}");
    }
    kept("another", std::fs::read_to_string(installed.file("lost")).expect("read").replace("\n\n", "\nmore\n\n"));
    let (opened, told) = installed.open_epoch(&["another"]);
    assert!(!opened && told.contains("it is not signed by this key"), "{told}");
}
