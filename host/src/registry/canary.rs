//! Canaries: a version that gets a part of the runs is compared with the versions beside it, and promoted or taken back by what was measured.

use std::{collections::BTreeMap, sync::Arc};

use engine::port::registry::{RegistryChange, RegistryState, Rollout};
use serde::Serialize;
use serde_json::json;
use tracing::{info, warn};

use super::{Registry, RegistryError, deed, edit, edit::WHOLE, meter::Seen};

/// How often canaries are looked at.
pub(crate) const LOOK: std::time::Duration = std::time::Duration::from_millis(250);

/// What a look at a canary says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// There is nothing to decide yet.
    Wait,
    /// It is taken back, because.
    TakeBack(String),
    /// It gets everything.
    Promote,
}

/// Compares a canary with its baseline. Before the minimum count of calls nothing is decided, whatever was seen.
pub(super) fn judge(rollout: &Rollout, canary: Seen, baseline: Seen, now: u64) -> Verdict {
    if canary.calls < rollout.min_calls {
        return Verdict::Wait;
    }
    let allowed = f64::from(rollout.max_error_rate) / f64::from(WHOLE);
    if canary.error_rate > allowed && canary.error_rate > baseline.error_rate {
        return Verdict::TakeBack(format!(
            "{} of {} calls failed ({}), more than the {} that are allowed and than the {} of the other versions",
            canary.errors,
            canary.calls,
            percent(canary.error_rate),
            percent(allowed),
            percent(baseline.error_rate)
        ));
    }
    if let Some(most) = rollout.max_p99_ms
        && canary.p99_ms > most as f64
    {
        return Verdict::TakeBack(format!(
            "the slowest of a hundred calls take {:.1} ms, more than the {most} ms that are allowed; those of the other versions take {:.1} ms",
            canary.p99_ms, baseline.p99_ms
        ));
    }
    let watched = now.saturating_sub(rollout.since.0) / 1_000;
    if watched >= rollout.watch_ms { Verdict::Promote } else { Verdict::Wait }
}

fn percent(rate: f64) -> String {
    format!("{:.2} %", rate * 100.0)
}

impl Registry {
    /// What was measured of a canary and of its baseline.
    pub(super) fn seen(&self, rollout: &Rollout) -> (Seen, Seen) {
        (self.shelf.meter().seen([&rollout.canary]), self.shelf.meter().seen(&rollout.baseline))
    }

    /// Measures what the canaries of a state are judged by.
    pub(super) fn watch(&self, state: &RegistryState) {
        let digests = state.rollouts.values().flat_map(|rollout| rollout.baseline.iter().chain([&rollout.canary]));
        self.shelf.meter().watch(digests.cloned());
    }

    /// Looks after canaries for ever.
    pub(crate) async fn look_after_canaries(self: Arc<Self>) {
        let mut problems = BTreeMap::new();
        loop {
            tokio::time::sleep(LOOK).await;
            if self.shelf.meter().is_active()
                && let Err(error) = self.look(&mut problems).await
            {
                warn!("canaries could not be looked after, which is tried again: {error}");
            }
        }
    }

    /// Each canary by itself: one that cannot be ended keeps no other from its end. Why it cannot is told once, however often it is tried again.
    async fn look(&self, problems: &mut BTreeMap<String, String>) -> Result<(), RegistryError> {
        let _turn = self.changing.lock().await;
        let mut state = self.state().await?;
        problems.retain(|name, _| state.rollouts.contains_key(name));
        for (name, rollout) in state.rollouts.clone() {
            let (canary, baseline) = self.seen(&rollout);
            let (ending, reason) = match judge(&rollout, canary, baseline, self.now().0) {
                Verdict::Wait => continue,
                Verdict::TakeBack(reason) => (Ending::TakenBack, reason),
                Verdict::Promote => (Ending::Promoted, format!("watched for {} ms over {} calls", rollout.watch_ms, canary.calls)),
            };
            match self.end_canary(&state, &name, &rollout, ending, "canary", &reason).await {
                Ok(after) => {
                    match ending {
                        Ending::TakenBack => warn!("the canary of plugin `{name}` is taken back: {reason}"),
                        Ending::Promoted => info!("the canary of plugin `{name}` gets everything: {reason}"),
                    }
                    state = after;
                }
                Err(error) => {
                    let problem = error.to_string();
                    if problems.get(&name) != Some(&problem) {
                        warn!("the canary of plugin `{name}` cannot be ended ({}: {reason}), which is tried again: {problem}", ending.action());
                        problems.insert(name, problem);
                    }
                    state = self.state().await?;
                }
            }
        }
        Ok(())
    }

    /// Ends a canary: in one change, which tells what was measured.
    pub(super) async fn end_canary(
        &self,
        state: &RegistryState,
        name: &str,
        rollout: &Rollout,
        ending: Ending,
        by: &str,
        why: &str,
    ) -> Result<RegistryState, RegistryError> {
        let (canary, baseline) = self.seen(rollout);
        let (_, table) = self.driver.current();
        let next = match ending {
            Ending::TakenBack => edit::without(&table, name, &rollout.canary),
            Ending::Promoted => self.put_everywhere(&table, &rollout.canary).await?,
        };
        let mut deed = deed(by, ending.action(), name, why);
        deed.before = self.described(state, &table);
        deed.after = json!({"bindings": self.described(state, &next), "canary": canary, "baseline": baseline, "rollout": rollout});
        let change = RegistryChange { rollouts: vec![(name.to_owned(), None)], ..self.begin(state, deed) };
        self.commit(change, Some(next)).await
    }
}

/// How a canary ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The other versions get everything again.
    TakenBack,
    /// It gets everything.
    Promoted,
}

impl Ending {
    fn action(self) -> &'static str {
        match self {
            Self::TakenBack => "canary-taken-back",
            Self::Promoted => "canary-promoted",
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline::{Digest, Timestamp};

    use super::*;

    #[test]
    fn a_canary_is_judged_by_what_was_measured() {
        let rollout = Rollout {
            canary: Digest::new("1".repeat(64)).unwrap(),
            baseline: vec![Digest::new("2".repeat(64)).unwrap()],
            share: 50_000,
            since: Timestamp(1_000_000),
            watch_ms: 60_000,
            min_calls: 50,
            max_error_rate: 10_000,
            max_p99_ms: Some(200),
            by: "ann".to_owned(),
        };
        let seen = |calls: u64, errors: u64, p99_ms: f64| Seen { calls, errors, error_rate: errors as f64 / calls as f64, p99_ms };
        let good = seen(1000, 0, 20.0);
        let (soon, late) = (2_000_000, 61_000_000);
        let check = |canary, baseline, now, expected: &str| {
            let text = serde_json::to_string(&judge(&rollout, canary, baseline, now)).unwrap();
            assert!(text.contains(expected), "{text} is not {expected}");
        };
        check(seen(49, 49, 900.0), good, late, "wait");
        check(seen(50, 15, 20.0), good, soon, "15 of 50 calls failed (30.00 %), more than the 1.00 % that are allowed and than the 0.00 %");
        check(seen(50, 15, 20.0), seen(1000, 400, 20.0), soon, "wait");
        check(seen(100, 1, 20.0), good, soon, "wait");
        check(seen(100, 0, 201.0), good, soon, "the slowest of a hundred calls take 201.0 ms, more than the 200 ms");
        check(seen(100, 0, 199.0), good, late, "promote");
        check(seen(100, 0, 199.0), good, soon, "wait");
    }
}
