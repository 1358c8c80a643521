//! The comparison of what is wanted with what is there.

use super::{RecordSet, Wanted, canonical, plan, presented, quoted, wanted};
use crate::{
    Observed,
    dns::{Receipt, Request},
    tenant::DnsRecord,
};

fn record(name: &str, kind: &str, values: &[&str], shared: bool) -> DnsRecord {
    DnsRecord { name: name.into(), kind: kind.into(), ttl: 60, values: values.iter().map(|it| (*it).into()).collect(), shared }
}

fn wanted(records: &[DnsRecord]) -> Wanted {
    let request = Request { owner: "t-1".into(), zone: "App.example.".into(), records: records.to_vec() };
    Wanted::of_request(&request, &(30..=600)).unwrap()
}

fn set(name: &str, kind: &str, ttl: u32, values: &[&str]) -> RecordSet {
    RecordSet { name: name.into(), kind: kind.into(), ttl, values: values.iter().map(|it| (*it).into()).collect() }.canonical()
}

fn ours(name: &str) -> RecordSet {
    set(&wanted::marker(name), "TXT", 60, &["\"heritage=jackfield,owner=t-1\""])
}

/// What is to be changed, one line each.
fn told(changes: &[super::Change]) -> Vec<String> {
    changes.iter().map(|it| format!("{} {} {} {}", it.name, it.kind, it.ttl, it.after.join(","))).collect()
}

#[test]
fn texts_are_compared_in_one_form() {
    for (kind, text, expected) in [
        ("A", " 192.0.2.1 ", "192.0.2.1"),
        ("AAAA", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("CNAME", "Www.Example.", "www.example"),
        ("TXT", r#""one" "two""#, "onetwo"),
        ("TXT", r#""a\"b\\c\195\169""#, "a\"b\\cé"),
        ("TXT", "bare text", "bare text"),
        ("TXT", r#""open"#, r#""open"#),
        ("TXT", r#""""#, ""),
        ("CAA", "0 ISSUE letsencrypt.org", r#"0 issue "letsencrypt.org""#),
        ("CAA", r#"0 issue ";""#, r#"0 issue ";""#),
        ("MX", "10 mail", "10 mail"),
    ] {
        assert_eq!(canonical(kind, text), expected, "{kind} {text}");
    }
    for text in ["", "plain", "a\"b\\c", "é\u{1}\n", &"x".repeat(600)] {
        assert_eq!(canonical("TXT", &presented("TXT", text)), text);
    }
    assert_eq!(quoted(&[b'x'; 256]), format!("\"{}\" \"x\"", "x".repeat(255)));
}

#[test]
fn what_is_wanted_gets_one_form_and_the_ttl_that_the_vendor_keeps() {
    let wanted = wanted(&[
        DnsRecord { ttl: 5, ..record("A.App.Example.", "a", &["192.0.2.2", "192.0.2.1", "192.0.2.2"], false) },
        record("_p.app.example", "TXT", &["b"], true),
        record("_p.app.example", "TXT", &["a"], true),
    ]);
    let expected = [
        DnsRecord { ttl: 30, ..record("a.app.example", "A", &["192.0.2.1", "192.0.2.2"], false) },
        record("_p.app.example", "TXT", &["a", "b"], true),
    ];
    assert_eq!((wanted.zone.as_str(), wanted.records.as_slice()), ("app.example", &expected[..]));
    assert_eq!(wanted.names().into_iter().collect::<Vec<_>>(), ["_jackfield-owner.a.app.example", "_p.app.example", "a.app.example"]);
}

#[test]
fn only_what_differs_is_changed_and_whose_it_is_comes_first() {
    let wanted = wanted(&[record("a.app.example", "A", &["192.0.2.1"], false), record("*.app.example", "A", &["192.0.2.1"], false)]);
    let all = [
        "_jackfield-owner.a.app.example TXT 60 heritage=jackfield,owner=t-1",
        "_jackfield-owner._wildcard.app.example TXT 60 heritage=jackfield,owner=t-1",
        "a.app.example A 60 192.0.2.1",
        "*.app.example A 60 192.0.2.1",
    ];
    assert_eq!(told(&plan::changes(&wanted, &[]).unwrap()), all);
    let present = [ours("a.app.example"), ours("*.app.example"), set("a.app.example", "A", 60, &["192.0.2.1"])];
    assert_eq!(told(&plan::changes(&wanted, &present).unwrap()), all[3..]);
}

#[test]
fn another_ttl_is_written_and_is_no_drift() {
    let wanted = wanted(&[record("a.app.example", "A", &["192.0.2.1"], false), record("_p.app.example", "TXT", &["x"], true)]);
    let present = [ours("a.app.example"), set("a.app.example", "A", 3600, &["192.0.2.1"]), set("_p.app.example", "TXT", 5, &["x", "y"])];
    let changes = plan::changes(&wanted, &present).unwrap();
    assert_eq!(told(&changes), ["a.app.example A 60 192.0.2.1"]);
    assert!(changes[0].is_only_ttl());
    assert!(matches!(plan::observe(&wanted, &present, "x"), Observed::Ours(_)));
}

#[test]
fn a_marker_that_cannot_be_read_is_somebody_elses() {
    let wanted = wanted(&[record("a.app.example", "A", &["192.0.2.1"], false)]);
    let marker = wanted::marker("a.app.example");
    for (values, whose) in [
        (&["heritage=jackfield,owner=t-2"][..], "t-2"),
        (&["heritage=external-dns"], "heritage=external-dns"),
        (&["heritage=jackfield,owner=t-1", "heritage=jackfield,owner=t-2"], "heritage=jackfield,owner=t-1 and heritage=jackfield,owner=t-2"),
    ] {
        let present = [set(&marker, "TXT", 60, values)];
        assert_eq!(plan::observe(&wanted, &present, "x"), Observed::Foreign(whose.into()));
        assert_eq!(plan::changes(&wanted, &present).unwrap_err().whose, whose);
        assert_eq!(plan::removal(&wanted, &present), []);
    }
}

#[test]
fn the_owner_of_a_name_stays_as_long_as_the_name_is_used() {
    let receipt = |kind: &str, value: &str| Receipt {
        zone: "app.example".into(),
        owner: "t-1".into(),
        records: vec![record("a.app.example", kind, &[value], false)],
        provider: "x".into(),
    };
    let present = [ours("a.app.example"), set("a.app.example", "A", 60, &["192.0.2.9"]), set("a.app.example", "TXT", 60, &["v=spf1"])];
    let gone = plan::removal(&Wanted::of_receipt(&receipt("A", "192.0.2.1")).unwrap(), &present);
    assert_eq!(told(&gone), ["a.app.example A 60 ", "_jackfield-owner.a.app.example TXT 60 "]);
    assert_eq!(plan::removal(&Wanted::of_receipt(&receipt("AAAA", "::1")).unwrap(), &present), []);
}
