//! A PostgreSQL server for the tests of one process: made when first asked for, gone when the process is.
//!
//! However a process ends, the pipe it holds to a shell closes; the shell then stops the server and removes its
//! directory. The server keeps what it commits, as it must: only what the tests say is switched off.

#![allow(dead_code, reason = "not every test program uses all of it")]

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

/// Who owns everything in the cluster.
pub const OWNER: &str = "pinkpaper";

/// Ids in byte order, though the server's own order is another; room for many stores at once.
const SETTINGS: &str = "listen_addresses = '127.0.0.1'\nmax_connections = 300\nshared_buffers = 64MB\n";

pub struct Cluster {
    home: PathBuf,
    binaries: PathBuf,
    pub port: u16,
    watch: Child,
}

impl Cluster {
    /// The one that the tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One of a test's own, which it may stop and set as it likes.
    pub fn start() -> Self {
        let home = TempDir::with_prefix("pinkpaper-postgres-").expect("a directory").keep();
        let binaries = binaries();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let watch = watch(&home, &binaries);
        let cluster = Self { home, binaries, port, watch };
        if is_root() {
            // The server refuses to run as root; the Debian package makes this user for it.
            assert!(
                Command::new("chown").arg("postgres").arg(&cluster.home).status().expect("chown").success(),
                "root needs a user `postgres` to run the server as: apt-get install postgresql"
            );
        }
        let locale = ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-GB"];
        cluster.run(
            "initdb",
            &["--username", OWNER, "--auth=trust", "--no-sync", locale[0], locale[1], locale[2], locale[3]],
        );
        cluster.set(&format!("{SETTINGS}port = {port}\nunix_socket_directories = '{}'\n", cluster.home.display()));
        cluster.up();
        cluster
    }

    /// Adds lines to the configuration; they count from the next start.
    pub fn set(&self, lines: &str) {
        let file = fs::File::options().append(true).open(self.data().join("postgresql.conf"));
        file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("configured");
    }

    pub fn up(&self) {
        let log = self.home.join("log").display().to_string();
        self.run("pg_ctl", &["--wait", "--silent", "--log", &log, "start"]);
    }

    /// Without a word to anyone, as when its machine fails.
    pub fn down(&self) {
        self.run("pg_ctl", &["--wait", "--silent", "--mode=immediate", "stop"]);
    }

    /// It follows another server, as far as it knows, from its next start on.
    pub fn make_standby(&self) {
        fs::write(self.data().join("standby.signal"), "").expect("written");
        self.own(&["standby.signal"]);
    }

    /// Files in its data that are the server's and nobody else's.
    pub fn own(&self, files: &[&str]) {
        let files: Vec<_> = files.iter().map(|file| self.data().join(file)).collect();
        if is_root() {
            assert!(Command::new("chown").arg("postgres").args(&files).status().expect("chown").success());
        }
        assert!(Command::new("chmod").arg("600").args(&files).status().expect("chmod").success());
    }

    /// The directory of its socket, as it stands in an address.
    pub fn socket(&self) -> String {
        self.home.display().to_string().replace('/', "%2F")
    }

    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// A program of the server, on its data.
    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = as_server(&self.binaries.join(program));
        // A server that is started keeps the pipes it is given.
        let quiet = arguments.contains(&"start");
        let out = || if quiet { Stdio::null() } else { Stdio::piped() };
        command.arg("--pgdata").arg(self.data()).args(arguments).stdin(Stdio::null()).stdout(out()).stderr(out());
        let Output { status, stderr, .. } = command.spawn().and_then(Child::wait_with_output).expect("run");
        let log = fs::read_to_string(self.home.join("log")).unwrap_or_default();
        assert!(status.success(), "{program}: {}{log}", String::from_utf8_lossy(&stderr));
    }

    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// A new database, empty.
    pub async fn database(&self) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("log_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut admin = self.admin().await;
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.expect("made");
        Database { url: self.url(OWNER, &name), name }
    }

    /// May do everything, in the database that every cluster has.
    pub async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.url(OWNER, "postgres")).await.expect("connected")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

pub struct Database {
    pub url: String,
    pub name: String,
}

impl Database {
    /// Someone with the owner's password.
    pub async fn outsider(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("connected")
    }
}

/// Removes a cluster when whoever made it is gone.
fn watch(home: &Path, binaries: &Path) -> Child {
    let mut stop = as_server(&binaries.join("pg_ctl"));
    stop.arg("--pgdata").arg(home.join("data")).args(["--silent", "--mode=immediate", "stop"]);
    let stop: Vec<_> = std::iter::once(stop.get_program()).chain(stop.get_args()).map(ToOwned::to_owned).collect();
    Command::new("sh")
        .args(["-c", r#"trap '' INT TERM HUP; cd /; read _; home=$1; shift; "$@"; rm -rf "$home""#, "sh"])
        .arg(home)
        .args(stop)
        // A key that ends the tests must not end this as well.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell")
}

fn as_server(program: &Path) -> Command {
    let mut command;
    if is_root() {
        command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
    } else {
        command = Command::new(program);
    }
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| Command::new("id").arg("-u").output().expect("id").stdout == b"0\n")
}

/// Where the server's programs are: as `pg_config` says, or where Debian puts them, the newest version last.
fn binaries() -> PathBuf {
    let said = Command::new("pg_config").arg("--bindir").output().map(|output| output.stdout).unwrap_or_default();
    let said = PathBuf::from(String::from_utf8_lossy(&said).trim());
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.filter_map(Result::ok).map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    packaged.sort();
    packaged.push(said);
    let found = packaged.into_iter().rfind(|directory| directory.join("initdb").exists());
    found.expect("these tests run a PostgreSQL server of their own: apt-get install postgresql")
}
