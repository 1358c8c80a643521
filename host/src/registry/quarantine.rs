//! Quarantine: a digest that is not called any more. Calls in flight end; every further one is held for a person, with everything that it needs to go on.

use engine::port::registry::{Quarantine, RegistryChange, RegistryState};
use pipeline::Digest;
use serde_json::json;

use super::{Registry, RegistryError, activate::Changed, canary::Ending, deed, edit};

impl Registry {
    /// Quarantines a digest, or lets it out again. A canary ends with it. Any digest can be named, also one that is not installed (yet).
    pub(crate) async fn quarantine(&self, spec: &str, lift: bool, reason: &str, by: &str) -> Result<Changed, RegistryError> {
        let _turn = self.changing.lock().await;
        let mut state = self.state().await?;
        let digest = match Digest::new(spec.to_ascii_lowercase()) {
            Ok(digest) => digest,
            Err(_) => self.find(&state, spec)?.digest.clone(),
        };
        if lift {
            return self.let_out(&state, &digest, reason, by).await;
        }
        if reason.trim().is_empty() {
            return Err(RegistryError::Invalid("a quarantine needs a reason: it is what held runs show".to_owned()));
        }
        // A canary ends first: whatever happens in between, runs that begin get what was there before.
        let canary = state.rollouts.iter().find(|(_, rollout)| rollout.canary == digest).map(|(name, rollout)| (name.clone(), rollout.clone()));
        if let Some((name, rollout)) = canary {
            state = self.end_canary(&state, &name, &rollout, Ending::TakenBack, by, reason).await?;
        }
        let entry = Quarantine { reason: reason.to_owned(), at: self.now(), by: by.to_owned() };
        let mut deed = deed(by, "quarantine", digest.as_str(), reason);
        deed.before = json!(state.quarantine.get(&digest));
        deed.after = json!(entry);
        let change = RegistryChange { quarantine: vec![(digest.clone(), Some(entry))], ..self.begin(&state, deed) };
        state = self.commit(change, None).await?;
        Ok(self.changed(&state, self.quarantined(&state, &digest)))
    }

    async fn let_out(&self, state: &RegistryState, digest: &Digest, reason: &str, by: &str) -> Result<Changed, RegistryError> {
        let Some(entry) = state.quarantine.get(digest) else {
            return Err(RegistryError::NotFound(format!("plugin {digest} is not quarantined")));
        };
        let mut deed = deed(by, "lift-quarantine", digest.as_str(), reason);
        deed.before = json!(entry);
        let change = RegistryChange { quarantine: vec![(digest.clone(), None)], ..self.begin(state, deed) };
        let state = self.commit(change, None).await?;
        let what = format!("plugin {digest} is called again; `jackfield run list --state held` shows the runs that wait for `run resolve RUN retry`");
        Ok(self.changed(&state, what))
    }

    /// What to do next depends on whether it is still bound.
    fn quarantined(&self, state: &RegistryState, digest: &Digest) -> String {
        let (_, table) = self.driver.current();
        let contracts = edit::contracts_of(&table, digest);
        let what = format!("plugin {digest} is quarantined: its calls are held");
        match (contracts.is_empty(), state.plugin(digest)) {
            (false, Some(plugin)) => {
                let contracts = contracts.into_iter().collect::<Vec<_>>().join(", ");
                format!("{what}. It is still bound to {contracts}, so new runs are held too: `jackfield plugin rollback {}`", plugin.name)
            }
            _ => what,
        }
    }
}
