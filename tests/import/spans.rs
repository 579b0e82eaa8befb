//! Papers that meetings of different runs tell of: what one run closed, another does not open.

use pinkpaper::{audit::Write, domain::id::Id, pip::Change};
use serde_json::{Value, json};

use crate::{
    desk::{Desk, map, samples},
    moderngov::entry,
};

/// Attachments at an item of meeting 5001 that is restricted; at meeting 6001 nothing is.
const PAPERS: [&str; 3] = ["mg:attachment:60870", "mg:attachment:60871", "mg:attachment:60872"];

fn sample(file: &str) -> String {
    std::fs::read_to_string(samples().join("moderngov").join(file)).expect("a sample")
}

/// The meeting of the samples.
fn restricted() -> String {
    sample("meeting_5001.xml")
}

/// The same without any restriction.
fn free() -> String {
    let free = restricted().replace("<isrestricted>True<", "<isrestricted>False<");
    free.replace("LGA 12A 3", "\n").replace("see reasons", "\n")
}

/// The same papers at a later meeting, without any restriction.
fn later() -> String {
    free().replace("<meetingid>5001<", "<meetingid>6001<").replace("10/02/2026", "10/03/2026")
}

fn cancelled(meeting: &str) -> String {
    meeting.replace("<meetingstatus>Confirmed<", "<meetingstatus>Cancelled<")
}

/// Imports answers that tell of these meetings only.
fn import(desk: &Desk, meetings: &[String]) -> Value {
    let answers = desk.path("answers");
    let _gone = std::fs::remove_dir_all(&answers);
    desk.write("answers/committees.xml", sample("committees.xml"));
    desk.write("answers/councillors.xml", sample("councillors.xml"));
    let listed = sample("meetings.xml").replace("<meetingid>5002<", "<meetingid>6001<");
    desk.write("answers/meetings.xml", listed);
    for (at, meeting) in meetings.iter().enumerate() {
        desk.write(&format!("answers/{at}.xml"), meeting);
    }
    desk.told("moderngov", &answers, &["--map", &map()])
}

async fn papers(desk: &Desk) -> Vec<Value> {
    let store = desk.store().await;
    let mut papers = Vec::new();
    for id in PAPERS {
        let id: Id = id.try_into().expect("an id");
        papers.push(json!(store.document(&id).await.expect("readable").expect("there")));
    }
    papers
}

async fn assert_closed(desk: &Desk, why: &str) {
    for paper in papers(desk).await {
        assert_ne!(paper["classification"]["access"], "open", "{why}: {paper:#}");
        assert!(paper.get("published_at").is_none(), "{why}: {paper:#}");
    }
}

async fn assert_open(desk: &Desk) {
    for paper in papers(desk).await {
        assert_eq!(paper["classification"], json!({"access": "open"}), "{paper:#}");
        assert_eq!(paper["published_at"], "2026-02-03T00:00:00Z");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_that_one_meeting_restricts_is_closed_whichever_is_imported_first() {
    let orders = [
        vec![vec![restricted(), later()]],
        vec![vec![restricted()], vec![later()]],
        vec![vec![later()], vec![restricted()]],
    ];
    for runs in orders {
        let desk = Desk::new();
        for run in runs {
            import(&desk, &run);
        }
        assert_closed(&desk, "after both").await;
        assert_eq!(papers(&desk).await[0]["business"].as_array().expect("business").len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_opens_once_all_its_meetings_are_told_again_as_free() {
    let desk = Desk::new();
    import(&desk, &[restricted()]);
    import(&desk, &[later()]);
    assert!(import(&desk, &[later()])["facts_version"].is_null(), "nothing to change");
    import(&desk, &[free()]);
    assert_closed(&desk, "the later not told").await;
    import(&desk, &[free(), later()]);
    assert_open(&desk).await;
    import(&desk, &[later()]);
    assert_open(&desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_that_does_not_take_place_closes_a_paper_as_well() {
    let gone = || cancelled(&restricted());
    let orders = [
        vec![vec![gone()], vec![later()]],
        vec![vec![later()], vec![gone()]],
        vec![vec![restricted()], vec![gone(), later()]],
    ];
    for runs in orders {
        let desk = Desk::new();
        for run in runs {
            import(&desk, &run);
        }
        import(&desk, &[later()]);
        assert_closed(&desk, "restricted at a cancelled meeting").await;
        import(&desk, &[cancelled(&free()), later()]);
        assert_open(&desk).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_not_opened_by_another_meeting_either() {
    let desk = Desk::new();
    import(&desk, &[restricted()]);
    let mut written = papers(&desk).await.remove(0);
    let opinion = json!({"access": "open", "determined_by": "proper_officer", "determined_at": "2026-02-01T09:00:00Z"});
    written["parts"] = json!([
        {"id": "one", "classification": {"access": "open"}, "published_at": "2026-02-03T00:00:00Z"},
        {"id": "two", "classification": opinion},
    ]);
    let change = Change::PutDocument(Box::new(serde_json::from_value(written).expect("a document")));
    let store = desk.store().await;
    store.write(Write { change, if_version: None }, entry("parts")).await.expect("written");
    drop(store);
    import(&desk, &[later()]);
    assert_closed(&desk, "with parts").await;
    let parts = papers(&desk).await[0]["parts"].clone();
    assert_eq!(parts, json!([{"id": "one"}, {"id": "two", "classification": opinion}]));
}
