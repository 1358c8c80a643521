//! The secrets of a plugin, and the handles that one call has for them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    super::bindings::secrets::Error,
    mask::Mask,
    seal::{NotSealed, SEALED, Scope, SealKey},
    substitute::next,
};
use crate::grant::Secret;

/// What stands before the random part of a handle of `get`.
pub(super) const SECRET: &str = "jackfield-secret.";
/// Random bytes of a handle.
const NONCE: usize = 16;
const MAX_HANDLES: usize = 64;
/// Texts that one call seals or has unsealed, and their bytes: each is looked for in everything from then on.
const MAX_TEXTS: usize = 64;
const MAX_TEXT_BYTES: usize = 128 << 10;

/// What a plugin may use, by grant.
#[derive(Default)]
pub(crate) struct Secrets {
    by_name: BTreeMap<String, Secret>,
    /// Over these and over what the host adds to requests by itself.
    mask: Mask,
    /// Over these and over what the host adds to requests of one rule, by the rule's name. What comes back from an endpoint is not searched for what belongs to
    /// others: by what is held back while it is searched, the endpoint could find that out.
    of_rules: BTreeMap<String, Mask>,
    seal: Option<SealKey>,
    /// The manifest asks for secrets, so that handles can occur.
    asked: bool,
}

/// The handles of one call.
pub(crate) struct CallSecrets {
    granted: Arc<Secrets>,
    caller: Caller,
    used: Mutex<Used>,
}

/// Who calls for whom: what is sealed for one is opened for no other.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) plugin: String,
    pub(crate) tenant: String,
    pub(crate) run: String,
}

impl Caller {
    fn scope(&self) -> Scope {
        Scope::run(&self.plugin, &self.tenant, &self.run)
    }
}

#[derive(Default)]
struct Used {
    /// The names of secrets by the random part of their handles.
    handles: BTreeMap<String, String>,
    /// Texts that were sealed or unsealed during this call.
    texts: Vec<Secret>,
    /// Over them and over what is granted, made when it is first needed.
    whole: Option<Mask>,
    /// The same for each rule that has one of its own.
    of_rules: BTreeMap<String, Mask>,
}

impl Secrets {
    /// `added` is what the host adds to requests by itself, by the name of the rule.
    pub(crate) fn new(by_name: BTreeMap<String, Secret>, added: &BTreeMap<String, Vec<Secret>>, seal: Option<SealKey>, asked: bool) -> Self {
        let mask = Mask::of(by_name.values().chain(added.values().flatten()).map(Secret::reveal));
        let of_rule = |added: &Vec<Secret>| Mask::of(by_name.values().chain(added).map(Secret::reveal));
        let of_rules = added.iter().map(|(name, added)| (name.clone(), of_rule(added))).collect();
        Self { by_name, mask, of_rules, seal, asked }
    }

    /// Whether there is anything that must be kept from the plugin, or anything that a handle could stand for.
    pub(crate) fn are_none(&self) -> bool {
        !self.asked && self.mask.is_empty()
    }
}

impl CallSecrets {
    pub(crate) fn new(granted: Arc<Secrets>, caller: Caller) -> Self {
        Self { granted, caller, used: Mutex::default() }
    }

    /// Whether handles can occur in requests.
    pub(crate) fn has_handles(&self) -> bool {
        self.granted.asked
    }

    /// What hides the secrets of this call as they are now.
    pub(crate) fn mask(&self) -> Mask {
        let Used { texts, whole, .. } = &mut *self.used();
        if texts.is_empty() {
            return self.granted.mask.clone();
        }
        whole.get_or_insert_with(|| self.granted.mask.and(texts.iter().map(Secret::reveal))).clone()
    }

    /// What hides them in what comes back from the endpoint of a rule.
    pub(crate) fn mask_of(&self, rule: &str) -> Mask {
        let Some(granted) = self.granted.of_rules.get(rule) else { return self.mask() };
        let Used { texts, of_rules, .. } = &mut *self.used();
        match of_rules.get(rule) {
            _ if texts.is_empty() => granted.clone(),
            Some(mask) => mask.clone(),
            None => of_rules.entry(rule.to_owned()).or_insert(granted.and(texts.iter().map(Secret::reveal))).clone(),
        }
    }

    pub(crate) fn handle(&self, name: &str) -> Result<String, Error> {
        if !self.granted.by_name.contains_key(name) {
            return Err(Error::Unknown(format!("no secret `{name}` is granted")));
        }
        let mut used = self.used();
        if used.handles.len() >= MAX_HANDLES {
            return Err(Error::Limit(format!("a call may have at most {MAX_HANDLES} handles")));
        }
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| Error::Unavailable(format!("the system has no random bytes: {error}")))?;
        let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let handle = format!("{SECRET}{nonce}.");
        used.handles.insert(nonce, name.to_owned());
        Ok(handle)
    }

    pub(crate) fn seal(&self, text: &str) -> Result<String, Error> {
        let key = self.granted.seal.as_ref().ok_or_else(|| Error::Unavailable("the operator set no key to seal with".to_owned()))?;
        let handle = key.seal(&self.caller.scope(), text).map_err(|not_sealed| match not_sealed {
            NotSealed::TooLong { .. } => Error::Limit(not_sealed.to_string()),
            NotSealed::NoRandomness(_) => Error::Unavailable(not_sealed.to_string()),
        })?;
        self.remember(Secret::new(text))?;
        Ok(handle)
    }

    /// The secret that a handle stands for.
    pub(super) fn reveal(&self, handle: &str) -> Result<Secret, Error> {
        let unknown = || Error::Unknown("the text is no handle of this call".to_owned());
        if let Some(nonce) = handle.strip_prefix(SECRET).and_then(|rest| rest.strip_suffix('.')) {
            let name = self.used().handles.get(nonce).cloned().ok_or_else(unknown)?;
            return self.granted.by_name.get(&name).cloned().ok_or_else(unknown);
        }
        if !handle.starts_with(SEALED) {
            return Err(unknown());
        }
        let key = self.granted.seal.as_ref().ok_or_else(|| Error::Unavailable("the operator set no key to seal with".to_owned()))?;
        let text = key.open(handle, |_| Some(self.caller.scope())).ok_or_else(unknown)?;
        self.remember(text.clone())?;
        Ok(text)
    }

    /// The value of a key as it is stored: handles of this run become such as stand for nothing but in this key.
    pub(crate) fn stored(&self, key: &str, value: String) -> String {
        self.resealed(value, &self.caller.scope(), &self.of_key(key))
    }

    /// The value of a key as the plugin gets it: what was stored as a handle is one of this run.
    pub(crate) fn loaded(&self, key: &str, value: String) -> String {
        self.resealed(value, &self.of_key(key), &self.caller.scope())
    }

    fn of_key(&self, key: &str) -> Scope {
        Scope::key(&self.caller.plugin, &self.caller.tenant, key)
    }

    /// The text with its sealed handles in another scope. What is no handle in the first one stays as it is.
    fn resealed(&self, text: String, from: &Scope, to: &Scope) -> String {
        let Some(seal) = self.granted.seal.as_ref().filter(|_| text.contains(SEALED)) else { return text };
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((before, handle, after)) = next(rest) {
            let moved = seal.open(handle, |_| Some(from.clone())).and_then(|text| seal.seal(to, text.reveal()).ok());
            out.extend_from_slice(before);
            out.extend_from_slice(moved.as_deref().unwrap_or(handle).as_bytes());
            rest = after;
        }
        out.extend_from_slice(rest);
        String::from_utf8(out).unwrap_or(text)
    }

    /// From here on, the text is masked as granted secrets are.
    fn remember(&self, text: Secret) -> Result<(), Error> {
        let mut used = self.used();
        if used.texts.contains(&text) {
            return Ok(());
        }
        let bytes: usize = used.texts.iter().chain([&text]).map(|text| text.reveal().len()).sum();
        if used.texts.len() >= MAX_TEXTS || bytes > MAX_TEXT_BYTES {
            return Err(Error::Limit(format!("a call may use at most {MAX_TEXTS} sealed texts of {MAX_TEXT_BYTES} bytes together")));
        }
        used.texts.push(text);
        (used.whole, used.of_rules) = Default::default();
        Ok(())
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("names", &self.by_name.keys()).finish_non_exhaustive()
    }
}

impl fmt::Debug for CallSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallSecrets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(plugin: &str, tenant: &str, run: &str) -> CallSecrets {
        let by_name = [("token".to_owned(), Secret::new("hunter2-hunter2"))].into();
        let seal = SealKey::parse(&"07".repeat(32)).unwrap();
        CallSecrets::new(
            Arc::new(Secrets::new(by_name, &BTreeMap::new(), Some(seal), true)),
            Caller { plugin: plugin.into(), tenant: tenant.into(), run: run.into() },
        )
    }

    #[test]
    fn a_handle_is_new_each_time_and_valid_in_its_call_only() {
        let (one, other) = (call("worker", "default", "r1"), call("worker", "default", "r1"));
        let handle = one.handle("token").unwrap();
        assert_ne!(handle, one.handle("token").unwrap());
        assert_eq!(one.reveal(&handle).unwrap().reveal(), "hunter2-hunter2");
        assert!(matches!(other.reveal(&handle), Err(Error::Unknown(_))));
        assert!(matches!(one.handle("password"), Err(Error::Unknown(_))));
        assert!(matches!((0..MAX_HANDLES).map(|_| one.handle("token")).last(), Some(Err(Error::Limit(_)))));
    }

    #[test]
    fn a_sealed_text_stays_valid_for_its_plugin_and_run_and_is_masked_from_then_on() {
        let one = call("worker", "default", "r1");
        assert_eq!(one.mask().text("pass correct-horse"), "pass correct-horse");
        let handle = one.seal("correct-horse").unwrap();
        assert!(!handle.contains("horse") && handle.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{handle}");
        assert_ne!(handle, one.seal("correct-horse").unwrap());
        assert_eq!(one.mask().text("pass correct-horse"), "pass ***");

        let later = call("worker", "default", "r1");
        assert_eq!(later.reveal(&handle).unwrap().reveal(), "correct-horse");
        assert_eq!(later.mask().text("pass correct-horse hunter2-hunter2"), "pass *** ***");
        for stranger in [call("other", "default", "r1"), call("worker", "acme", "r1"), call("worker", "default", "r2")] {
            assert!(matches!(stranger.reveal(&handle), Err(Error::Unknown(_))));
        }
        let mut broken = handle.clone();
        broken.replace_range(SEALED.len()..=SEALED.len(), if handle.as_bytes()[SEALED.len()] == b'A' { "B" } else { "A" });
        assert!(matches!(later.reveal(&broken), Err(Error::Unknown(_))));
    }

    #[test]
    fn masks_know_what_was_sealed_since_they_were_last_used() {
        let added = [("api".to_owned(), vec![Secret::new("basic-of-api")]), ("crm".to_owned(), vec![Secret::new("basic-of-crm")])].into();
        let seal = SealKey::parse(&"07".repeat(32)).unwrap();
        let caller = Caller { plugin: "worker".into(), tenant: "default".into(), run: "r1".into() };
        let call = CallSecrets::new(Arc::new(Secrets::new(BTreeMap::new(), &added, Some(seal), true)), caller);
        let text = "basic-of-api basic-of-crm first-text other-text";
        let seen = || [call.mask(), call.mask_of("api"), call.mask_of("else")].map(|mask| mask.text(text).into_owned());
        assert_eq!(seen(), ["*** *** first-text other-text", "*** basic-of-crm first-text other-text", "*** *** first-text other-text"]);
        for (sealed, rest) in [("first-text", "*** other-text"), ("other-text", "*** ***")] {
            call.seal(sealed).unwrap();
            for _again in 0..2 {
                assert_eq!(seen(), [format!("*** *** {rest}"), format!("*** basic-of-crm {rest}"), format!("*** *** {rest}")]);
            }
        }
    }

    #[test]
    fn a_sealed_text_goes_from_run_to_run_in_a_key_and_in_no_other_way() {
        let (one, other) = (call("worker", "default", "r1"), call("worker", "default", "r2"));
        let handle = one.seal("correct-horse").unwrap();
        let value = format!("{{\"a\":\"{handle}\",\"b\":\"jackfield-sealed.AAAA.\",\"c\":\"\u{e9}\"}}");
        let stored = one.stored("session", value.clone());
        let in_it = |text: &str| format!("{SEALED}{}.", text.split(SEALED).nth(1).unwrap().split('.').next().unwrap());
        assert!(stored.len() == value.len() && !stored.contains(&handle) && stored.contains("jackfield-sealed.AAAA."), "{stored}");
        // As it is stored it is a handle for nobody.
        assert!([&one, &other].iter().all(|call| call.reveal(&in_it(&stored)).is_err()));
        assert!(other.reveal(&in_it(&other.loaded("session", stored.clone()))).unwrap().reveal() == "correct-horse");
        assert!(one.reveal(&in_it(&one.loaded("session", stored.clone()))).unwrap().reveal() == "correct-horse");
        // Not under another key, not for another plugin or tenant, and a handle of another run stays one in a key.
        for (key, call) in [("else", &other), ("session", &call("other", "default", "r2")), ("session", &call("worker", "acme", "r2"))] {
            assert_eq!(call.loaded(key, stored.clone()), stored);
        }
        assert_eq!(other.stored("session", value.clone()), value);
        assert!(other.reveal(&in_it(&other.loaded("session", other.stored("session", value)))).is_err());
    }
}
