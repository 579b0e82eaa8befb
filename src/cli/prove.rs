//! `pinkpaper policy prove`: the laws of [`crate::app::prove`], profile by profile.

use std::{io::IsTerminal, path::Path, process::ExitCode};

use super::{Failure, load_policies, say};
use crate::{
    app::prove::{Proof, prove},
    clock::{Clock, SystemClock},
};

pub(super) fn run(profile: Option<&str>, json: bool, dir: Option<&Path>) -> Result<ExitCode, Failure> {
    let bundle = load_policies(dir)?;
    let profiles: Vec<&str> = match profile {
        Some(profile) => vec![profile],
        None => bundle.books.keys().map(String::as_str).collect(),
    };
    let mut proofs = Vec::new();
    for profile in profiles {
        if std::io::stderr().is_terminal() {
            eprintln!("trying {profile} …");
        }
        let proof = prove(&bundle, profile, SystemClock.now())?;
        if !json {
            say(&told(&proof));
        }
        proofs.push(proof);
    }
    if json {
        say(&format!("{}\n", serde_json::to_string_pretty(&proofs)?));
    }
    let hold = proofs.iter().all(|proof| proof.broken.is_empty());
    Ok(if hold { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(proof: &Proof) -> String {
    let Proof { profile, tried, forgotten, broken } = proof;
    let mut text =
        format!("{profile}: {tried} cases, {forgotten} of them with a fact forgotten; {} broken\n", broken.len());
    for one in broken {
        let parts = if one.parts.is_empty() { String::new() } else { format!(" ({})", one.parts.join(", ")) };
        text.push_str(&format!("  not so: {}{parts}: {}\n", one.law, one.case));
    }
    text
}
