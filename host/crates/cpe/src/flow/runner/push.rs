//! Sends a configuration: removals, objects, values that differ, notifications.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::{fault::Stop, objects, short_key, talk::Talk};
use crate::{
    flow::{
        contract::{Assignment, SettingValue},
        input::Trigger,
        requests::{Push, Pushed, with_instances},
    },
    soap::Attributes,
    value::same,
};

/// What was done so far.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// How many removals are done.
    pub(super) removed: usize,
    /// The instances of the objects, by label.
    pub(super) instances: BTreeMap<String, u32>,
    /// The labels of objects that were added: what they are found again by is yet to be set.
    pub(super) added: BTreeSet<String>,
    /// The labels of objects that were looked for and are not there.
    pub(super) absent: BTreeSet<String>,
    /// How many requests with values were answered.
    pub(super) batches: usize,
    /// How many values they had.
    pub(super) sent: usize,
    /// Whether the device applies something later.
    pub(super) later: bool,
}

/// How far a device is, by the parameter key that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// It has nothing of this configuration.
    Nothing,
    /// So many removals.
    Removals(usize),
    /// So many objects were added.
    Objects(usize),
    /// So many requests with values.
    Batches(usize),
    /// Everything.
    All,
}

pub(super) async fn push(talk: &mut Talk<'_>, push: &Push, state: &mut State) -> Result<Pushed, Stop> {
    talk.suggest(&push.configuration.quirks)?;
    let key = short_key(&talk.call.key);
    let shown = shown(&key, talk.parameter_key().unwrap_or_default());
    if shown == Shown::All && resolved(push, state) {
        return Ok(done(key, state));
    }
    remove(talk, push, state, &key, shown).await?;
    objects::ensure(talk, push, state, &key, shown).await?;
    let wanted = wanted(push, state)?;
    if shown != Shown::All {
        send(talk, push, state, &key, wanted, shown).await?;
    }
    notify(talk, push, state).await?;
    Ok(done(key, state))
}

fn done(key: String, state: &mut State) -> Pushed {
    Pushed { key, instances: std::mem::take(&mut state.instances), sent: state.sent, later: state.later }
}

/// Whether every object has its instance and nothing else is to be done after the values.
fn resolved(push: &Push, state: &State) -> bool {
    let known = |label: &String| state.instances.contains_key(label);
    push.configuration.objects.iter().all(|object| known(&object.label)) && push.configuration.notifications.is_empty()
}

/// How far a device is, by the parameter key that it shows. Keys of parts end with a letter and a number.
pub(super) fn shown(key: &str, parameter_key: &str) -> Shown {
    let Some(rest) = parameter_key.strip_prefix(key) else { return Shown::Nothing };
    let number = |rest: &str| rest.parse().ok();
    match (rest.get(..1), rest.get(1..).and_then(number)) {
        (None, _) => Shown::All,
        (Some("d"), Some(count)) => Shown::Removals(count),
        (Some("o"), Some(count)) => Shown::Objects(count),
        (Some("/"), Some(count)) => Shown::Batches(count),
        // What `verify` sent again comes after everything.
        (Some("r"), Some(_)) => Shown::All,
        (Some(_), _) => Shown::Nothing,
    }
}

async fn remove(talk: &mut Talk<'_>, push: &Push, state: &mut State, key: &str, shown: Shown) -> Result<(), Stop> {
    match shown {
        Shown::Nothing => {}
        Shown::Removals(count) => state.removed = state.removed.max(count),
        Shown::Objects(_) | Shown::Batches(_) | Shown::All => state.removed = push.configuration.removals.len(),
    }
    while let Some(object) = push.configuration.removals.get(state.removed) {
        let parameter_key = talk.part(key, 'd', state.removed + 1);
        match talk.delete_object(object.clone(), parameter_key).await {
            Ok(status) => state.later |= status == 1,
            // It is gone already.
            Err(Stop::Fault { fault, .. }) if fault.code == 9005 => {}
            Err(stop) => return Err(stop),
        }
        state.removed += 1;
    }
    Ok(())
}

/// All values, with the instances in their names; what new objects are found again by comes first.
fn wanted(push: &Push, state: &State) -> Result<Vec<Assignment>, Stop> {
    let configuration = &push.configuration;
    let mut wanted = Vec::with_capacity(configuration.assignments.len());
    for object in configuration.objects.iter().filter(|object| state.added.contains(&object.label)) {
        let path = objects::instance_path(object, &state.instances)?;
        wanted.extend(object.key.iter().map(|key| Assignment { name: format!("{path}{}", key.name), ..key.clone() }));
    }
    for assignment in &configuration.assignments {
        let name = with_instances(&assignment.name, &state.instances).ok_or_else(|| objects::no_instance(&assignment.name))?;
        wanted.push(Assignment { name, ..assignment.clone() });
    }
    Ok(wanted)
}

/// Sends what differs, in as few requests as the device takes. Each is applied as a whole or not at all.
async fn send(talk: &mut Talk<'_>, push: &Push, state: &mut State, key: &str, wanted: Vec<Assignment>, shown: Shown) -> Result<(), Stop> {
    let known = known(talk, push, &wanted).await?;
    let differs = |assignment: &Assignment| match &assignment.value {
        SettingValue::Text(text) => known.get(&assignment.name).is_none_or(|found| !same(assignment.kind.into(), text, found, &talk.quirks)),
        SettingValue::Secret(_) => false,
    };
    // Secrets cannot be read. A device that is only being compared with its profile has them, as far as everything else shows.
    let untouched = push.trigger == Trigger::Drift && push.same_profile && shown == Shown::Nothing && state.sent == 0 && state.added.is_empty();
    let secrets = !untouched || wanted.iter().any(differs);
    let goes = |assignment: &Assignment| differs(assignment) || (secrets && assignment.value.handle().is_some());
    let wanted: Vec<Assignment> = wanted.into_iter().filter(goes).collect();
    let batch = usize::try_from(talk.quirks.set_batch.get()).unwrap_or(usize::MAX);
    let batches: Vec<&[Assignment]> = wanted.chunks(batch).collect();
    // What was read first does not differ any more where it was sent before, so that the parts are counted anew.
    if let (Shown::Batches(count), false) = (shown, push.trigger.reads_first()) {
        state.batches = state.batches.max(count);
    }
    if push.trigger.reads_first() {
        state.batches = 0;
    }
    for (position, batch) in batches.iter().enumerate().skip(state.batches) {
        let last = position + 1 == batches.len();
        let parameter_key = if last { key.to_owned() } else { talk.part(key, '/', position + 1) };
        state.later |= talk.set(batch, parameter_key).await? == 1;
        state.batches = position + 1;
        state.sent += batch.len();
    }
    Ok(())
}

/// What the device is known to have: what its Inform said and what was read, and where it may have most of it, what it has now.
async fn known(talk: &mut Talk<'_>, push: &Push, wanted: &[Assignment]) -> Result<HashMap<String, String>, Stop> {
    let mut known: HashMap<String, String> = push.current.iter().map(|parameter| (parameter.name.clone(), parameter.value.clone())).collect();
    if push.trigger.reads_first() {
        let readable = |assignment: &&Assignment| assignment.value.handle().is_none() && !talk.quirks.is_hidden(&push.root, &assignment.name);
        let names: Vec<String> = wanted.iter().filter(readable).map(|assignment| assignment.name.clone()).collect();
        // The device may have been changed since it was read.
        known.clear();
        known.extend(talk.values(&names).await?);
    }
    Ok(known)
}

async fn notify(talk: &mut Talk<'_>, push: &Push, state: &State) -> Result<(), Stop> {
    let named = push.configuration.notifications.iter().map(|one| {
        let name = with_instances(&one.name, &state.instances).ok_or_else(|| objects::no_instance(&one.name))?;
        Ok(Attributes { name, notification: Some(one.level), access: None })
    });
    let list = named.collect::<Result<Vec<_>, Stop>>()?;
    if list.is_empty() {
        return Ok(());
    }
    talk.set_attributes(list).await
}

impl Talk<'_> {
    /// The parameter key of a part of a configuration.
    pub(super) fn part(&self, key: &str, kind: char, number: usize) -> String {
        self.kept_key(&format!("{key}{kind}{number}"))
    }

    /// The parameter key as the device takes it.
    pub(super) fn kept_key(&self, key: &str) -> String {
        if self.quirks.omit_parameter_key { String::new() } else { key.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_key_shows_how_far_the_device_is() {
        let key = "jf0123456789abcdef0123";
        for (parameter_key, expected) in [
            ("", Shown::Nothing),
            ("jf0123456789abcdef012", Shown::Nothing),
            ("other", Shown::Nothing),
            (key, Shown::All),
            ("jf0123456789abcdef0123d2", Shown::Removals(2)),
            ("jf0123456789abcdef0123o11", Shown::Objects(11)),
            ("jf0123456789abcdef0123/3", Shown::Batches(3)),
            ("jf0123456789abcdef0123r2", Shown::All),
            ("jf0123456789abcdef0123x", Shown::Nothing),
        ] {
            assert_eq!(shown(key, parameter_key), expected, "{parameter_key}");
        }
    }
}
