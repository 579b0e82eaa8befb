//! Claims about register, documents and determinations.

use pinkpaper::{
    audit::{Unmet, Write},
    domain::{
        register::{Group, Register},
        words::{Determination as Kind, DocumentKind},
    },
    pip::{Change, DeterminationFilter, DocumentFilter, Maker},
};

use crate::support::*;

pub async fn an_empty_store_names_nobody(bench: Bench) {
    let snapshot = bench.store.snapshot();
    assert_eq!(snapshot.facts_version, 0);
    assert!(snapshot.register.register.is_none());
    assert!(bench.store.document(&id("edrms:2026/0117")).await.expect("readable").is_none());
    assert!(bench.store.determinations_about(&id("edrms:2026/0117")).await.expect("readable").is_empty());
}

pub async fn the_register_comes_back_as_it_was_written(bench: Bench) {
    let written = bench.write("w1", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
    assert_eq!((written.facts_version, written.created), (1, true));
    let snapshot = bench.store.snapshot();
    assert_eq!(snapshot.register.register, Some(register()));
    assert_eq!(snapshot.register.person(&id("b1")).map(|p| p.name.as_str()), Some("Cllr B. One"));
}

pub async fn a_register_is_replaced_whole(bench: Bench) {
    bench.write("w1", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
    let smaller = Register { people: vec![person("c1", "Cllr C. One")], groups: vec![], ..register() };
    let written = bench.write("w2", Change::ReplaceRegister(Box::new(smaller.clone()))).await.expect("written");
    assert_eq!((written.facts_version, written.created), (2, false));
    assert_eq!(bench.store.snapshot().register.register, Some(smaller));
}

pub async fn an_import_is_one_write_of_register_and_documents(bench: Bench) {
    let import = |register: Register, ids: &[String]| Change::Import {
        from: "csv",
        register: Box::new(register),
        documents: ids.iter().map(|id| document(id)).collect(),
    };
    // More than go into one statement.
    let ids: Vec<String> = (0..2100).map(|number| format!("d{number:04}")).collect();
    let written = bench.write("w1", import(register(), &ids)).await.expect("written");
    assert_eq!((written.facts_version, written.created), (1, true));
    assert_eq!(bench.store.snapshot().register.register, Some(register()));
    assert_eq!(bench.store.document(&id("d2099")).await.expect("readable"), Some(document("d2099")));
    let served = DocumentFilter { body: Some(id("licensing")), ..DocumentFilter::default() };
    let page = bench.store.list_documents(&served, &page(Some("d2097"), 9)).await.expect("readable");
    assert_eq!(page.items.len(), 2);
    // Once more is the same.
    let again = bench.write("w2", import(register(), &ids)).await.expect("written");
    assert_eq!((again.facts_version, again.created), (2, false));
    // For another version: neither.
    let smaller = Register { people: vec![], ..register() };
    let at_another = Write { change: import(smaller, &["e".to_owned()]), if_version: Some(9) };
    assert!(bench.store.write(at_another, entry("w3")).await.is_err());
    assert_eq!(bench.store.snapshot().register.register, Some(register()));
    assert!(bench.store.document(&id("e")).await.expect("readable").is_none());
    assert_eq!(bench.version(), 2);
}

pub async fn one_object_is_put_in_its_place_or_last(bench: Bench) {
    bench.write("w1", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
    let mut expected = register();
    expected.people[0] = person("b1", "Cllr B. Newname");
    expected.people.push(person("c1", "Cllr C. One"));
    expected.groups.remove(0);
    for (at, person) in [expected.people[0].clone(), expected.people[3].clone()].into_iter().enumerate() {
        let put = bench.write(&format!("p{at}"), Change::PutPerson(Box::new(person))).await.expect("written");
        assert_eq!(put.created, at == 1);
    }
    let gone = bench.write("d1", Change::DeleteGroup(id("red"))).await.expect("deleted");
    assert_eq!((gone.facts_version, gone.created), (4, false));
    assert_eq!(bench.store.snapshot().register.register, Some(expected));
}

pub async fn an_object_needs_a_register_first(bench: Bench) {
    let group: Group = register().groups.remove(0);
    assert_eq!(bench.unmet("w1", Change::PutGroup(group)).await, Unmet::NoRegister);
    assert_eq!(bench.unmet("w2", Change::PutPerson(Box::new(person("b1", "B")))).await, Unmet::NoRegister);
    assert_eq!(bench.version(), 0);
}

pub async fn what_is_not_there_cannot_be_deleted(bench: Bench) {
    bench.write("w1", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
    let absent = [
        Change::DeleteGroup(id("none")),
        // The id of another collection.
        Change::DeleteWard(id("red")),
        Change::DeleteBody(id("none")),
        Change::DeletePerson(id("none")),
        Change::DeleteDocument(id("none")),
        Change::Withdraw(id("none")),
    ];
    for (at, change) in absent.into_iter().enumerate() {
        assert_eq!(bench.unmet(&format!("d{at}"), change).await, Unmet::NotFound);
        assert!(bench.store.entry(&format!("d{at}")).await.expect("readable").is_none());
    }
    assert_eq!(bench.version(), 1);
}

pub async fn a_document_keeps_what_is_none_apart_from_what_is_unknown(bench: Bench) {
    let first = document("edrms:2026/0117");
    let made = bench.write("w1", Change::PutDocument(Box::new(first.clone()))).await.expect("written");
    assert!(made.created);
    assert_eq!(bench.store.document(&first.id).await.expect("readable"), Some(first.clone()));
    let second = other_document("edrms:2026/0117", "minutes", "oas");
    let put = bench.write("w2", Change::PutDocument(Box::new(second.clone()))).await.expect("written");
    assert!(!put.created);
    assert_eq!(bench.store.document(&first.id).await.expect("readable"), Some(second));
    bench.write("w3", Change::DeleteDocument(first.id.clone())).await.expect("deleted");
    assert_eq!(bench.store.document(&first.id).await.expect("readable"), None);
}

pub async fn documents_are_listed_by_kind_and_by_body_served(bench: Bench) {
    let minutes = other_document("b", "minutes", "licensing");
    for (at, document) in [document("a"), minutes, other_document("c", "report", "cabinet")].into_iter().enumerate() {
        bench.write(&format!("w{at}"), Change::PutDocument(Box::new(document))).await.expect("written");
    }
    let listed = async |kind, body: Option<&str>| {
        let filter = DocumentFilter { kind, body: body.map(id) };
        let found = bench.store.list_documents(&filter, &page(None, 10)).await.expect("readable");
        found.items.iter().map(|document| document.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed(None, None).await, "a b c");
    assert_eq!(listed(Some(DocumentKind::Report), None).await, "a c");
    assert_eq!(listed(None, Some("licensing")).await, "a b");
    assert_eq!(listed(None, Some("oas")).await, "a", "a part serves it");
    assert_eq!(listed(Some(DocumentKind::Minutes), Some("licensing")).await, "b");
    // Written anew, a document no longer serves what it served.
    let moved = other_document("a", "report", "cabinet");
    bench.write("w9", Change::PutDocument(Box::new(moved))).await.expect("written");
    assert_eq!(listed(None, Some("oas")).await, "");
}

pub async fn a_page_ends_where_the_next_begins(bench: Bench) {
    for at in 0..5 {
        let document = other_document(&format!("doc-{at}"), "report", "oas");
        bench.write(&format!("w{at}"), Change::PutDocument(Box::new(document))).await.expect("written");
    }
    let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let request = page(after.as_deref(), 2);
        let found = bench.store.list_documents(&DocumentFilter::default(), &request).await.expect("readable");
        seen.extend(found.items.into_iter().map(|document| document.id.to_string()));
        pages += 1;
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((seen.join(" "), pages), ("doc-0 doc-1 doc-2 doc-3 doc-4".to_owned(), 3));
    let exact = bench.store.list_documents(&DocumentFilter::default(), &page(None, 5)).await.expect("readable");
    assert_eq!(exact.next, None, "a full page that is the last has no next");
}

pub async fn lists_are_in_the_order_of_bytes(bench: Bench) {
    // No language puts them so.
    let order = ["B", "Z-1", "a", "a-b", "a.b", "a:b", "aa"];
    for (at, name) in order.iter().rev().enumerate() {
        let document = other_document(name, "report", "oas");
        bench.write(&format!("w{at}"), Change::PutDocument(Box::new(document))).await.expect("written");
    }
    let (mut after, mut seen) = (None, Vec::new());
    while seen.len() < order.len() {
        let request = page(after.as_deref(), 1);
        let found = bench.store.list_documents(&DocumentFilter::default(), &request).await.expect("readable");
        seen.extend(found.items.into_iter().map(|document| document.id.to_string()));
        after = seen.last().cloned();
    }
    assert_eq!(seen, order);
}

pub async fn a_determination_is_kept_when_withdrawn(bench: Bench) {
    let as_entered = entered("need_to_know", Some("a"), Some("b1"));
    let made = bench.write("w1", determine("n-1", as_entered.clone())).await.expect("written");
    assert!(made.created);
    let kept = bench.store.determination(&id("n-1")).await.expect("readable").expect("kept");
    assert_eq!((&kept.entered, kept.entered_by.as_str()), (&*as_entered, "key:mo"));
    assert_eq!((kept.recorded_at, kept.withdrawn_at), (entry("w1").at, None));

    bench.write("w2", Change::Withdraw(id("n-1"))).await.expect("withdrawn");
    let withdrawn = bench.store.determination(&id("n-1")).await.expect("readable").expect("still kept");
    assert_eq!(withdrawn.withdrawn_at, Some(entry("w2").at));
    assert_eq!(withdrawn.entered, kept.entered);
    assert_eq!(bench.unmet("w3", Change::Withdraw(id("n-1"))).await, Unmet::NotFound);
}

pub async fn determinations_about_a_document_include_those_about_none(bench: Bench) {
    let all = [("n-1", Some("a")), ("n-2", None), ("n-3", Some("b"))];
    for (name, document) in all {
        bench.write(name, determine(name, entered("doubt", document, None))).await.expect("written");
    }
    bench.write("w4", Change::Withdraw(id("n-1"))).await.expect("withdrawn");
    let about = bench.store.determinations_about(&id("a")).await.expect("readable");
    let about: Vec<_> = about.iter().map(|kept| (kept.id.as_str(), kept.withdrawn_at.is_some())).collect();
    assert_eq!(about, [("n-1", true), ("n-2", false)]);
}

pub async fn determinations_are_listed_by_each_filter(bench: Bench) {
    let all = [
        ("n-1", "need_to_know", Some("a"), Some("b1")),
        ("n-2", "doubt", Some("a"), None),
        ("n-3", "need_to_know", None, Some("b1")),
    ];
    for (name, kind, document, person) in all {
        bench.write(name, determine(name, entered(kind, document, person))).await.expect("written");
    }
    let listed = async |filter: DeterminationFilter| {
        let found = bench.store.list_determinations(&filter, &page(None, 10)).await.expect("readable");
        found.items.iter().map(|kept| kept.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    let every = DeterminationFilter::default;
    assert_eq!(listed(every()).await, "n-1 n-2 n-3");
    assert_eq!(listed(DeterminationFilter { document: Some(id("a")), ..every() }).await, "n-1 n-2");
    assert_eq!(listed(DeterminationFilter { person: Some(id("b1")), ..every() }).await, "n-1 n-3");
    assert_eq!(listed(DeterminationFilter { kind: Some(Kind::Doubt), ..every() }).await, "n-2");
    let made_by = |caller: &str, person: Option<&str>| {
        let maker = Maker { caller: caller.to_owned(), person: person.map(id) };
        DeterminationFilter { made_by: Some(maker), ..every() }
    };
    assert_eq!(listed(made_by("key:mo", None)).await, "n-1 n-2 n-3");
    assert_eq!(listed(made_by("key:other", None)).await, "");
    assert_eq!(listed(made_by("key:other", Some("o-mo"))).await, "n-1 n-2 n-3");
    assert_eq!(listed(made_by("key:other", Some("b1"))).await, "", "whom it is about did not make it");
    let page = bench.store.list_determinations(&every(), &page(Some("n-1"), 1)).await.expect("readable");
    assert_eq!((page.items[0].id.as_str(), page.next.as_deref()), ("n-2", Some("n-2")));
}
