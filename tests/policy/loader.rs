//! What the loader refuses: whatever a lawyer could not read, check or find.

use pinkpaper::pap::{Bundle, LoadError, PolicyFiles};

use crate::world::FILES;

const STATUTE: &str = "member-access/any-member-inspects-meeting-papers.cedar";
const PROTOCOL: &str = "need-to-know/recorded-need-to-know.cedar";

/// The shipped files with one text changed.
fn changed(path: &str, change: impl Fn(&str) -> String) -> Result<Bundle, LoadError> {
    let mut files = FILES.clone();
    let text = files.0.get_mut(path).unwrap_or_else(|| panic!("no `{path}`"));
    *text = change(text);
    Bundle::load(&files)
}

fn refusal(result: Result<Bundle, LoadError>) -> String {
    result.map(|_| ()).expect_err("the bundle is refused").to_string()
}

/// A line of the file left out.
fn dropped(path: &str, start: &str) -> String {
    refusal(changed(path, |text| text.lines().filter(|line| !line.starts_with(start)).collect::<Vec<_>>().join("\n")))
}

#[test]
fn an_unknown_annotation_is_refused() {
    let told = refusal(changed(STATUTE, |text| text.replacen("@title", "@titel(\"x\")\n@title", 1)));
    assert!(told.contains("@titel") && told.contains(STATUTE), "{told}");
}

#[test]
fn a_statutory_policy_without_citation_or_rule_is_refused() {
    assert!(dropped(STATUTE, "@citation").contains("`@citation` is missing"));
    assert!(dropped(STATUTE, "@rule").contains("`@rule` is missing"));
    let told = refusal(changed(STATUTE, |text| text.replace("@citation(\"LGA72", "@citation(\"LGA99")));
    assert!(told.contains("names no instrument"), "{told}");
}

#[test]
fn a_condition_without_its_missing_text_is_refused() {
    let last = (1..).take_while(|n| FILES.0[STATUTE].contains(&format!("@missing_{n}("))).last().expect("texts");
    assert!(dropped(STATUTE, &format!("@missing_{last}(")).contains("one for each condition"));
    assert!(dropped(STATUTE, "@missing_2(").contains("`@missing_3` is unknown"), "no gap");
}

#[test]
fn an_id_must_be_the_files_name_and_stand_once() {
    let told = refusal(changed(STATUTE, |text| text.replace("@id(\"any", "@id(\"some")));
    assert!(told.contains("must be the file's name"), "{told}");
    let mut files = FILES.clone();
    files.0.insert("scrutiny/any-member-inspects-meeting-papers.cedar".to_owned(), files.0[STATUTE].clone());
    assert!(refusal(Bundle::load(&files)).contains("have the same id"));
}

#[test]
fn a_policy_that_fails_strict_validation_is_refused() {
    let told = refusal(changed(STATUTE, |text| text.replace("resource.held_by_council", "resource.held_by_counsel")));
    assert!(told.contains("strict validation"), "{told}");
    let told =
        refusal(changed(STATUTE, |text| text.replace("PersonKind::\"councillor\"", "PersonKind::\"councilor\"")));
    assert!(told.contains("strict validation"), "a misspelt word: {told}");
    let unguarded = |text: &str| text.replace("context has business && ", "");
    assert!(refusal(changed(STATUTE, unguarded)).contains("strict validation"), "an optional fact read unasked");
}

#[test]
fn a_role_must_have_its_effect() {
    let told = refusal(changed(STATUTE, |text| text.replace("\npermit (", "\nforbid (")));
    assert!(told.contains("needs a policy that permits"), "{told}");
}

#[test]
fn a_rule_no_profile_selects_and_a_selection_of_nothing_are_refused() {
    let profile = "profiles/th52.json";
    let renamed = |text: &str| text.replace("\"policy\": \"recorded-need-to-know\"", "\"policy\": \"no-such-policy\"");
    assert!(refusal(changed(profile, renamed)).contains("which does not exist"));
    let mut files = FILES.clone();
    let copy = files.0[PROTOCOL].replace("recorded-need-to-know", "another-need-to-know");
    files.0.insert("need-to-know/another-need-to-know.cedar".to_owned(), copy);
    assert_eq!(refusal(Bundle::load(&files)), "no profile selects `another-need-to-know`");
}

#[test]
fn a_profile_with_an_unknown_member_or_route_is_refused() {
    let profile = "profiles/baseline.json";
    assert!(refusal(changed(profile, |text| text.replacen('{', "{\"colour\": \"pink\",", 1))).contains("colour"));
    let told = refusal(changed(profile, |text| text.replace("\"need_to_know\": [", "\"need_to_see\": [")));
    assert!(told.contains("which the profile does not have"), "{told}");
}

#[test]
fn the_hash_names_every_text() {
    let same = Bundle::load(&PolicyFiles(FILES.0.clone())).expect("it loads").hash;
    assert_eq!(same, Bundle::load(&FILES).expect("it loads").hash);
    let other =
        changed(STATUTE, |text| text.replace("No need to know is asked", "No need is asked")).expect("it loads");
    assert_ne!(same, other.hash);
}
