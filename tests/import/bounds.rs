//! Sources that are too much: refused early; what is long but allowed is read to its end.

use std::fs::File;

use crate::{
    desk::{Desk, map},
    web,
};

/// An answer of GetCommittees with so many committees, on one line as the web service writes it.
fn committees(many: usize) -> String {
    let one = |number: usize| {
        format!(
            "<committee><committeeid>{number}</committeeid><committeetitle>Committee {number}</committeetitle>\
             <committeedeleted>False</committeedeleted><committeeexpired>False</committeeexpired>\
             <committeecategory>Decision Making</committeecategory></committee>"
        )
    };
    format!("<committees>{}</committees>", (1..=many).map(one).collect::<String>())
}

/// An answer of GetMeetings with so many meetings.
fn meetings(many: usize) -> String {
    let one = |number: usize| format!("<meeting><meetingid>{number}</meetingid></meeting>");
    let all: String = (1..=many).map(one).collect();
    format!("<getmeetings><committee><committeeid>1</committeeid>{all}</committee></getmeetings>")
}

/// What a run over a year of a web service is refused with, and how many questions it asked.
fn refused(answer: impl Fn(&str) -> String + Send + 'static) -> (String, usize) {
    let desk = Desk::new();
    let (address, questions) = web::service(move |question| match question {
        "GetCouncillorsByWard" => "<councillorsbyward></councillorsbyward>".to_owned(),
        question => answer(question),
    });
    let asked = ["import", "--from", "moderngov", &address, "--map", &map(), "--database-url", &desk.database];
    let days = ["--meetings-from", "2026-01-01", "--meetings-to", "2026-12-31"];
    let output = desk.run(&[&asked[..], &days[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(desk.is_empty());
    (String::from_utf8_lossy(&output.stderr).into_owned(), questions.try_iter().count())
}

#[test]
fn no_more_questions_are_asked_than_a_run_may_ask() {
    let expected = "more than 5000 questions would have to be asked";
    let (told, questions) = refused(|question| match question {
        "GetCommittees" => committees(5000),
        _ => meetings(0),
    });
    assert!(told.contains(expected) && questions == 2, "what cannot be finished is not begun: {questions}, {told}");
    let (told, questions) = refused(|question| match question {
        "GetCommittees" => committees(2),
        _ => meetings(5000),
    });
    assert!(told.contains(expected) && questions == 3, "meetings count too: {questions}, {told}");
}

#[test]
fn the_answers_of_a_run_are_bounded_together() {
    let long = " ".repeat(32 << 20);
    let (told, questions) = refused(move |question| match question {
        "GetCommittees" => committees(1),
        question if question.starts_with("GetMeetings") => meetings(40),
        _ => long.clone(),
    });
    assert!(told.contains("the answers are longer than 536870912 bytes together"), "{told}");
    assert_eq!(questions, 3 + 16);
}

#[test]
fn the_files_of_a_directory_are_bounded_together() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    for number in 0..17 {
        let file = File::create(answers.join(format!("{number}.xml"))).expect("a file");
        file.set_len(32 << 20).expect("as long as one may be");
    }
    let told = desk.refused("moderngov", &answers, &["--map", &map()]);
    assert!(told.contains("its files are longer than 536870912 bytes together"), "{told}");
}

#[test]
fn a_long_answer_is_read_to_its_end() {
    let desk = Desk::new();
    let answers = desk.path("answers");
    desk.write("answers/committees.xml", committees(16_000));
    let told = desk.refused("moderngov", &answers, &["--map", &map(), "--dry-run"]);
    assert!(told.contains("/bodies: must have at most 2000 items"), "{told}");
}
