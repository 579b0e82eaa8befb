//! The desk: who comes in, what a form may do, and that pages name nobody to those who may not know.

use pinkpaper::{domain::words::CallerRole, http::DESK};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

use crate::support::{Service, key, key_of, read_json};

struct Browser {
    client: Client,
    url: String,
    cookie: Option<String>,
}

impl Browser {
    fn on(service: &Service) -> Self {
        let client = pinkpaper::outbound::builder().redirect(Policy::none()).build().expect("a client");
        Self { client, url: service.url.clone(), cookie: None }
    }

    async fn sign_in(service: &Service, role: CallerRole) -> Self {
        Self::sign_in_with(service, &key(role)).await
    }

    async fn sign_in_with(service: &Service, key: &str) -> Self {
        let mut browser = Self::on(service);
        let answer = browser.post("/desk/session", &[("token", key)], "same-origin").await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["location"]),
            (303, &"/desk/home".parse().expect("a header"))
        );
        let cookie = answer.headers()["set-cookie"].to_str().expect("text").to_owned();
        for wanted in ["HttpOnly", "SameSite=Strict", "Path=/desk"] {
            assert!(cookie.contains(wanted), "{cookie}");
        }
        browser.cookie = cookie.split(';').next().map(str::to_owned);
        browser
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let mut request = self.client.get(format!("{}{path}", self.url));
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        let answer = request.send().await.expect("answers");
        assert!(answer.headers()["content-security-policy"].to_str().expect("text").starts_with("default-src 'none'"));
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    async fn post(&self, path: &str, form: &[(&str, &str)], from: &str) -> reqwest::Response {
        let pairs: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
        let mut request = self.client.post(format!("{}{path}", self.url)).header("Sec-Fetch-Site", from);
        request = request.header("Content-Type", "application/x-www-form-urlencoded");
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        request.body(pairs.join("&")).send().await.expect("answers")
    }
}

async fn service() -> Service {
    let mut register = read_json("tests/api/cases/th52.json")["register"].clone();
    register["people"][0]["name"] = json!("<script>alert(1)</script>");
    let service = Service::with_register("th52", &register).await;
    let document = json!({"id": "doc-1", "kind": "correspondence", "held_by": "council"});
    let put = service.call(CallerRole::Registrar, reqwest::Method::PUT, "/v1/documents/doc-1", Some(&document)).await;
    assert_eq!(put.status, 201);
    service
}

#[tokio::test]
async fn nobody_comes_in_without_a_credential_and_no_page_is_open_to_a_stranger() {
    let service = service().await;
    let stranger = Browser::on(&service);
    for path in [
        "/desk/home",
        "/desk/referrals",
        "/desk/policies",
        "/desk/statistics",
        "/desk/enquiries?person=b3&document=doc-1",
        "/desk/nowhere",
    ] {
        let (status, text) = stranger.get(path).await;
        assert!(status == 401 && text.contains("Sign in first"), "{path}: {status}");
    }
    let (status, text) = stranger.get("/desk").await;
    assert!(status == 200 && text.contains("<label for=\"token\">"), "{text}");
    for wrong in ["pp_nobody", "", "a;b", "x y"] {
        let answer = stranger.post("/desk/session", &[("token", wrong)], "same-origin").await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("set-cookie")), (401, None), "{wrong}");
    }
    // A bearer token is not asked for at the desk, nor the cookie elsewhere.
    let browser = Browser::sign_in(&service, CallerRole::MonitoringOfficer).await;
    assert_eq!(browser.get("/v1/referrals").await.0, 401);
    let mut forged = Browser::on(&service);
    forged.cookie = Some("pinkpaper_desk=pp_nobody".to_owned());
    assert_eq!(forged.get("/desk/home").await.0, 401);
    // Another site of the council's domain can add a cookie; whose request it is then is not certain.
    let own = browser.cookie.expect("signed in");
    for both in [format!("{own}; pinkpaper_desk=pp_nobody"), format!("pinkpaper_desk={}; {own}", key(CallerRole::Pep))]
    {
        forged.cookie = Some(both);
        assert_eq!(forged.get("/desk/home").await.0, 401);
    }
}

#[tokio::test]
async fn what_another_site_has_the_browser_ask_is_not_put_on_record() {
    let service = service().await;
    let browser = Browser::sign_in(&service, CallerRole::Officer).await;
    let ask = async |site: &str| {
        let sent = browser.client.get(format!("{}/desk/enquiries?person=b3&document=doc-1", service.url));
        let sent = sent.header("Cookie", browser.cookie.as_deref().expect("signed in")).header("Sec-Fetch-Site", site);
        sent.send().await.expect("answers").status().as_u16()
    };
    assert_eq!([ask("same-site").await, ask("cross-site").await], [403, 403]);
    let enquiries = async || {
        let path = "/v1/decisions?kind=enquiry";
        let listed = service.call(CallerRole::MonitoringOfficer, reqwest::Method::GET, path, None).await;
        listed.body["items"].as_array().map(Vec::len)
    };
    assert_eq!(enquiries().await, Some(0));
    assert_eq!([ask("same-origin").await, ask("none").await], [200, 200]);
    assert_eq!(enquiries().await, Some(2));
}

/// Pages of the table that put nothing on record.
const LEAVE_NO_TRACE: [&str; 5] = ["/policies", "/desk", "/desk/style.css", "/desk/home", "/desk/policies"];

#[tokio::test]
async fn no_page_that_leaves_a_trace_is_opened_by_another_site() {
    let service = service().await;
    let question = json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read", "document": {"id": "doc-1"},
        "purpose": {"capacity": "councillor", "ground": "curiosity"}
    });
    let decision = service.ask(&question).await.body;
    let referral = decision["referral"]["id"].as_str().expect("a referral");
    let policy = decision["reasons"][0]["policy"].as_str().expect("a policy");
    let browser = Browser::sign_in(&service, CallerRole::MonitoringOfficer).await;
    let open = async |path: &str, site: &str| {
        let sent = browser.client.get(format!("{}{path}", service.url)).header("Sec-Fetch-Site", site);
        let sent = sent.header("Cookie", browser.cookie.as_deref().expect("signed in"));
        sent.send().await.expect("answers").status().as_u16()
    };
    let traces = async || {
        let mut count = 0;
        for kind in ["enquiry", "audience", "log_read"] {
            count += service.acts(kind).await.len();
        }
        count
    };
    let counting = 3;
    for (method, path, _) in DESK {
        if *method != "GET" || LEAVE_NO_TRACE.contains(path) {
            continue;
        }
        let id = if path.starts_with("/desk/referrals") { referral } else { policy };
        let query = match *path {
            "/desk/enquiries" => "?person=b3&document=doc-1",
            "/desk/audience" => "?document=doc-1",
            _ => "",
        };
        let path = format!("{}{query}", path.replace("{id}", id));
        let before = traces().await;
        assert_eq!([open(&path, "same-site").await, open(&path, "cross-site").await], [403, 403], "{path}");
        assert_eq!(traces().await, before + counting, "{path}");
        assert_eq!(open(&path, "same-origin").await, 200, "{path}");
        assert!(traces().await > before + 2 * counting, "{path} leaves no trace");
    }
    // Whoever reads no log may follow a link to a rule.
    let officer = Browser::sign_in(&service, CallerRole::Officer).await;
    let sent =
        officer.client.get(format!("{}/desk/policies/{policy}", service.url)).header("Sec-Fetch-Site", "same-site");
    let sent = sent.header("Cookie", officer.cookie.as_deref().expect("signed in")).send().await.expect("answers");
    assert_eq!(sent.status(), 200);
}

#[tokio::test]
async fn each_role_sees_at_the_desk_what_it_may_see_elsewhere() {
    let service = service().await;
    let pages = [
        ("/desk/enquiries?person=b3&document=doc-1", "/v1/enquiries?person=b3&document=doc-1"),
        ("/desk/referrals", "/v1/referrals"),
        ("/desk/policies", "/v1/policies"),
        ("/desk/statistics", "/v1/log/statistics"),
    ];
    for role in CallerRole::ALL {
        let browser = Browser::sign_in(&service, *role).await;
        for (page, api) in pages {
            let there = service.call(*role, reqwest::Method::GET, api, None).await.status.as_u16();
            assert_eq!(browser.get(page).await.0, there, "{role} {page}");
        }
    }
    // Names to choose from are for those who may read the register.
    let officer = Browser::sign_in(&service, CallerRole::Officer).await.get("/desk/home").await.1;
    assert!(!officer.contains("Cllr B. Three"), "{officer}");
}

#[tokio::test]
async fn what_people_wrote_is_never_markup() {
    let service = service().await;
    let browser = Browser::sign_in(&service, CallerRole::MonitoringOfficer).await;
    let (_, page) = browser.get("/desk/enquiries?person=r1&document=doc-1").await;
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
    let (_, page) = browser.get("/desk/policies?find=%3Cscript%3E").await;
    assert!(!page.contains("<script>"), "{page}");
}

#[tokio::test]
async fn a_referral_is_answered_by_its_form_and_only_from_a_page_of_ours() {
    let service = service().await;
    let question = json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read", "document": {"id": "doc-1"},
        "purpose": {"capacity": "councillor", "ground": "casework"}
    });
    let decision = service.ask(&question).await.body;
    let id = decision["referral"]["id"].as_str().expect("a referral").to_owned();
    let path = format!("/desk/referrals/{id}");
    let browser = Browser::sign_in(&service, CallerRole::MonitoringOfficer).await;
    let (_, list) = browser.get("/desk/referrals").await;
    assert!(list.contains(&path), "{list}");
    let (_, page) = browser.get(&path).await;
    assert!(page.contains("Record the answer") && page.contains("Cllr B. Three"), "{page}");

    let form =
        [("answer", "yes"), ("decided_by", "o-mo"), ("post", "monitoring_officer"), ("reasons", "The need is shown.")];
    for from in ["cross-site", "same-site"] {
        assert_eq!(browser.post(&path, &form, from).await.status(), 403, "{from}");
    }
    let nobody = [("answer", "yes"), ("decided_by", "o-none"), ("post", "monitoring_officer"), ("reasons", "So.")];
    let refused = browser.post(&path, &nobody, "same-origin").await;
    assert_eq!(refused.status(), 400);
    let told = refused.text().await.expect("text");
    assert!(told.contains("Nothing was recorded") && told.contains("Who decided: is not a person"), "{told}");
    assert!(told.contains("value=\"o-none\"") && told.contains(">So.</textarea>"), "what was typed is kept: {told}");
    let open =
        service.call(CallerRole::MonitoringOfficer, reqwest::Method::GET, "/v1/referrals?status=open", None).await;
    let before = open.body["items"].as_array().map_or(0, Vec::len);

    // What would not answer it is not determined either.
    let mut other_post = form;
    (other_post[1].1, other_post[2].1) = ("o-case", "service_head");
    let determined = async || {
        let listed =
            service.call(CallerRole::MonitoringOfficer, reqwest::Method::GET, "/v1/determinations", None).await;
        listed.body["items"].as_array().map(Vec::len)
    };
    let refused = browser.post(&path, &other_post, "same-origin").await;
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.expect("text").contains("Nothing was recorded"));
    assert_eq!(determined().await, Some(0));

    let done = browser.post(&path, &form, "same-origin").await;
    assert_eq!(done.status(), 303, "{}", done.text().await.unwrap_or_default());
    let (_, page) = browser.get(&path).await;
    assert!(page.contains("By determination"), "{page}");
    let closed =
        service.call(CallerRole::MonitoringOfficer, reqwest::Method::GET, "/v1/referrals?status=closed", None).await;
    assert_eq!(closed.body["items"].as_array().map(Vec::len), Some(1), "one of {before}");
    // From a page that was left open meanwhile.
    let late = browser.post(&path, &[&[("answer", "no")], &form[1..]].concat(), "same-origin").await;
    assert_eq!(late.status(), 409);
    assert!(late.text().await.expect("text").contains("Nothing was recorded"));
    assert_eq!(determined().await, Some(1));
    let officer = Browser::sign_in(&service, CallerRole::Officer).await;
    assert!(matches!(officer.post(&path, &form, "same-origin").await.status().as_u16(), 403 | 404));
}

#[tokio::test]
async fn what_was_determined_before_is_told_at_the_desk_to_those_who_may_read_it() {
    let service = service().await;
    let question = json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read", "document": {"id": "doc-1"},
        "purpose": {"capacity": "councillor", "ground": "casework"}
    });
    let decision = service.ask(&question).await.body;
    let path = format!("/desk/referrals/{}", decision["referral"]["id"].as_str().expect("a referral"));
    for (by, post, reasons) in
        [("o-cd", "corporate_director", "zzdirector"), ("o-mo", "monitoring_officer", "zzmonitoring")]
    {
        let determination = json!({
            "kind": "need_to_know", "answer": false, "person": "b3", "document": "doc-1",
            "decided_by": {"person": by, "post": post}, "decided_at": "2026-01-02T10:00:00Z", "reasons": reasons
        });
        assert_eq!(service.determine(&determination).await.status, 201, "{by}");
    }
    // Whoever holds the post that it is put to answers it, and sees what they decided themselves.
    for (key, seen) in [
        (key(CallerRole::MonitoringOfficer), ["zzdirector", "zzmonitoring"].as_slice()),
        (key(CallerRole::InformationGovernance), &["zzdirector", "zzmonitoring"]),
        (key_of("o-mo"), &["zzmonitoring"]),
    ] {
        let (status, page) = Browser::sign_in_with(&service, &key).await.get(&path).await;
        assert_eq!(status, 200, "{key}");
        for reasons in ["zzdirector", "zzmonitoring"] {
            assert_eq!(page.contains(reasons), seen.contains(&reasons), "{key} {reasons}: {page}");
        }
    }
}

#[tokio::test]
async fn the_rule_book_is_found_in_and_tells_which_decisions_used_a_rule() {
    let service = service().await;
    let question = json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read", "document": {"id": "doc-1"},
        "purpose": {"capacity": "councillor", "ground": "curiosity"}
    });
    let decision: Value = service.ask(&question).await.body;
    let policy = decision["reasons"][0]["policy"].as_str().expect("a policy").to_owned();
    let browser = Browser::sign_in(&service, CallerRole::MonitoringOfficer).await;
    let short = browser.client.get(format!("{}/policies", service.url)).send().await.expect("answers");
    assert_eq!(
        (short.status().as_u16(), &short.headers()["location"]),
        (308, &"/desk/policies".parse().expect("a header"))
    );
    let (_, all) = browser.get("/desk/policies").await;
    let (_, few) = browser.get("/desk/policies?find=curiosity").await;
    let count = |page: &str| page.matches("<h3>").count();
    assert!(count(&few) > 0 && count(&few) < count(&all), "{} of {}", count(&few), count(&all));
    let (_, none) = browser.get("/desk/policies?find=zzz").await;
    assert!(none.contains("No rule has"), "{none}");
    let (status, rule) = browser.get(&format!("/desk/policies/{policy}")).await;
    assert!(status == 200 && rule.contains(decision["id"].as_str().expect("an id")), "{rule}");
    let pep = Browser::sign_in(&service, CallerRole::Pep).await.get(&format!("/desk/policies/{policy}")).await.1;
    assert!(pep.contains("Only those who read the log"), "{pep}");
    assert_eq!(browser.get("/desk/policies/none").await.0, 404);
}

#[tokio::test]
async fn counts_and_what_they_count_are_tables_to_release() {
    let service = service().await;
    let question = json!({"principal": {"type": "person", "id": "b3"}, "action": "read", "document": {"id": "doc-1"}});
    for _ in 0..6 {
        assert_eq!(service.ask(&question).await.status, 200);
    }
    let browser = Browser::sign_in(&service, CallerRole::InformationGovernance).await;
    let (_, page) = browser.get("/desk/statistics?document=doc-1").await;
    let link = |of: &str| {
        let at = page.find(of).unwrap_or_else(|| panic!("no link to {of}: {page}"));
        page[at..].split('"').next().expect("a link").replace("&amp;", "&")
    };
    let (status, counts) = browser.get(&link("/desk/statistics/table")).await;
    assert!(status == 200 && counts.contains("decisions,,6"), "{counts}");
    let (status, decisions) = browser.get(&link("/desk/decisions/table")).await;
    assert!(status == 200 && decisions.lines().count() == 7 && !decisions.contains(",b3,"), "{decisions}");
    let (_, none) = browser.get("/desk/statistics?document=doc-nowhere").await;
    assert!(none.contains("No decision on record fits"), "{none}");
    let officer = Browser::sign_in(&service, CallerRole::Officer).await;
    assert_eq!(officer.get("/desk/decisions/table?view=full").await.0, 403);
    let (status, page) = officer.get("/desk/enquiries?person=b3&document=doc-nowhere").await;
    assert!(status == 400 && page.contains("no paper with this id is registered"), "{page}");
}

#[tokio::test]
async fn signing_out_forgets() {
    let service = service().await;
    let browser = Browser::sign_in(&service, CallerRole::Officer).await;
    assert_eq!(browser.post("/desk/session/end", &[], "cross-site").await.status(), 403);
    let out = browser.post("/desk/session/end", &[], "same-origin").await;
    let cookie = out.headers()["set-cookie"].to_str().expect("text");
    assert!(out.status() == 303 && cookie.contains("Max-Age=0"), "{cookie}");
}

#[tokio::test]
async fn whoever_decides_in_a_post_begins_with_what_is_put_to_it() {
    let service = service().await;
    let question = json!({
        "principal": {"type": "person", "id": "b3"}, "action": "disclose", "document": {"id": "doc-1"},
        "recipient": {"type": "person", "id": "r1"}, "channel": "member_enquiry",
        "purpose": {"capacity": "councillor", "ground": "casework", "reference": "case-77"}
    });
    let decision = service.ask(&question).await.body;
    let id = decision["referral"]["id"].as_str().expect("a referral").to_owned();
    assert_eq!(decision["referral"]["to"][0], "monitoring_officer");
    let officer = Browser::sign_in_with(&service, &key_of("o-mo")).await;
    let (status, list) = officer.get("/desk/referrals").await;
    assert!(status == 200 && list.contains(&id) && list.contains("Put to the monitoring officer."), "{list}");
    assert!(list.contains("/desk/referrals?status=closed&amp;to=monitoring_officer"), "{list}");
    let (_, page) = officer.get(&format!("/desk/referrals/{id}")).await;
    for fact in ["<dt>To whom</dt><dd>person r1</dd>", "<dt>Asked through</dt><dd>member enquiry</dd>", "case-77"] {
        assert!(page.contains(fact), "{fact}: {page}");
    }
    // Nothing is put to the post of a case officer.
    assert_eq!(Browser::sign_in_with(&service, &key_of("o-case")).await.get("/desk/referrals").await.0, 403);
}

#[tokio::test]
async fn the_form_offers_the_posts_that_may_decide_those_asked_first() {
    let service = service().await;
    let question = json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read", "document": {"id": "doc-1"},
        "purpose": {"capacity": "councillor", "ground": "casework"}
    });
    let decision = service.ask(&question).await.body;
    let id = decision["referral"]["id"].as_str().expect("a referral").to_owned();
    let page =
        Browser::sign_in(&service, CallerRole::MonitoringOfficer).await.get(&format!("/desk/referrals/{id}")).await.1;
    let offered: Vec<&str> = page.split("<option value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let first: Vec<&str> =
        decision["referral"]["to"].as_array().expect("roles").iter().filter_map(|to| to.as_str()).collect();
    assert_eq!(offered[..first.len()], first);
    assert!(offered.contains(&"corporate_director") && !offered.contains(&"scrutiny_officer"), "{offered:?}");
}
