//! The demonstration council: the program as `cargo run` starts it, in a directory of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// Ends with what holds it.
pub struct Demo {
    process: Child,
    pub url: String,
    /// Role and token.
    pub tokens: Vec<(String, String)>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

pub fn start(home: &std::path::Path) -> Demo {
    let mut process = Command::new(env!("CARGO_BIN_EXE_pinkpaper"))
        .args(["demo", "--listen", "127.0.0.1:0"])
        .current_dir(home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    let mut url = String::new();
    let mut tokens = Vec::new();
    for line in lines.by_ref().map_while(Result::ok) {
        if let Some(at) = line.find("http://") {
            url = line[at..].trim_end_matches("/docs/").to_owned();
        }
        if let Some(at) = line.find("pp_") {
            let token = line[at..].split_whitespace().next().expect("a token").to_owned();
            tokens.push((line[..at].trim().to_owned(), token));
        }
        if tokens.len() == 8 {
            break;
        }
    }
    assert_eq!(tokens.len(), 8, "the demonstration did not start");
    Demo { process, url, tokens }
}

impl Demo {
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn token(&self, role: &str) -> &str {
        &self.tokens.iter().find(|(name, _)| name == role).expect("a token for each role").1
    }
}
