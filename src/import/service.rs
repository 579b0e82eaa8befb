//! Where a source is read from: files of bounded size, or the council's web service.
//!
//! The web service is asked with GET only, over https (plain HTTP only on this machine), one question after another, each
//! with a time limit and a bound; redirects are not followed. How much there is together is bounded too.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use reqwest::{Client, StatusCode, Url};

use super::{Faults, moderngov, moderngov::Answer, sheets::Files};
use crate::outbound;

/// The longest file or answer, in bytes.
pub const LONGEST: usize = 32 * 1024 * 1024;
/// How many files a directory may have, and how many questions are asked of a web service.
const MOST: usize = 5000;
/// How long all files of a directory, or all answers of a web service, may be together, in bytes.
const TOGETHER: u64 = 512 * 1024 * 1024;

/// A file of bounded size.
pub fn file(path: &Path) -> Result<Vec<u8>, Faults> {
    let fault = |error: std::io::Error| Faults::of(path.display(), error);
    let mut bytes = Vec::new();
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path).map_err(fault)?.take(limit).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() > LONGEST {
        return Err(Faults::of(path.display(), format!("is longer than {LONGEST} bytes")));
    }
    Ok(bytes)
}

/// A file as text.
pub fn text(path: &Path) -> Result<String, Faults> {
    let bytes = file(path)?;
    let bare = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let line = |at: usize| 1 + bare.iter().take(at).filter(|byte| **byte == b'\n').count();
    let text = std::str::from_utf8(bare).map(str::to_owned);
    text.map_err(|error| Faults::of(format!("{}:{}", shown(path), line(error.valid_up_to())), "is not UTF-8"))
}

/// The files of a directory with an ending, by name.
fn listed(directory: &Path, ending: &str) -> Result<Vec<PathBuf>, Faults> {
    let fault = |error: std::io::Error| Faults::of(directory.display(), error);
    let (mut paths, mut together) = (Vec::new(), 0_u64);
    for entry in fs::read_dir(directory).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.extension().is_some_and(|is| is.eq_ignore_ascii_case(ending)) {
            // What is no file is told when it is read.
            together = together.saturating_add(fs::metadata(&path).map_or(0, |about| about.len()));
            paths.push(path);
        }
    }
    if together > TOGETHER {
        return Err(Faults::of(directory.display(), format!("its files are longer than {TOGETHER} bytes together")));
    }
    if paths.len() > MOST {
        return Err(Faults::of(directory.display(), format!("has more than {MOST} files")));
    }
    if paths.is_empty() {
        return Err(Faults::of(directory.display(), format!("has no file ending in .{ending}")));
    }
    paths.sort();
    Ok(paths)
}

fn shown(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Saved answers of modern.gov.
pub fn saved(directory: &Path) -> Result<Vec<Answer>, Faults> {
    let mut faults = Faults::default();
    let mut answers = Vec::new();
    for path in listed(directory, "xml")? {
        match text(&path) {
            Ok(text) => answers.push(Answer { name: shown(&path), text }),
            Err(told) => told.told.into_iter().for_each(|fault| faults.told.push(fault)),
        }
    }
    faults.unless_any(answers)
}

/// The CSV files of a directory.
pub fn sheets(directory: &Path) -> Result<Files, Faults> {
    listed(directory, "csv")?.into_iter().map(|path| Ok((shown(&path), file(&path)?))).collect()
}

/// An address that may be asked: https, or this machine.
pub fn address(text: &str) -> Result<Url, Faults> {
    let safe = |url: &Url| match url.host() {
        Some(url::Host::Ipv4(host)) => host.is_loopback(),
        Some(url::Host::Ipv6(host)) => host.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let url = Url::parse(text).map_err(|error| Faults::of(text, error))?;
    let plain = url.username().is_empty() && url.password().is_none();
    match url.scheme() {
        "https" if plain => Ok(url),
        "http" if plain && safe(&url) => Ok(url),
        _ => Err(Faults::of("address", "expected https without a password in it; plain http on this machine only")),
    }
}

/// What to ask for of meetings.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: Date,
    pub to: Date,
}

/// Asks a council's web service. Meetings and their papers only of a span of days.
pub async fn ask(source: &str, span: Option<Span>) -> Result<Vec<Answer>, Faults> {
    let mut base = address(source)?;
    if !base.path().to_ascii_lowercase().ends_with(".asmx") {
        base.set_path(&format!("{}/mgWebService.asmx", base.path().trim_end_matches('/')));
    }
    let client = outbound::client().map_err(|error| Faults::of("client", error))?;
    let mut service = Service { client, base, answers: Vec::new(), together: 0 };
    service.ask("GetCouncillorsByWard", &[], |_| Ok(())).await?;
    let committees = service.ask("GetCommittees", &[], moderngov::committees).await?;
    let Some(span) = span else { return Ok(service.answers) };
    let day = |day: Date| day.strftime("%d/%m/%Y").to_string();
    service.room_for(committees.len())?;
    for committee in committees {
        let asked = [("lCommitteeId", committee.to_string()), ("sFromDate", day(span.from)), ("sToDate", day(span.to))];
        let meetings = service.ask("GetMeetings", &asked, moderngov::meetings).await?;
        service.room_for(meetings.len())?;
        for meeting in meetings {
            service.ask("GetMeeting", &[("lMeetingId", meeting.to_string())], |_| Ok(())).await?;
        }
    }
    Ok(service.answers)
}

/// A web service, and what it has answered so far.
struct Service {
    client: Client,
    base: Url,
    answers: Vec<Answer>,
    together: u64,
}

impl Service {
    /// Refuses before the first of so many questions what could not be asked to the end.
    fn room_for(&self, questions: usize) -> Result<(), Faults> {
        if questions > MOST.saturating_sub(self.answers.len()) {
            let why =
                format!("more than {MOST} questions would have to be asked: ask for fewer days, or save the answers");
            return Err(Faults::of(&self.base, why));
        }
        Ok(())
    }

    /// Asks, keeps the answer, and gives what is read of it.
    async fn ask<T>(
        &mut self,
        operation: &str,
        asked: &[(&str, String)],
        read: impl FnOnce(&Answer) -> Result<T, Faults>,
    ) -> Result<T, Faults> {
        self.room_for(1)?;
        let answer = self.get(operation, asked).await?;
        self.together = self.together.saturating_add(u64::try_from(answer.text.len()).unwrap_or(u64::MAX));
        if self.together > TOGETHER {
            let why = format!("the answers are longer than {TOGETHER} bytes together: ask for fewer days");
            return Err(Faults::of(&self.base, why));
        }
        let told = read(&answer);
        self.answers.push(answer);
        told
    }

    async fn get(&self, operation: &str, asked: &[(&str, String)]) -> Result<Answer, Faults> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{operation}", self.base.path()));
        if !asked.is_empty() {
            url.query_pairs_mut().extend_pairs(asked);
        }
        let which = asked.iter().find(|(name, _)| name.ends_with("Id")).map(|(_, id)| format!(" {id}"));
        let name = format!("{operation}{}", which.unwrap_or_default());
        let answer = self.client.get(url).send().await.map_err(|error| Faults::of(&name, error.without_url()))?;
        if answer.status() != StatusCode::OK {
            return Err(Faults::of(name, format!("the web service answers {}", answer.status())));
        }
        let text = outbound::text(answer, LONGEST).await;
        let text = text.ok_or_else(|| Faults::of(&name, "is too long, is not UTF-8, or broke off"))?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Answer { name, text })
    }
}
