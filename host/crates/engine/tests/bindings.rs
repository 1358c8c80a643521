//! Binding tables: which rule wins, which tables are refused, how runs are shared out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::collections::{BTreeMap, BTreeSet};

use engine::{Binding, BindingProblem, BindingTable, Choice, Fit, Misfit, PinPolicy, SelectorNames, testing};
use pipeline::{ContractTrack, RunId, testing::run_id};
use proptest::prelude::*;
use serde_json::json;

fn contract() -> ContractTrack {
    "jackfield:test/effect@1".parse().unwrap()
}

/// A rule that is answered by the provider of this name.
fn rule(name: &str, when: &[(&str, &[&str])]) -> Binding {
    let when = when.iter().map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()));
    Binding { when: when.collect(), ..Binding::to(contract(), testing::pin(name).into()) }
}

fn table(rules: Vec<Binding>) -> BindingTable {
    BindingTable { rules, ..BindingTable::default() }
}

fn names(callers: &[&'static [&'static str]]) -> SelectorNames {
    let mut names = SelectorNames::default();
    callers.iter().for_each(|caller| names.add(contract(), caller));
    names
}

fn given<'a>(values: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

#[test]
fn the_fitting_rule_with_the_most_selectors_answers_wherever_it_stands() {
    let mut rules = vec![
        rule("any", &[]),
        rule("port", &[("resource-type", &["port", "vlan"])]),
        rule("port-north", &[("region", &["north"]), ("resource-type", &["port"])]),
    ];
    for _ in 0..rules.len() {
        rules.rotate_left(1);
        let table = table(rules.clone());
        table.check(&names(&[&["resource-type", "region"]])).unwrap();
        for (request, expected) in [
            (&[][..], "any"),
            (&[("resource-type", "ipv4")], "any"),
            (&[("resource-type", "vlan"), ("region", "north")], "port"),
            (&[("resource-type", "port"), ("region", "south")], "port"),
            (&[("resource-type", "port"), ("region", "north")], "port-north"),
        ] {
            assert_eq!(table.resolve(&contract(), &given(request), &run_id(1)).unwrap().provider.name(), expected, "{request:?}");
        }
    }
}

#[test]
fn an_explanation_names_every_rule_and_why() {
    let table = table(vec![rule("any", &[]), rule("port", &[("type", &["port"])]), rule("north", &[("region", &["north"]), ("type", &["port"])])]);
    let request = given(&[("type", "port"), ("region", "south")]);
    let explained = table.explain(&contract(), &request, &run_id(1)).unwrap();
    assert_eq!((explained.rule, explained.choice, explained.pin.provider.name(), explained.of), (1, 0, "port", 1));
    let misfit = Misfit { selector: "region".to_owned(), given: Some("south".to_owned()), wanted: vec!["north".to_owned()] };
    let expected = [(0, Fit::LessSpecific { selectors: vec![] }), (1, Fit::Chosen { selectors: vec!["type".to_owned()] }), (2, Fit::Misfit(misfit))];
    assert_eq!(explained.rules, expected);
    let other = "jackfield:test/other@1".parse().unwrap();
    assert_eq!(
        table.resolve(&other, &[], &run_id(1)).unwrap_err().message,
        "nothing is bound to contract jackfield:test/other@1 in the run's binding table"
    );
}

#[test]
fn a_table_is_refused_for_what_is_wrong_with_it() {
    let digest = "a".repeat(64);
    let plugin = |rule: Binding| {
        let mut pin = testing::pin("x");
        pin.provider = pipeline::Provider::Plugin { name: "x".to_owned(), version: "1.0.0".to_owned(), digest: digest.parse().unwrap() };
        Binding { choices: vec![Choice { pin: pin.into(), weight: 1 }], ..rule }
    };
    let weightless = |rule: Binding| Binding { choices: rule.choices.iter().cloned().map(|choice| Choice { weight: 0, ..choice }).collect(), ..rule };
    let contract = "jackfield:test/effect@1";
    let cases = [
        (
            vec![rule("a", &[("type", &["port"])]), rule("b", &[("region", &["north", "south"])])],
            format!(
                "rules 0 and 1 of {contract} are ambiguous: both fit region = north, type = port and neither names more selectors: narrow one of them or add a rule for what both fit"
            ),
        ),
        (
            vec![rule("a", &[]), rule("b", &[])],
            format!(
                "rules 0 and 1 of {contract} are ambiguous: both fit every input and neither names more selectors: narrow one of them or add a rule for what both fit"
            ),
        ),
        (
            vec![rule("a", &[("colour", &["red"])])],
            format!("rule 0 of {contract} selects by `colour`, which no step that calls it has: expected one of [\"plan\", \"region\", \"type\"]"),
        ),
        (
            vec![rule("a", &[("plan", &["gold"]), ("type", &["port"])])],
            format!("rule 0 of {contract} is unreachable: no step has all of its selectors"),
        ),
        (vec![rule("a", &[("type", &[])])], format!("rule 0 of {contract} is unreachable: no value of `type` fits it")),
        (vec![Binding { choices: vec![], ..rule("a", &[]) }], format!("rule 0 of {contract} has no choices: expected at least one")),
        (vec![weightless(rule("a", &[]))], format!("choice 0 of rule 0 of {contract} has weight 0: expected at least 1, or no such choice")),
        (vec![plugin(rule("a", &[]))], format!("rule 0 of {contract} names plugin {digest}, which is not among the table's plugins")),
        (
            vec![Binding { contract: "jackfield:test/effect@2".parse().unwrap(), ..rule("a", &[]) }],
            "choice 0 of rule 0 of jackfield:test/effect@2 answers jackfield:test/effect@1.0.0".to_owned(),
        ),
    ];
    for (rules, expected) in cases {
        let problems = table(rules).check(&names(&[&["type", "region"], &["plan"]])).unwrap_err();
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn what_two_rules_fit_may_be_decided_by_a_third_or_never_asked() {
    let (a, b) = (rule("a", &[("type", &["port"])]), rule("b", &[("region", &["north"])]));
    let both = rule("both", &[("region", &["north", "south"]), ("type", &["port"])]);
    table(vec![a.clone(), b.clone(), both]).check(&names(&[&["type", "region"]])).unwrap();
    table(vec![a, b]).check(&names(&[&["type"], &["region"]])).unwrap();
}

/// Revisions that older versions stored must be read for as long as a run may be pinned to them.
#[test]
fn a_table_of_an_older_version_is_read() {
    let pin = json!({
        "provider": {"plugin": {"name": "inventory-pool", "version": "1.1.0", "digest": "5".repeat(64)}},
        "contract": "jackfield:order/inventory@1.1.0",
        "verbs": {"observe": true, "resume": false, "undo": true},
        "idempotent": true,
    });
    let old = json!({
        "rules": [{"contract": "jackfield:order/inventory@1", "pin": pin}],
        "plugins": {"5".repeat(64): {"component": "6".repeat(64), "grant": {"config": {"pool": "a"}}}},
    });
    let table: BindingTable = serde_json::from_value(old).unwrap();
    assert_eq!(table.policy, PinPolicy::PinRun);
    assert_eq!((table.rules[0].when.len(), table.rules[0].choices.len(), table.rules[0].choices[0].weight), (0, 1, 1));
    let new = serde_json::to_value(&table).unwrap();
    assert_eq!(new["rules"][0], json!({"contract": "jackfield:order/inventory@1", "choices": [{"pin": pin, "weight": 1}]}));
    assert_eq!(serde_json::from_value::<BindingTable>(new).unwrap(), table);
    for bad in [
        json!({"contract": "jackfield:order/inventory@1", "pin": pin, "choices": [{"pin": pin}]}),
        json!({"contract": "jackfield:order/inventory@1"}),
        json!({"contract": "jackfield:order/inventory@1", "pin": pin, "shadow": 1}),
    ] {
        assert!(serde_json::from_value::<Binding>(bad).is_err());
    }
}

/// The number of `runs` that each provider gets.
fn shares(table: &BindingTable, runs: u64) -> BTreeMap<String, u64> {
    let mut shares = BTreeMap::new();
    for n in 0..runs {
        let name = table.resolve(&contract(), &[], &run_id(n)).unwrap().provider.name().to_owned();
        *shares.entry(name).or_default() += 1;
    }
    shares
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Over many runs each choice gets its share, give or take five standard deviations.
    #[test]
    fn weights_are_shares(weights in prop::collection::vec(1_u32..100, 1..5)) {
        const RUNS: u64 = 4000;
        let choices = weights.iter().enumerate().map(|(n, weight)| Choice { pin: testing::pin(&format!("p{n}")).into(), weight: *weight });
        let table = table(vec![Binding { choices: choices.collect(), ..rule("", &[]) }]);
        let shares = shares(&table, RUNS);
        let sum: u32 = weights.iter().sum();
        for (n, weight) in weights.iter().enumerate() {
            let (share, runs) = (f64::from(*weight) / f64::from(sum), RUNS as f64);
            let got = shares.get(&format!("p{n}")).copied().unwrap_or(0) as f64;
            let deviation = (runs * share * (1.0 - share)).sqrt();
            prop_assert!((got - runs * share).abs() <= 5.0 * deviation + 1.0, "p{n} got {got} of {RUNS} runs with share {share}");
        }
        prop_assert_eq!(shares.values().sum::<u64>(), RUNS);
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];
const VALUES: [&str; 2] = ["x", "y"];

/// A rule over three selectors with two values each; its name is its position.
fn rules() -> impl Strategy<Value = Vec<Binding>> {
    let when = prop::collection::vec(prop::option::of(prop::sample::subsequence(VALUES.to_vec(), 1..=2)), 3);
    prop::collection::vec(when, 0..6).prop_map(|rules| {
        let one = |(n, when): (usize, Vec<Option<Vec<&'static str>>>)| {
            let when: Vec<_> = NAMES.iter().zip(&when).filter_map(|(name, values)| Some((*name, values.as_deref()?))).collect();
            rule(&format!("r{n}"), &when)
        };
        rules.into_iter().enumerate().map(one).collect()
    })
}

/// Every request over the names of a caller: each name is absent or has one of the values.
fn requests(caller: &[&'static str]) -> Vec<Vec<(&'static str, String)>> {
    let mut requests = vec![Vec::new()];
    for name in caller {
        for request in requests.clone() {
            requests.extend(VALUES.map(|value| [request.clone(), vec![(*name, value.to_owned())]].concat()));
        }
    }
    requests
}

/// The rules that fit a request, with the number of their selectors.
fn fitting(rules: &[Binding], request: &[(&str, String)]) -> Vec<(usize, String)> {
    let fits = |rule: &&Binding| rule.when.iter().all(|(name, values)| request.iter().any(|(given, value)| given == name && values.contains(value)));
    rules.iter().filter(fits).map(|rule| (rule.when.len(), rule.choices[0].pin.provider.name().to_owned())).collect()
}

fn is_ambiguous(rules: &[Binding], request: &[(&str, String)]) -> bool {
    let fitting = fitting(rules, request);
    let most = fitting.iter().map(|(count, _)| *count).max();
    fitting.iter().filter(|(count, _)| Some(*count) == most).count() > 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// An accepted table has one best rule for every request, which is the one that answers, in whatever order the rules stand; and a table without a
    /// third, more specific rule is refused as ambiguous only if there is a request to show for it.
    #[test]
    fn an_accepted_table_has_one_answer_for_every_request(rules in rules(), callers in prop::sample::select(vec![
        &[&["a", "b", "c"] as &[_]] as &[&[_]], &[&["a", "b"], &["b", "c"]], &[&["a"], &["b"], &["c"]],
    ])) {
        let (table, names) = (table(rules.clone()), names(callers));
        let all: Vec<_> = callers.iter().flat_map(|caller| requests(caller)).collect();
        let problems = table.check(&names).err().unwrap_or_default();
        if problems.is_empty() {
            let backwards = BindingTable { rules: rules.iter().rev().cloned().collect(), ..table.clone() };
            for request in &all {
                prop_assert!(!is_ambiguous(&rules, request), "{request:?}");
                let best = fitting(&rules, request).into_iter().max().map(|(_, name)| name);
                for table in [&table, &backwards] {
                    let answer = table.resolve(&contract(), request, &run_id(7));
                    prop_assert_eq!(answer.as_ref().ok().map(|pin| pin.provider.name()), best.as_deref());
                    prop_assert_eq!(table.explain(&contract(), request, &run_id(7)).map(|explained| explained.pin), answer);
                }
            }
        }
        let sizes: BTreeSet<usize> = rules.iter().map(|rule| rule.when.len()).collect();
        if sizes.len() == 1 && problems.iter().any(|problem| matches!(problem, BindingProblem::Ambiguous { .. })) {
            prop_assert!(all.iter().any(|request| is_ambiguous(&rules, request)), "{problems:?}");
        }
    }

    /// Which choice a run gets depends on its id alone.
    #[test]
    fn a_run_keeps_its_choice(n in any::<u64>()) {
        let choices = (0..7).map(|n| Choice { pin: testing::pin(&format!("p{n}")).into(), weight: 1 + n });
        let rule = Binding { choices: choices.collect(), ..rule("", &[]) };
        let (small, large) = (table(vec![rule.clone()]), table(vec![self::rule("never", &[("a", &["x"])]), rule]));
        let run: RunId = run_id(n >> 16);
        prop_assert_eq!(small.resolve(&contract(), &[], &run).unwrap(), large.resolve(&contract(), &[], &run).unwrap());
    }
}
