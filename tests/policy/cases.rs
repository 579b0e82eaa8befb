//! The worked cases, asked of the evaluator alone (`tests/api/cases.rs` asks them over HTTP).
use crate::{
    row::{Question, answer},
    world::{BUNDLE, NOW, read_json, root},
};
use pinkpaper::{domain::determination::Determination, pdp};
use serde_json::{Value, json};

#[test]
fn the_worked_cases_hold() {
    let mut bad = Vec::new();
    let mut n = 0;
    let only = std::env::var("CASE").ok();
    let dir = std::env::var("CASES").map(std::path::PathBuf::from).unwrap_or(root().join("tests/api/cases"));
    for f in std::fs::read_dir(dir).unwrap() {
        let f = f.unwrap().path();
        if f.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let v = read_json(&f);
        let profile = v["profile"].as_str().unwrap();
        if BUNDLE.book(profile).is_none() {
            continue;
        }
        for c in v["cases"].as_array().unwrap() {
            let id = c["id"].as_str().unwrap();
            if only.as_ref().is_some_and(|o| o != id) {
                continue;
            }
            n += 1;
            let mut reg = v["register"].clone();
            for p in c["people"].as_array().unwrap() {
                let people = reg["people"].as_array_mut().unwrap();
                people.retain(|q| q["id"] != p["id"]);
                people.push(p.clone());
            }
            let determinations = c["determinations"]
                .as_array()
                .unwrap()
                .iter()
                .enumerate()
                .map(|(i, d)| Determination {
                    id: format!("d{i}").as_str().try_into().unwrap(),
                    entered: serde_json::from_value(d.clone()).unwrap(),
                    entered_by: "x".into(),
                    recorded_at: *NOW,
                    withdrawn_at: None,
                })
                .collect();
            let q = Question {
                profile: profile.into(),
                request: serde_json::from_value(c["request"].clone()).unwrap_or_else(|e| panic!("{id} {e}")),
                document: serde_json::from_value(c["request"]["document"].clone()).unwrap(),
                register: serde_json::from_value(reg).unwrap(),
                determinations,
            };
            let verdict = match answer(&BUNDLE, &q) {
                Ok(v) => v,
                Err(e) => {
                    bad.push(format!("{id}: {e}"));
                    continue;
                }
            };
            let e = &c["expect"];
            let outcome = pdp::outcome(&verdict.parts);
            let v = serde_json::to_value(&verdict).unwrap();
            if only.is_some() {
                println!("{outcome} {v:#}");
            }
            let held = outcome.word() != "allow" && verdict.referral.required;
            let mut f = vec![];
            if !e["outcome"].is_null() && e["outcome"] != outcome.word() {
                f.push(format!("outcome {outcome}"))
            }
            if !e["held"].is_null() && e["held"] != held {
                f.push(format!("held {held}"))
            }
            let withheld: Vec<&Value> = v["parts"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|p| p["outcome"] == "withhold")
                .map(|p| &p["id"])
                .collect();
            if !e["withheld"].is_null() && !e["outcome"].is_null() && json!(withheld) != e["withheld"] {
                f.push(format!("withheld {withheld:?}"))
            }
            if !e["referral_required"].is_null() && e["referral_required"] != verdict.referral.required {
                f.push(format!("referral {:?}", verdict.referral.required))
            }
            if !e["referral_to_first"].is_null() && Some(&e["referral_to_first"]) != v["referral"]["to"].get(0) {
                f.push(format!("to {:?}", v["referral"]["to"]))
            }
            let set = |k: &str| v[k].as_array().unwrap().iter().map(|o| o["type"].clone()).collect::<Vec<_>>();
            let list = |k: &str| e[k].as_array().cloned().unwrap_or_default();
            for o in list("obligations_include") {
                if !set("obligations").contains(&o) {
                    f.push(format!("no {o}"))
                }
            }
            for o in list("obligations_exclude") {
                if set("obligations").contains(&o) {
                    f.push(format!("has {o}"))
                }
            }
            for o in list("information_include") {
                if !set("information").contains(&o) {
                    f.push(format!("no info {o}"))
                }
            }
            let mut rules: Vec<Value> =
                v["parts"].as_array().unwrap().iter().flat_map(|p| p["because"].as_array().unwrap().clone()).collect();
            rules.extend(v["reasons"].as_array().unwrap().iter().map(|r| r["rule"].clone()));
            if v["parts"].as_array().unwrap().iter().all(|p| p["outcome"] == "disclose" || p["because"] == json!([])) {
                rules.extend(v["tested"].as_array().unwrap().iter().map(|r| r["rule"].clone()));
                rules.push(v["referral"]["rule"].clone());
            }
            let any = list("because_any");
            if !any.is_empty() && !any.iter().any(|a| rules.contains(a)) {
                f.push(format!("because {} not in {}", json!(any), json!(rules)))
            }
            if !f.is_empty() {
                bad.push(format!("{id}: {}  [{}]", f.join("; "), c["note"]))
            }
        }
    }
    assert!(bad.is_empty(), "{} of {n} fail:\n{}", bad.len(), bad.join("\n"));
}
