//! The example enforcement points of `deploy/examples`, in each language: what they let through against a real service,
//! and that nothing gets through otherwise.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, LazyLock, Mutex},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::demonstration::{self as demo, Demo};

/// An enforcement point and how it is started.
struct Pep {
    name: &'static str,
    command: Vec<PathBuf>,
}

/// What of .NET the C# example needs.
const ASSEMBLIES: [&str; 14] = [
    "System.Private.CoreLib",
    "System.Private.Uri",
    "System.Runtime",
    "System.Runtime.Extensions",
    "System.Collections",
    "System.Linq",
    "System.Net.Http",
    "System.Net.Primitives",
    "System.Text.Json",
    "System.Text.Encoding.Extensions",
    "System.Console",
    "System.Threading.Tasks",
    "System.Memory",
    "System.IO.FileSystem",
];

static CSHARP: LazyLock<Option<(TempDir, Pep)>> = LazyLock::new(|| {
    let compiled = csharp();
    // Where every tool is to be there, a language left out is a fault.
    assert!(compiled.is_some() || std::env::var_os("CI").is_none(), "no C# compiler, or no .NET: see .ci/run");
    if compiled.is_none() {
        eprintln!("the C# example was not tried: `mcs` or target/dotnet is not there (.ci/run gets both)");
    }
    compiled
});

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The C# example, compiled against a real .NET; `None` without compiler or runtime.
fn csharp() -> Option<(TempDir, Pep)> {
    let bin = root().join("target/dotnet/dotnetcore2/bin");
    let frameworks = fs::read_dir(bin.join("shared/Microsoft.NETCore.App")).ok()?;
    let framework = frameworks.map_while(Result::ok).next()?;
    let version = framework.file_name().to_string_lossy().into_owned();
    let home = tempfile::tempdir().expect("a directory");
    let program = home.path().join("pep.dll");
    let mut compiler = Command::new("mcs");
    // 1702: mcs is told of the same assembly by two of the others.
    compiler.args(["-nostdlib", "-noconfig", "-warnaserror", "-nowarn:1702"]);
    for assembly in ASSEMBLIES {
        compiler.arg(format!("-r:{}", framework.path().join(assembly).with_added_extension("dll").display()));
    }
    compiler.arg(format!("-out:{}", program.display())).arg(root().join("deploy/examples/csharp/Pep.cs"));
    let compiled = compiler.output().ok()?;
    assert!(compiled.status.success(), "Pep.cs does not compile: {}", said(&compiled));
    let settings = json!({"runtimeOptions": {
        "framework": {"name": "Microsoft.NETCore.App", "version": version},
        "configProperties": {"System.Globalization.Invariant": true},
    }});
    fs::write(home.path().join("pep.runtimeconfig.json"), settings.to_string()).expect("written");
    let command = vec![bin.join("dotnet"), "exec".into(), program];
    Some((home, Pep { name: "C#", command }))
}

fn peps() -> Vec<&'static Pep> {
    static PYTHON: LazyLock<Pep> = LazyLock::new(|| Pep {
        name: "Python",
        command: vec!["python3".into(), "-B".into(), root().join("deploy/examples/python/pep.py")],
    });
    [&*PYTHON].into_iter().chain(CSHARP.as_ref().map(|(_, pep)| pep)).collect()
}

impl Pep {
    fn ask(&self, url: &str, key: &str, store: &Path, [person, document, ground]: [&str; 3]) -> Output {
        Command::new(&self.command[0])
            .args(&self.command[1..])
            .arg(store)
            .args([person, document, ground])
            .envs([("PINKPAPER_URL", url), ("PINKPAPER_KEY", key)])
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A store with a file for each part, and more than any answer names.
fn store(parts: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for part in parts.iter().chain(&["never-named"]) {
        fs::write(dir.path().join(part), format!("the words of {part}\n")).expect("written");
    }
    dir
}

const ALLOWED: [&str; 3] = ["cllr-rahman", "doc:licensing-crown-bar", "committee_business"];
const REDACTED: [&str; 3] = ["cllr-bennett", "doc:cabinet-repairs-contract", "ward"];
const DENIED: [&str; 3] = ["cllr-bennett", "doc:tenancy-file-114", "curiosity"];

/// Nothing of the store is told, and the exit code says that there was no answer.
fn gives_nothing(pep: &Pep, output: &Output, when: &str) {
    assert!(output.stdout.is_empty(), "{}, {when}: {}", pep.name, said(output));
    assert_eq!(output.status.code(), Some(1), "{}, {when}: {}", pep.name, said(output));
    assert!(!said(output).contains("the words of"), "{}, {when}", pep.name);
    assert!(said(output).contains("pep: no access: "), "{}, {when}: {}", pep.name, said(output));
}

#[tokio::test]
async fn an_example_gives_what_the_service_answers_and_nothing_when_it_cannot() {
    let home = tempfile::tempdir().expect("a directory");
    let demo = demo::start(home.path());
    let key = demo.token("pep").to_owned();
    let store = store(&["paper", "report", "appendix-a", "appendix-b"]);
    for pep in peps() {
        let ask = |question| {
            let output = pep.ask(&demo.url, &key, store.path(), question);
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), said(&output))
        };
        let (code, page, all) = ask(ALLOWED);
        assert_eq!(code, Some(0), "{}: {all}", pep.name);
        assert!(page.starts_with("=== CONFIDENTIAL ===\n--- paper\nthe words of paper\n"), "{page}");
        assert!(page.contains("* Use the paper only for the purpose"), "{page}");
        assert!(
            !page.contains("Treat the request in confidence") && all.contains("pep: for the staff: Treat"),
            "{all}"
        );
        assert!(all.contains("pep: decision ") && all.contains(" receipt "), "{all}");

        let (code, page, all) = ask(REDACTED);
        assert_eq!(code, Some(3), "{}: {all}", pep.name);
        assert!(page.contains("the words of report"), "{page}");
        assert!(page.contains("--- appendix-a: Withheld: LGA 1972 Sch 12A para 3\n"), "{page}");
        assert!(!all.contains("the words of appendix") && !all.contains("never-named"), "{all}");
        assert!(page.contains("? What is withheld is with a person to decide."), "{page}");

        let (code, page, all) = ask(DENIED);
        assert_eq!(code, Some(4), "{}: {all}", pep.name);
        assert!(page.starts_with("--- paper: Withheld\n") && !all.contains("the words of"), "{all}");

        for (when, output) in [
            ("a paper nobody knows", pep.ask(&demo.url, &key, store.path(), ["cllr-rahman", "doc:none", "ward"])),
            ("an id that is none", pep.ask(&demo.url, &key, store.path(), ["cllr rahman", "doc:none", "ward"])),
            ("a key nobody knows", pep.ask(&demo.url, "pp_wrong", store.path(), ALLOWED)),
            ("a role that may not ask", pep.ask(&demo.url, demo.token("operator"), store.path(), ALLOWED)),
            ("a part the store does not have", pep.ask(&demo.url, &key, home.path(), ALLOWED)),
        ] {
            gives_nothing(pep, &output, when);
        }
    }
    spoil(home.path()).await;
    for pep in peps() {
        let output = pep.ask(&demo.url, &key, store.path(), ALLOWED);
        gives_nothing(pep, &output, "the store is spoiled");
        assert!(said(&output).contains("status 503"), "{}", said(&output));
    }
    let url = demo.url.clone();
    drop(demo);
    for pep in peps() {
        gives_nothing(pep, &pep.ask(&url, &key, store.path(), ALLOWED), "nobody is there");
    }
}

/// Takes the log's payloads away under the running service.
async fn spoil(home: &Path) {
    let mut outsider = crate::support::outsider_of(&home.join("pinkpaper.db")).await;
    sqlx::query("ALTER TABLE log_payload RENAME TO gone").execute(&mut outsider).await.expect("renamed");
}

/// Something that answers in the service's place, once to each request in turn.
struct Impostor {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Impostor {
    /// `None`: takes the request and says nothing.
    fn answering(answers: Vec<Option<Vec<u8>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            let mut kept = Vec::new();
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let request = whole(&mut stream);
                seen.lock().expect("not poisoned").push(request);
                match answer {
                    Some(bytes) => drop(stream.write_all(&bytes)),
                    None => kept.push(stream),
                }
            }
            // Whoever asks once more is not answered.
            while let Ok((stream, _)) = listener.accept() {
                kept.push(stream);
            }
        });
        Self { url, requests }
    }
}

/// A request to the end of its body.
fn whole(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |text| text.trim().parse().expect("a length"));
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return text,
            Ok(more) => bytes.extend_from_slice(&piece[..more]),
        }
    }
}

fn http(status: &str, headers: &str, body: &str) -> Option<Vec<u8>> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    Some((head + body).into_bytes())
}

fn ok(body: &str) -> Option<Vec<u8>> {
    http("200 OK", "Content-Type: application/json\r\n", body)
}

/// What the service really answers to the question that is allowed.
async fn real_answer(demo: &Demo) -> Value {
    let [person, document, ground] = ALLOWED;
    let question = json!({
        "principal": {"type": "person", "id": person}, "action": "read", "document": {"id": document},
        "purpose": {"capacity": "councillor", "ground": ground},
    });
    let client = pinkpaper::outbound::builder().build().expect("a client");
    let asked = client.post(format!("{}/v1/decisions", demo.url)).bearer_auth(demo.token("pep")).json(&question);
    let told = asked.send().await.expect("an answer").bytes().await.expect("a body");
    serde_json::from_slice(&told).expect("JSON")
}

#[tokio::test]
async fn an_example_believes_no_answer_that_is_not_quite_right() {
    let home = tempfile::tempdir().expect("a directory");
    let answer = real_answer(&demo::start(home.path())).await;
    let store = store(&["paper"]);
    let right = answer.to_string();
    // Each differs from the right answer in one thing.
    let with = |pointer: &str, value: Value| {
        let mut other = answer.clone();
        *other.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        ok(&other.to_string())
    };
    let without = |member: &str| {
        let mut other = answer.clone();
        other.as_object_mut().expect("an object").remove(member).expect("it is there");
        ok(&other.to_string())
    };
    let part = &answer["parts"][0];
    let wrong = [
        ("no JSON", ok("<html>signed out</html>")),
        ("half of it", ok(&right[..right.len() / 2])),
        ("more than it", ok(&format!("{right}{right}"))),
        ("nothing", ok("")),
        ("a list", ok(&format!("[{right}]"))),
        ("an outcome twice", ok(&right.replacen('{', "{\"outcome\": \"deny\", ", 1))),
        ("another outcome", with("/outcome", json!("permit"))),
        ("deny, with a part", with("/outcome", json!("deny"))),
        ("allow, without a part", with("/parts", json!([]))),
        ("a part withheld", with("/parts/0/outcome", json!("withhold"))),
        ("a part half given", with("/parts/0/outcome", json!("mostly"))),
        ("a part twice", with("/parts", json!([part, part]))),
        ("another document", with("/document", json!("doc:other"))),
        ("another person", with("/principal/id", json!("cllr-bennett"))),
        ("another action", with("/action", json!("disclose"))),
        ("another duty", with("/obligations/0/type", json!("burn_after_reading"))),
        ("a duty without words", with("/obligations/0/text", Value::Null)),
        ("duties of no kind", with("/obligations", json!("none"))),
        ("no duties", without("obligations")),
        ("no receipt", with("/log/receipt", Value::Null)),
        ("no place in the log", without("log")),
        ("no id", without("id")),
        ("not found", http("404 Not Found", "", &right)),
        ("created", http("201 Created", "Content-Type: application/json\r\n", &right)),
        ("an error", http("500 Internal Server Error", "", &right)),
        ("another place", http("307 Temporary Redirect", "Location: http://127.0.0.1:9/v1/decisions\r\n", "")),
    ];
    thread::scope(|scope| {
        for pep in peps() {
            scope.spawn(|| believes_only(pep, store.path(), &right, &wrong));
        }
    });
}

fn believes_only(pep: &Pep, store: &Path, right: &str, wrong: &[(&str, Option<Vec<u8>>)]) {
    let asked = |answers| {
        let impostor = Impostor::answering(answers);
        let output = pep.ask(&impostor.url, "pp_key", store, ALLOWED);
        (output, impostor.requests.lock().expect("not poisoned").clone())
    };
    let (output, _) = asked(vec![ok(right)]);
    assert_eq!(output.status.code(), Some(0), "the right answer is believed: {}", said(&output));
    for (what, answer) in wrong {
        let (output, requests) = asked(vec![answer.clone(), ok(right)]);
        gives_nothing(pep, &output, what);
        assert_eq!(requests.len(), 1, "{}, {what}: asking again cannot help", pep.name);
    }
    for (what, answer) in [
        ("unavailable", http("503 Service Unavailable", "Retry-After: 1\r\n", right)),
        ("too many", http("429 Too Many Requests", "Retry-After: 1\r\n", "")),
        ("silence", None),
        ("hung up", Some(Vec::new())),
    ] {
        let (output, requests) = asked(vec![answer.clone(), ok(right)]);
        assert_eq!(output.status.code(), Some(0), "{}, {what}: {}", pep.name, said(&output));
        let sent = |request: &String| {
            let (head, body) = request.split_once("\r\n\r\n").expect("a head");
            let key = head.lines().find(|line| line.to_lowercase().starts_with("idempotency-key:"));
            (key.expect("a key").to_owned(), body.to_owned())
        };
        assert_eq!(requests.len(), 2, "{}, {what}", pep.name);
        assert_eq!(sent(&requests[0]), sent(&requests[1]), "{}, {what}: one question, one key", pep.name);
        let (output, _) = asked(vec![answer; 3]);
        gives_nothing(pep, &output, what);
    }
}
