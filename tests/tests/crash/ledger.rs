//! The ledger: what exists outside, kept by a process that does not die. It deduplicates only for providers whose back end does.

use std::collections::{BTreeMap, BTreeSet};

/// What was made under one idempotency key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Which effect it is, whatever the run's id: run, step, item, round.
    pub(crate) what: String,
    /// How often it was made.
    pub(crate) made: u32,
    /// How often it was taken back.
    pub(crate) undone: u32,
    /// Whether it is still being made, by a provider that can tell.
    under_way: bool,
}

impl Effect {
    /// Whether it is there now.
    pub(crate) fn is_live(&self) -> bool {
        self.made > self.undone
    }
}

/// A callback that the outside world owes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Callback {
    url: String,
    /// How often it was accepted.
    pub(crate) accepted: u32,
    /// Whether the outside world has heard that its token was used.
    pub(crate) settled: bool,
}

/// All that is known outside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// By idempotency key.
    pub(crate) effects: BTreeMap<String, Effect>,
    /// By idempotency key.
    pub(crate) callbacks: BTreeMap<String, Callback>,
    /// The runs whose start was acknowledged, by the name of their case.
    pub(crate) acked: BTreeMap<String, String>,
    fixed: BTreeSet<String>,
    /// The points at which a child said that it dies.
    pub(crate) reached: Vec<String>,
    /// How many of the runs that the child had started were in flight then.
    pub(crate) in_flight: Vec<isize>,
    /// The points that a child passed on its way to the end.
    pub(crate) points: Vec<String>,
    /// How many runs were stuck when everything was over; `None` before.
    pub(crate) over: Option<String>,
    /// What should not have been said.
    pub(crate) odd: Vec<String>,
}

impl Ledger {
    /// Answers one line.
    pub(crate) fn answer(&mut self, line: &str) -> String {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<&str> = rest.split(' ').collect();
        match (verb, words.as_slice()) {
            ("apply", [key, provider, what]) => self.apply(key, provider, what),
            ("observe", [key]) => return self.observe(key),
            ("undo" | "complete", [key]) => self.change(verb, key),
            ("find", [what]) => return self.find(what),
            ("token", [key, url]) => self.token(key, url),
            ("callbacks", _) => return self.owed(),
            ("heard", [key, answer]) => self.heard(key, answer),
            ("fix", [run]) => drop(self.fixed.insert((*run).to_owned())),
            ("fixed", [run]) => return yes_or_no(self.fixed.contains(*run)),
            ("started", [case]) => return yes_or_no(self.acked.contains_key(*case)),
            ("acked", [case, run]) => drop(self.acked.insert((*case).to_owned(), (*run).to_owned())),
            ("reached", [in_flight, point @ ..]) => {
                self.in_flight.extend(in_flight.parse::<isize>());
                self.reached.push(point.join(" "));
            }
            ("point", _) => self.points.push(rest.to_owned()),
            ("over", [stuck]) => self.over = Some((*stuck).to_owned()),
            _ => self.odd.push(format!("a line that means nothing: {line}")),
        }
        "ok".to_owned()
    }

    fn apply(&mut self, key: &str, provider: &str, what: &str) {
        let effect = self.effects.entry(key.to_owned()).or_default();
        let deduplicates = matches!(provider, "dedup" | "poll" | "callback");
        if effect.made == 0 || !deduplicates {
            effect.made += 1;
        }
        effect.under_way = provider == "watched";
        what.clone_into(&mut effect.what);
    }

    fn observe(&self, key: &str) -> String {
        match self.effects.get(key).filter(|effect| effect.is_live()) {
            Some(effect) if effect.under_way => format!("under-way {}", effect.what),
            Some(effect) => format!("present {}", effect.what),
            None => "absent".to_owned(),
        }
    }

    /// Taking back what is gone already changes nothing; completing or taking back what never was is odd.
    fn change(&mut self, verb: &str, key: &str) {
        match self.effects.get_mut(key) {
            Some(effect) if verb == "undo" && effect.is_live() => effect.undone += 1,
            Some(effect) if verb == "complete" => effect.under_way = false,
            Some(_) => {}
            None => self.odd.push(format!("{verb} of an effect that was never made, under key {key}")),
        }
    }

    fn find(&self, what: &str) -> String {
        let found = self.effects.iter().find(|(_, effect)| effect.what == what && effect.is_live());
        found.map_or_else(|| "absent".to_owned(), |(key, _)| format!("present {key}"))
    }

    /// A repeated attempt must be given the same token.
    fn token(&mut self, key: &str, url: &str) {
        let callback = self.callbacks.entry(key.to_owned()).or_insert_with(|| Callback { url: url.to_owned(), ..Callback::default() });
        if callback.url != url {
            self.odd.push(format!("a second token for the same effect, under key {key}"));
        }
    }

    fn owed(&self) -> String {
        let owed = self.callbacks.iter().find(|(_, callback)| !callback.settled);
        owed.map_or_else(|| "none".to_owned(), |(key, callback)| format!("{key} {}", callback.url))
    }

    /// The outside world repeats itself until it hears that the token was used.
    fn heard(&mut self, key: &str, answer: &str) {
        match (self.callbacks.get_mut(key), answer) {
            (Some(callback), "Accepted") => callback.accepted += 1,
            (Some(callback), "AlreadyUsed") => callback.settled = true,
            _ => self.odd.push(format!("a callback was answered with {answer}, under key {key}")),
        }
    }
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
