//! What every plugin of the contract [`dns`](crate::dns) must do, whatever its vendor is. Run it against the plugin natively with a simulation of the
//! vendor, or against the component in a host with the vendor itself: implement [`Subject`] and call [`run`].
//!
//! The zone must exist, and what is below `jackfield-conformance` in it must be unused; it is left clean.

use std::fmt::Debug;

use crate::{
    Failure, Observed, Outcome,
    dns::{self, Receipt, Request},
    tenant::DnsRecord,
    zone::{self, RecordSet},
};

/// A plugin with a zone, and a look at that zone by another way than the plugin's.
pub trait Subject {
    /// The zone.
    fn zone(&self) -> String;
    /// Asks the plugin.
    ///
    /// # Errors
    /// Those of the plugin.
    fn apply(&mut self, request: Request) -> Result<dns::Outcome, Failure>;
    /// Asks the plugin.
    ///
    /// # Errors
    /// Those of the plugin.
    fn observe(&mut self, request: Request) -> Result<dns::Observed, Failure>;
    /// Asks the plugin.
    ///
    /// # Errors
    /// Those of the plugin.
    fn undo(&mut self, receipt: Receipt) -> Result<dns::Outcome, Failure>;
    /// The sets at a name, as the zone has them.
    fn present(&mut self, name: &str) -> Vec<RecordSet>;
    /// Makes a set of the zone what it says, behind the plugin's back; without values: removes it.
    fn put(&mut self, set: &RecordSet);
    /// How often the zone was changed so far, such as its serial.
    fn writes(&mut self) -> u64;
    /// Makes the vendor treat requests so from now on; `None` ends it. Answers false where this vendor cannot be made to.
    fn trouble(&mut self, trouble: Option<Trouble>) -> bool;
    /// What the plugin said and wrote so far that may be logged, in which no secret may be.
    fn told(&mut self) -> String;
    /// The texts that must not be in it.
    fn secrets(&self) -> Vec<String>;
}

/// What can be wrong with a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It accepts no connection.
    Unreachable,
    /// It does not accept the credentials.
    Unauthorised,
    /// It is too busy and did nothing.
    Busy,
    /// It refuses to write, for good.
    Refusing,
    /// It writes all that a call asks for, and the answer is lost.
    Lost,
    /// It answers what makes no sense.
    Garbage,
}

/// Checks everything.
///
/// # Panics
/// Where the plugin does not do as the contract says; the message tells which rule.
pub fn run(subject: &mut impl Subject) {
    let rules: [(&str, Rule<_>); 12] = [
        ("what is written is there, and a repetition changes nothing", applies_once),
        ("the records of others are never overwritten or removed", leaves_others_alone),
        ("a name belongs to one owner", names_have_one_owner),
        ("what is changed by hand has drifted, and is put right or taken away", sees_drift),
        ("of a shared set only the own values are added and removed", shares),
        ("a wildcard and its name are two names, and share one set of proofs", knows_wildcards),
        ("a record may become one of another type", changes_types),
        ("long texts and strange characters come back as they were written", keeps_texts),
        ("undo may run twice, and without an effect", undoes_twice),
        ("what is not in the zone, or no record, is rejected", rejects),
        ("a zone of somebody else is unknown", knows_its_zone),
        ("each trouble is the failure that is true", fails_truly),
    ];
    for (rule, check) in rules {
        let root = format!("jackfield-conformance.{}", subject.zone());
        check(&mut Check { subject, rule, root });
    }
    let told = subject.told();
    for secret in subject.secrets() {
        assert!(!told.contains(&secret), "no secret may be told, but one is in: {told}");
    }
}

/// Checks one rule.
type Rule<S> = fn(&mut Check<'_, S>);

/// One rule on its way.
struct Check<'a, S> {
    subject: &'a mut S,
    rule: &'static str,
    /// The name below which everything is.
    root: String,
}

impl<S: Subject> Check<'_, S> {
    fn same<T: PartialEq + Debug>(&self, what: &str, found: &T, expected: &T) {
        assert!(found == expected, "{}: {what}: expected {expected:?}, found {found:?}", self.rule);
    }

    fn name(&self, label: &str) -> String {
        format!("{label}.{}", self.root)
    }

    fn request(&self, owner: &str, records: &[DnsRecord]) -> Request {
        Request { owner: owner.into(), zone: self.subject.zone(), records: records.to_vec() }
    }

    fn receipt(&mut self, owner: &str, records: &[DnsRecord]) -> Receipt {
        let request = self.request(owner, records);
        match self.subject.apply(request) {
            Ok(Outcome::Done(receipt)) => receipt,
            other => panic!("{}: apply of {records:?}: expected done, found {other:?}", self.rule),
        }
    }

    /// The failure of an apply: `rejected`, `unavailable` or `unknown outcome`, and its code.
    fn fails(&mut self, owner: &str, records: &[DnsRecord], kind: &str, code: &str) {
        let request = self.request(owner, records);
        let answer = self.subject.apply(request);
        let told = answer.as_ref().map_or_else(ToString::to_string, |done| format!("{done:?}"));
        assert!(told.starts_with(&format!("{kind} ({code}")), "{}: apply of {records:?}: expected {kind} ({code}), found {told}", self.rule);
    }

    fn observed(&mut self, owner: &str, records: &[DnsRecord], expected: &str) {
        let request = self.request(owner, records);
        let found = match self.subject.observe(request) {
            Ok(Observed::Absent) => "absent",
            Ok(Observed::Ours(_)) => "ours",
            Ok(Observed::Foreign(_)) => "foreign",
            Ok(Observed::Drifted(_)) => "drifted",
            other => panic!("{}: observe of {records:?}: expected {expected}, found {other:?}", self.rule),
        };
        self.same(&format!("observe of {records:?} by {owner}"), &found, &expected);
    }

    fn gone(&mut self, receipt: &Receipt) {
        let answer = self.subject.undo(receipt.clone());
        self.same("undo", &answer, &Ok(Outcome::Undone));
    }

    /// The values of a set as the zone has them, in the form in which they are compared.
    fn values(&mut self, name: &str, kind: &str) -> Vec<String> {
        let present = self.subject.present(name).into_iter().map(RecordSet::canonical);
        present.filter(|set| set.name == name && set.kind == kind).flat_map(|set| set.values).collect()
    }

    fn holds(&mut self, name: &str, kind: &str, expected: &[&str]) {
        let found = self.values(name, kind);
        let mut expected: Vec<String> = expected.iter().map(|it| (*it).to_owned()).collect();
        expected.sort();
        self.same(&format!("{name} {kind}"), &found, &expected);
    }

    fn put(&mut self, name: &str, kind: &str, values: &[&str]) {
        let values = values.iter().map(|value| zone::presented(kind, value)).collect();
        self.subject.put(&RecordSet { name: name.into(), kind: kind.into(), ttl: 300, values });
    }
}

fn record(name: &str, kind: &str, values: &[&str]) -> DnsRecord {
    let values = values.iter().map(|it| (*it).to_owned()).collect();
    DnsRecord { name: name.into(), kind: kind.into(), ttl: 300, values, shared: false }
}

fn shared(name: &str, values: &[&str]) -> DnsRecord {
    DnsRecord { shared: true, ..record(name, "TXT", values) }
}

fn applies_once<S: Subject>(check: &mut Check<'_, S>) {
    let name = check.name("once");
    let written = [record(&name, "A", &["192.0.2.1", "192.0.2.2"]), record(&name, "AAAA", &["2001:db8::1"])];
    // The same, written as people write it.
    let mut loose = written.clone();
    loose[0] = DnsRecord { name: format!("{}.", name.to_uppercase()), ..record(&name, "a", &["192.0.2.2", "192.0.2.1"]) };
    loose[1].values = vec!["2001:0DB8:0:0::0001".into()];
    check.observed("t-1", &written, "absent");
    let receipt = check.receipt("t-1", &loose);
    check.same("the records of the receipt", &receipt.records, &written.to_vec());
    check.holds(&name, "A", &["192.0.2.1", "192.0.2.2"]);
    check.holds(&name, "AAAA", &["2001:db8::1"]);
    check.holds(&zone::marker(&name), "TXT", &[&zone::marker_text("t-1")]);
    check.observed("t-1", &loose, "ours");
    let writes = check.subject.writes();
    let repeated = check.receipt("t-1", &written);
    check.same("the receipt of a repetition", &repeated, &receipt);
    let again = check.subject.writes();
    check.same("the number of changes after a repetition", &again, &writes);
    check.gone(&receipt);
    check.observed("t-1", &written, "absent");
    check.holds(&zone::marker(&name), "TXT", &[]);
}

fn leaves_others_alone<S: Subject>(check: &mut Check<'_, S>) {
    let (name, mail) = (check.name("theirs"), check.name("mail"));
    check.put(&name, "A", &["198.51.100.1"]);
    let wanted = [record(&name, "A", &["192.0.2.1"])];
    check.observed("t-1", &wanted, "foreign");
    for records in [&wanted[..], &[record(&name, "CNAME", &["target.example"])], &[record(&name, "A", &["198.51.100.1"])]] {
        check.fails("t-1", records, "rejected", zone::FOREIGN_RECORD);
    }
    let receipt = Receipt { zone: check.subject.zone(), owner: "t-1".into(), records: wanted.to_vec(), provider: String::new() };
    check.gone(&receipt);
    check.holds(&name, "A", &["198.51.100.1"]);
    check.put(&mail, "CNAME", &["target.example"]);
    check.fails("t-1", &[record(&mail, "A", &["192.0.2.1"])], "rejected", zone::FOREIGN_RECORD);
    check.fails("t-1", &[shared(&mail, &["proof"])], "rejected", zone::FOREIGN_RECORD);
    check.holds(&mail, "CNAME", &["target.example"]);
    check.put(&mail, "CNAME", &[]);
    check.put(&name, "A", &[]);
}

fn names_have_one_owner<S: Subject>(check: &mut Check<'_, S>) {
    let name = check.name("taken");
    let (first, second) = ([record(&name, "A", &["192.0.2.1"])], [record(&name, "A", &["192.0.2.2"])]);
    let receipt = check.receipt("t-1", &first);
    let request = check.request("t-2", &second);
    let seen = check.subject.observe(request);
    check.same("observe by another owner", &seen, &Ok(Observed::Foreign("t-1".into())));
    check.fails("t-2", &second, "rejected", zone::FOREIGN_RECORD);
    check.gone(&Receipt { owner: "t-2".into(), ..receipt.clone() });
    check.holds(&name, "A", &["192.0.2.1"]);
    check.gone(&receipt);
    let receipt = check.receipt("t-2", &second);
    check.gone(&receipt);
}

fn sees_drift<S: Subject>(check: &mut Check<'_, S>) {
    let name = check.name("drift");
    let wanted = [record(&name, "A", &["192.0.2.1"])];
    let receipt = check.receipt("t-1", &wanted);
    for by_hand in [&["192.0.2.9"][..], &["192.0.2.1", "192.0.2.9"], &[]] {
        check.put(&name, "A", by_hand);
        check.observed("t-1", &wanted, "drifted");
        let again = check.receipt("t-1", &wanted);
        check.same("the receipt of a repair", &again, &receipt);
        check.holds(&name, "A", &["192.0.2.1"]);
    }
    check.put(&name, "A", &["192.0.2.9"]);
    check.gone(&receipt);
    check.holds(&name, "A", &[]);
    check.observed("t-1", &wanted, "absent");
}

fn shares<S: Subject>(check: &mut Check<'_, S>) {
    let name = check.name("_acme-challenge.shared");
    check.put(&name, "TXT", &["theirs \"quoted\" \\ and more"]);
    let theirs = "theirs \"quoted\" \\ and more";
    let (one, two) = ([shared(&name, &["one"])], [shared(&name, &["two"])]);
    check.observed("t-1", &one, "absent");
    let (first, second) = (check.receipt("t-1", &one), check.receipt("t-1", &two));
    check.holds(&name, "TXT", &["one", theirs, "two"]);
    check.observed("t-1", &one, "ours");
    check.observed("t-1", &[shared(&name, &["one", "three"])], "drifted");
    check.gone(&first);
    check.holds(&name, "TXT", &[theirs, "two"]);
    check.gone(&first);
    check.gone(&second);
    check.holds(&name, "TXT", &[theirs]);
    check.put(&name, "TXT", &[]);
    let alone = check.receipt("t-1", &one);
    check.gone(&alone);
    check.holds(&name, "TXT", &[]);
}

fn knows_wildcards<S: Subject>(check: &mut Check<'_, S>) {
    let (name, proofs) = (check.name("wild"), check.name("_acme-challenge.wild"));
    let wildcard = format!("*.{name}");
    let below = format!("below.{name}");
    let wild = check.receipt("t-1", &[record(&wildcard, "A", &["192.0.2.1"])]);
    check.observed("t-2", &[record(&below, "A", &["192.0.2.2"])], "absent");
    let plain = check.receipt("t-2", &[record(&below, "A", &["192.0.2.2"])]);
    check.holds(&wildcard, "A", &["192.0.2.1"]);
    check.gone(&plain);
    let both = check.receipt("t-1", &[shared(&proofs, &["apex"]), shared(&proofs, &["wildcard"])]);
    check.holds(&proofs, "TXT", &["apex", "wildcard"]);
    check.gone(&both);
    check.holds(&proofs, "TXT", &[]);
    check.gone(&wild);
    check.holds(&wildcard, "A", &[]);
}

fn changes_types<S: Subject>(check: &mut Check<'_, S>) {
    let name = check.name("type");
    let first = check.receipt("t-1", &[record(&name, "A", &["192.0.2.1"])]);
    let second = check.receipt("t-1", &[record(&name, "CNAME", &["Target.Example."])]);
    check.holds(&name, "A", &[]);
    check.holds(&name, "CNAME", &["target.example"]);
    check.gone(&first);
    check.holds(&name, "CNAME", &["target.example"]);
    check.holds(&zone::marker(&name), "TXT", &[&zone::marker_text("t-1")]);
    check.gone(&second);
    check.holds(&name, "CNAME", &[]);
    check.holds(&zone::marker(&name), "TXT", &[]);
}

fn keeps_texts<S: Subject>(check: &mut Check<'_, S>) {
    let name = check.name("texts");
    let long = "0123456789".repeat(60);
    let wanted = [
        record(&name, "TXT", &[&long, "say \"hi\" \\o/", "v=spf1 -all; x"]),
        record(&name, "CAA", &["0 issue ca.example", "128 iodef mailto:a@b.example"]),
    ];
    let receipt = check.receipt("t-1", &wanted);
    check.holds(&name, "TXT", &[&long, "say \"hi\" \\o/", "v=spf1 -all; x"]);
    check.holds(&name, "CAA", &["0 issue \"ca.example\"", "128 iodef \"mailto:a@b.example\""]);
    check.observed("t-1", &wanted, "ours");
    let writes = check.subject.writes();
    check.receipt("t-1", &receipt.records);
    let again = check.subject.writes();
    check.same("the number of changes after a repetition", &again, &writes);
    check.gone(&receipt);
    check.holds(&name, "TXT", &[]);
    check.holds(&name, "CAA", &[]);
}

fn undoes_twice<S: Subject>(check: &mut Check<'_, S>) {
    let (name, kept) = (check.name("twice"), check.name("kept"));
    let kept = check.receipt("t-1", &[record(&kept, "A", &["192.0.2.1"])]);
    let proof = check.name("_proof");
    let receipt = check.receipt("t-1", &[record(&name, "A", &["192.0.2.1"]), shared(&proof, &["x"])]);
    for _ in 0..2 {
        check.gone(&receipt);
        check.holds(&name, "A", &[]);
    }
    let writes = check.subject.writes();
    check.gone(&receipt);
    let again = check.subject.writes();
    check.same("the number of changes after an undo of nothing", &again, &writes);
    check.holds(&kept.records[0].name, "A", &["192.0.2.1"]);
    check.gone(&kept);
}

fn rejects<S: Subject>(check: &mut Check<'_, S>) {
    let name = check.name("bad");
    let many: Vec<DnsRecord> = (0..65).map(|at| record(&format!("n{at}.{name}"), "A", &["192.0.2.1"])).collect();
    let long = "x".repeat(64);
    for records in [
        &[][..],
        &many,
        &[record("www.elsewhere.invalid", "A", &["192.0.2.1"])],
        &[record(&format!("x{}", check.subject.zone()), "A", &["192.0.2.1"])],
        &[record(&name, "A", &["192.0.2.256"])],
        &[record(&name, "AAAA", &["192.0.2.1"])],
        &[record(&name, "A", &[])],
        &[record(&name, "MX", &["10 mail.example"])],
        &[record(&name, "CNAME", &["a.example", "b.example"])],
        &[record(&name, "CNAME", &["a.example"]), record(&name, "A", &["192.0.2.1"])],
        &[record(&format!("{long}.{name}"), "A", &["192.0.2.1"])],
        &[record(&format!("a..{name}"), "A", &["192.0.2.1"])],
        &[record(&format!("a'; drop table.{name}"), "A", &["192.0.2.1"])],
        &[record(&zone::marker(&name), "TXT", &[&zone::marker_text("t-1")])],
    ] {
        check.fails("t-1", records, "rejected", zone::BAD_REQUEST);
    }
    check.fails("a, b", &[record(&name, "A", &["192.0.2.1"])], "rejected", zone::BAD_REQUEST);
    check.holds(&name, "A", &[]);
}

fn knows_its_zone<S: Subject>(check: &mut Check<'_, S>) {
    let request =
        Request { owner: "t-1".into(), zone: "not-ours.invalid".into(), records: vec![record("www.not-ours.invalid", "A", &["192.0.2.1"])] };
    let applied = check.subject.apply(request.clone()).map_err(|failure| failure.reason().code.clone());
    check.same("apply", &applied, &Err(zone::UNKNOWN_ZONE.to_owned()));
    let seen = check.subject.observe(request).map_err(|failure| failure.reason().code.clone());
    check.same("observe", &seen, &Err(zone::UNKNOWN_ZONE.to_owned()));
}

fn fails_truly<S: Subject>(check: &mut Check<'_, S>) {
    let name = check.name("trouble");
    let wanted = [record(&name, "A", &["192.0.2.1"])];
    for (trouble, kind, code) in [
        (Trouble::Unreachable, "unavailable", ""),
        (Trouble::Unauthorised, "rejected", zone::NOT_AUTHORISED),
        (Trouble::Busy, "unavailable", ""),
        (Trouble::Refusing, "rejected", zone::DNS_FAILED),
        (Trouble::Garbage, "unavailable", ""),
        (Trouble::Lost, "unknown outcome", ""),
    ] {
        if !check.subject.trouble(Some(trouble)) {
            continue;
        }
        check.fails("t-1", &wanted, kind, code);
        check.subject.trouble(None);
        check.observed("t-1", &wanted, if trouble == Trouble::Lost { "ours" } else { "absent" });
    }
    let receipt = check.receipt("t-1", &wanted);
    check.gone(&receipt);
}
