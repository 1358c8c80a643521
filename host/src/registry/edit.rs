//! Edits of a binding table: pure functions from one table to the next.

use std::collections::BTreeSet;

use engine::{Binding, BindingTable, BoundPlugin, Choice};
use pipeline::{ContractTrack, Digest, Pin, Provider};

/// The whole, in the unit of a canary's share: parts per million.
pub(super) const WHOLE: u32 = 1_000_000;

/// A version that is put into a table.
pub(super) struct Version<'a> {
    pub(super) name: &'a str,
    pub(super) digest: &'a Digest,
    pub(super) bound: BoundPlugin,
    /// Its pin for a contract that it answers.
    pub(super) pin: &'a dyn Fn(&ContractTrack) -> Option<Pin>,
    /// The contracts that it answers.
    pub(super) contracts: Vec<ContractTrack>,
}

/// Puts a version in the place of every other version of its name. A contract that nobody answers is answered by it.
pub(super) fn put(table: &BindingTable, version: &Version<'_>) -> Result<BindingTable, String> {
    let mut next = table.clone();
    let mut named = false;
    for rule in next.rules.iter_mut().filter(|rule| names(rule, version.name)) {
        named = true;
        let pin = version.answers(&rule.contract)?;
        let weight = rule.choices.iter().filter(|choice| is(choice, version.name)).map(|choice| u64::from(choice.weight)).sum();
        rule.choices.retain(|choice| !is(choice, version.name));
        rule.choices.push(Choice { pin: pin.into(), weight: narrow(weight) });
        normalise(rule);
    }
    for contract in version.contracts.iter().filter(|contract| !table.rules.iter().any(|rule| rule.contract == **contract)) {
        named = true;
        next.rules.push(Binding::to(contract.clone(), version.answers(contract)?.into()));
    }
    if !named {
        return Err(format!(
            "no binding names plugin `{}`, and others answer its contracts: say with `jackfield binding set` which input it is for",
            version.name
        ));
    }
    next.plugins.insert(version.digest.clone(), version.bound.clone());
    Ok(pruned(next))
}

/// Gives a version a share of what the other versions of its name get, in parts per million.
pub(super) fn split(table: &BindingTable, version: &Version<'_>, share: u32) -> Result<BindingTable, String> {
    let mut next = table.clone();
    let mut named = false;
    for rule in next.rules.iter_mut().filter(|rule| names(rule, version.name)) {
        named = true;
        let pin = version.answers(&rule.contract)?;
        let mut weights: Vec<u64> = Vec::with_capacity(rule.choices.len() + 1);
        let mut taken = 0;
        for choice in &rule.choices {
            let weight = u64::from(choice.weight);
            let given = if is(choice, version.name) { weight * u64::from(share) } else { 0 };
            taken += given;
            weights.push(weight * u64::from(WHOLE) - given);
        }
        rule.choices.push(Choice { pin: pin.into(), weight: 0 });
        weights.push(taken);
        for (choice, weight) in rule.choices.iter_mut().zip(reduced(&weights)) {
            choice.weight = weight;
        }
        normalise(rule);
    }
    if !named {
        return Err(format!("no version of `{}` is bound, so there is nothing to compare a canary with: activate it without --canary", version.name));
    }
    next.plugins.insert(version.digest.clone(), version.bound.clone());
    Ok(pruned(next))
}

/// Takes a canary out: what it got goes back to the other versions of its name.
pub(super) fn without(table: &BindingTable, name: &str, canary: &Digest) -> BindingTable {
    let mut next = table.clone();
    for rule in &mut next.rules {
        let of_canary = |choice: &Choice| choice.pin.provider.digest() == Some(canary);
        let others: u64 = rule.choices.iter().filter(|choice| is(choice, name) && !of_canary(choice)).map(|choice| u64::from(choice.weight)).sum();
        let freed: u64 = rule.choices.iter().filter(|choice| of_canary(choice)).map(|choice| u64::from(choice.weight)).sum();
        if freed == 0 || others == 0 {
            continue;
        }
        let kept: Vec<Choice> = rule.choices.iter().filter(|choice| !of_canary(choice)).cloned().collect();
        let weights: Vec<u64> = kept
            .iter()
            .map(|choice| {
                let weight = u64::from(choice.weight);
                if is(choice, name) { weight * (others + freed) } else { weight * others }
            })
            .collect();
        rule.choices = kept.into_iter().zip(reduced(&weights)).map(|(choice, weight)| Choice { weight, ..choice }).collect();
        normalise(rule);
    }
    pruned(next)
}

/// The table without the plugins that no rule names.
pub(super) fn pruned(mut table: BindingTable) -> BindingTable {
    let named: BTreeSet<Digest> =
        table.rules.iter().flat_map(|rule| rule.choices.iter().filter_map(|choice| choice.pin.provider.digest()).cloned()).collect();
    table.plugins.retain(|digest, _| named.contains(digest));
    table
}

/// The digests under which a name is bound.
pub(super) fn digests_of(table: &BindingTable, name: &str) -> BTreeSet<Digest> {
    let choices = table.rules.iter().flat_map(|rule| &rule.choices);
    choices.filter(|choice| is(choice, name)).filter_map(|choice| choice.pin.provider.digest()).cloned().collect()
}

/// The contracts that a digest answers in a table.
pub(super) fn contracts_of(table: &BindingTable, wanted: &Digest) -> BTreeSet<String> {
    let rules = table.rules.iter().filter(|rule| rule.choices.iter().any(|choice| choice.pin.provider.digest() == Some(wanted)));
    rules.map(|rule| rule.contract.to_string()).collect()
}

impl Version<'_> {
    fn answers(&self, contract: &ContractTrack) -> Result<Pin, String> {
        (self.pin)(contract).ok_or_else(|| {
            let answered: Vec<String> = self.contracts.iter().map(ToString::to_string).collect();
            format!("this version of `{}` does not answer {contract}, to which it is bound; it answers {}", self.name, answered.join(", "))
        })
    }
}

fn names(rule: &Binding, name: &str) -> bool {
    rule.choices.iter().any(|choice| is(choice, name))
}

fn is(choice: &Choice, name: &str) -> bool {
    matches!(&choice.pin.provider, Provider::Plugin { name: bound, .. } if bound == name)
}

/// One choice is the whole, whatever its weight; several are told by their smallest weights, in the order of their digests, so that one set of shares has
/// one form and one hash.
fn normalise(rule: &mut Binding) {
    let weights: Vec<u64> = rule.choices.iter().map(|choice| u64::from(choice.weight)).collect();
    for (choice, weight) in rule.choices.iter_mut().zip(reduced(&weights)) {
        choice.weight = weight;
    }
    rule.choices.sort_by(|a, b| (a.pin.provider.name(), a.pin.provider.digest()).cmp(&(b.pin.provider.name(), b.pin.provider.digest())));
}

/// Weights in the same proportion that are as small as can be; where they do not fit, nearly the same proportion.
fn reduced(weights: &[u64]) -> Vec<u32> {
    let divisor = weights.iter().copied().fold(0, gcd).max(1);
    let largest = weights.iter().max().copied().unwrap_or(0) / divisor;
    let shrink = largest / u64::from(u32::MAX / 1024) + 1;
    weights.iter().map(|weight| if *weight == 0 { 0 } else { narrow((weight / divisor / shrink).max(1)) }).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn narrow(weight: u64) -> u32 {
    u32::try_from(weight).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn hash(version: u8) -> Digest {
        Digest::new(format!("{version:02x}").repeat(32)).unwrap()
    }

    fn pin(name: &str, version: u8, contract: &ContractTrack) -> Pin {
        let provider = Provider::Plugin { name: name.to_owned(), version: format!("{version}.0.0"), digest: hash(version) };
        Pin { provider, contract: format!("{contract}.0.0"), verbs: pipeline::Verbs::default(), idempotent: true }
    }

    fn contract(name: &str) -> ContractTrack {
        format!("jackfield:order/{name}@1").parse().unwrap()
    }

    fn bound() -> BoundPlugin {
        BoundPlugin { component: "0".repeat(64), grant: Value::Null }
    }

    fn with<R>(name: &str, version: u8, contracts: &[&str], then: impl FnOnce(&Version<'_>) -> R) -> R {
        let contracts: Vec<ContractTrack> = contracts.iter().map(|name| contract(name)).collect();
        let own = contracts.clone();
        let of = |track: &ContractTrack| own.contains(track).then(|| pin(name, version, track));
        then(&Version { name, digest: &hash(version), bound: bound(), pin: &of, contracts })
    }

    /// `inventory: pool 1 x95, pool 2 x5`.
    fn text(table: &BindingTable) -> Vec<String> {
        let choice = |choice: &Choice| match &choice.pin.provider {
            Provider::Plugin { name, version, .. } => format!("{name} {} x{}", &version[..1], choice.weight),
            Provider::Native { name } => name.clone(),
        };
        let rule = |rule: &Binding| format!("{}: {}", rule.contract.short(), rule.choices.iter().map(choice).collect::<Vec<_>>().join(", "));
        table.rules.iter().map(rule).collect()
    }

    #[test]
    fn a_version_is_put_split_and_taken_out_again() {
        let one = with("pool", 1, &["inventory"], |version| put(&BindingTable::default(), version)).unwrap();
        assert_eq!(text(&one), ["inventory: pool 1 x1"]);
        let canary = with("pool", 2, &["inventory"], |version| split(&one, version, 50_000)).unwrap();
        assert_eq!(text(&canary), ["inventory: pool 1 x19, pool 2 x1"]);
        assert_eq!(canary.plugins.len(), 2);
        assert_eq!(without(&canary, "pool", &hash(2)), one, "the table that was there before, with its hash");
        let two = with("pool", 2, &["inventory"], |version| put(&canary, version)).unwrap();
        assert_eq!((text(&two), two.plugins.len()), (vec!["inventory: pool 2 x1".to_owned()], 1));
    }

    #[test]
    fn the_share_of_another_vendor_stays() {
        let pool = with("pool", 1, &["inventory"], |version| put(&BindingTable::default(), version)).unwrap();
        let mut both = with("tmf", 3, &["inventory", "catalog"], |version| put(&pool, version)).unwrap();
        assert_eq!(text(&both), ["inventory: pool 1 x1", "catalog: tmf 3 x1"], "a contract that somebody answers is left alone");
        both.rules[0].choices = vec![
            Choice { pin: pin("pool", 1, &contract("inventory")).into(), weight: 70 },
            Choice { pin: pin("tmf", 3, &contract("inventory")).into(), weight: 30 },
        ];
        let canary = with("pool", 2, &["inventory"], |version| split(&both, version, 100_000)).unwrap();
        assert_eq!(text(&canary)[0], "inventory: pool 1 x63, pool 2 x7, tmf 3 x30");
        let back = without(&canary, "pool", &hash(2));
        assert_eq!(text(&back)[0], "inventory: pool 1 x7, tmf 3 x3");
        let all = with("pool", 2, &["inventory"], |version| put(&canary, version)).unwrap();
        assert_eq!(text(&all)[0], "inventory: pool 2 x7, tmf 3 x3");
    }

    #[test]
    fn what_would_change_nothing_or_leave_a_contract_unanswered_is_refused() {
        let pool = with("pool", 1, &["inventory"], |version| put(&BindingTable::default(), version)).unwrap();
        let refused = with("tmf", 3, &["inventory"], |version| put(&pool, version)).unwrap_err();
        assert!(refused.contains("no binding names plugin `tmf`"), "{refused}");
        let refused = with("pool", 2, &["catalog"], |version| put(&pool, version)).unwrap_err();
        assert!(
            refused.contains("does not answer jackfield:order/inventory@1, to which it is bound; it answers jackfield:order/catalog@1"),
            "{refused}"
        );
        let refused = with("tmf", 3, &["inventory"], |version| split(&pool, version, 1)).unwrap_err();
        assert!(refused.contains("nothing to compare a canary with"), "{refused}");
    }
}
