//! Laws over made-up values: what is written is read as it was, and what is not told opens nothing.

use std::collections::BTreeMap;

use jiff::civil::Date;
use pinkpaper::{
    domain::register::Register,
    import::{
        Found,
        mapping::Mapping,
        merge::merge,
        moderngov::{self, Answer},
        sheets, values,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

fn id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._:/-]{1,12}"
}

/// Names as people have them, and as only a test has them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z][a-z]{1,8} [A-Z][a-z]{1,8}",
        "[ -~\u{e0}-\u{ff}\r\n\",;=+]{0,10}[a-z\"][ -~]{0,5}",
        "'{0,3}[-=+@\t]{0,2}[a-z]{1,3}"
    ]
}

fn day() -> impl Strategy<Value = Date> {
    (1900i16..2200, 1i8..13, 1i8..29).prop_map(|(year, month, day)| Date::new(year, month, day).expect("a day"))
}

fn period() -> impl Strategy<Value = (Option<Date>, Option<Date>)> {
    (option::of(day()), option::of(day()))
        .prop_map(|(a, b)| if a.is_some() && b.is_some() && b < a { (b, a) } else { (a, b) })
}

/// As many things as there are distinct ids.
fn keyed(ids: &[String], make: impl Fn(usize, &str) -> Value) -> Vec<Value> {
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    distinct.into_iter().enumerate().map(|(at, id)| make(at, id)).collect()
}

prop_compose! {
    fn register()(
        ids in vec(vec(id(), 1..5), 4), names in vec(name(), 8), periods in vec(period(), 8), flags in vec(any::<bool>(), 8),
        kind in select(vec!["councillor", "officer", "co_opted_member"]), role in select(vec!["member", "chair", "substitute"]),
        matters in vec(id(), 0..3), recorded in option::of(0i64..4_000_000_000),
    ) -> Register {
        let some = |at: usize| periods[at % 8];
        let dated = |at: usize| json!({"from": some(at).0, "to": some(at).1});
        let bodies = keyed(&ids[2], |at, id| json!({"id": id, "name": names[at], "kind": "committee", "terms_of_reference": matters,
            "work_programme": [{"id": id, "title": names[at + 1], "matters": matters, "from": some(at).0, "to": some(at).1}]}));
        let people = keyed(&ids[3], |at, id| {
            let mut person = json!({"id": id, "name": names[at], "kind": kind, "group_leader": flags[at],
                "memberships": [{"body": ids[2][0], "role": role, "voting": flags[at + 1], "from": some(at).0, "to": some(at).1}],
                "wards": [ids[1][0]], "portfolios": matters,
                "interests": [{"id": id, "kind": "financial", "holder": "self", "matter": "m", "relation": "affects",
                               "registered": flags[at], "sensitive": flags[at + 2]}],
                "dispensations": [{"interest": id, "from": some(at).0, "to": some(at).1}]});
            if some(at + 1) != (None, None) {
                person["term"] = dated(at + 1);
            }
            if let Some(recorded) = recorded {
                person["reviewing"] = json!([{"decision": "d", "recorded_by": id,
                    "recorded_at": jiff::Timestamp::from_second(recorded).expect("a time")}]);
                person["group"] = json!(ids[0][0]);
                person["assists"] = json!({"group": ids[0][0]});
                person["posts"] = json!(["monitoring_officer", "section_151"]);
                person["employment"] = json!("agency");
            }
            person
        });
        let value = json!({
            "authority": {"id": ids[0][0], "name": names[7], "governance": "committee_system"},
            "groups": keyed(&ids[0], |at, id| json!({"id": id, "name": names[at], "administration": flags[at]})),
            "wards": keyed(&ids[1], |at, id| json!({"id": id, "name": names[at]})),
            "bodies": bodies, "people": people,
        });
        serde_json::from_value(value).expect("a register")
    }
}

fn taken_in(found: Found, over: Option<&Register>) -> Register {
    let merged = merge(found, over, &BTreeMap::new(), over.is_some()).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(merged.notes.is_empty(), "{:?}", merged.notes);
    serde_json::from_value(merged.register).expect("a register")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_register_given_out_is_taken_in_as_it_was(register in register(), other in register()) {
        let files = sheets::write(&json!(register)).expect("written");
        let read = || sheets::read(&files, &Mapping::default()).unwrap_or_else(|faults| panic!("{faults}"));
        prop_assert_eq!(&taken_in(read(), None), &register);
        prop_assert_eq!(&taken_in(Found::register(&register), None), &register);
        // In place of any other.
        prop_assert_eq!(&taken_in(Found::register(&register), Some(&other)), &register);
        // Upon itself.
        prop_assert_eq!(&taken_in(read(), Some(&register)), &register);
    }

    #[test]
    fn a_day_is_read_as_it_is_written(day in day()) {
        prop_assert_eq!(values::day(&day.strftime(" %d/%m/%Y\n").to_string()), Some(day));
        prop_assert_eq!(values::day(&day.strftime("%-d/%-m/%Y").to_string()), Some(day));
        prop_assert_eq!(values::day(&day.strftime("%Y-%m-%d").to_string()), None);
        prop_assert_eq!(values::day(&day.strftime("%d/%m/%y").to_string()), None);
    }

    #[test]
    fn a_number_is_read_as_it_is_written(number in 0u64..1_000_000_000_000_000_000, room in "[ \n\t]{0,4}") {
        prop_assert_eq!(values::number(&format!("{room}{number}{room}")), Some(number));
        prop_assert_eq!(values::number(&format!("-{number}")), None);
        prop_assert_eq!(values::number(&format!("{number}.0")), None);
    }

    #[test]
    fn a_time_is_read_as_it_is_written(hour in 0i8..24, minute in 0i8..60, dot in select(vec![".", ":"])) {
        let (half, shown) = (if hour < 12 { "am" } else { "pm" }, (hour + 11) % 12 + 1);
        let expected = jiff::civil::Time::new(hour, minute, 0, 0).expect("a time");
        prop_assert_eq!(values::clock(&format!("{shown}{dot}{minute:02} {half}")), Some(expected));
        prop_assert_eq!(values::clock(&format!(" {shown}{dot}{minute:02}{half}\n")), Some(expected));
    }

    #[test]
    fn no_reader_falls_over_any_text(text in "\\PC{0,40}") {
        let word = text.trim().to_lowercase();
        prop_assert_eq!(values::flag(&text).is_some(), ["true", "false"].contains(&word.as_str()));
        let _any = (values::number(&text), values::day(&text), values::clock(&text), values::plain(&text), values::slug(&text));
        let answer = Answer { name: "a.xml".to_owned(), text };
        let _any = moderngov::read(&[answer], &Mapping::default());
    }

    #[test]
    fn a_paper_is_open_only_where_every_flag_says_so(
        flags in vec(select(vec!["True", "False", "", "\n  ", "0", "no", "left out"]), 4),
        reference in select(vec!["", "\n   ", "3", "unknown", "left out"]),
        published in select(vec!["True", "False", "left out"]),
    ) {
        let element = |tag: &str, text: &str| match text {
            "left out" => String::new(),
            text => format!("<{tag}>{text}</{tag}>"),
        };
        let meeting = format!(
            "<meeting><meetingid>1</meetingid><meetingdate>10/02/2026</meetingdate><meetingstatus>Confirmed</meetingstatus>{}{}\
             <agendaitems><agendaitem>{}{}<linkeddocuments><linkeddoc><attachmentid>7</attachmentid><title>T</title>{}{}\
             <publicationdate>02/02/2026</publicationdate></linkeddoc></linkeddocuments></agendaitem></agendaitems></meeting>",
            element("isdisplayallowed", flags[0]), element("agendapublished", published), element("isrestricted", flags[1]),
            element("isdisplayallowed", flags[2]), element("isrestricted", flags[3]), element("restrictionsRef", reference),
        );
        let committees = "<committees><committee><committeeid>2</committeeid><committeetitle>C</committeetitle>\
            <committeedeleted>False</committeedeleted><committeeexpired>False</committeeexpired></committee></committees>";
        let meetings = "<getmeetings><committee><committeeid>2</committeeid><meeting><meetingid>1</meetingid></meeting>\
            </committee></getmeetings>";
        let answers = [("a", committees.to_owned()), ("b", meetings.to_owned()), ("c", meeting)];
        let answers = answers.map(|(name, text)| Answer { name: name.to_owned(), text });
        let map = Mapping { restrictions: BTreeMap::from([("3".to_owned(), vec![3])]), ..Mapping::default() };
        let found = moderngov::read(&answers, &map).unwrap_or_else(|faults| panic!("{faults}"));
        let told = &found.documents[0].told;
        let open = flags == ["True", "False", "True", "False"] && ["", "\n   "].contains(&reference);
        let restricted = flags[1] == "True" || flags[3] == "True";
        let expected = match (open, restricted && reference == "3") {
            (true, _) => "open",
            (false, true) => "exempt",
            (false, false) => "unsettled",
        };
        prop_assert_eq!(&told["classification"]["access"], expected);
        prop_assert_eq!(told.contains_key("published_at"), open && published == "True");
    }
}
