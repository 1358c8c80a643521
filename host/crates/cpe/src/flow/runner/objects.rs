//! Instances of objects: those that are there are found by their values, the others are added, each once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pipeline::{Failure, FailureClass};

use super::{
    fault::Stop,
    push::{Shown, State},
    talk::Talk,
};
use crate::{
    flow::{
        contract::{Object, SettingValue},
        requests::{Push, with_instances},
    },
    value::same,
};

/// Finds or adds what is missing. After each object that is added the work is interrupted, so that it is written down before the next.
pub(super) async fn ensure(talk: &mut Talk<'_>, push: &Push, state: &mut State, key: &str, shown: Shown) -> Result<(), Stop> {
    let objects = &push.configuration.objects;
    for object in objects {
        if let Some(instance) = object.instance {
            state.instances.insert(object.label.clone(), instance);
        }
    }
    if objects.iter().all(|object| state.instances.contains_key(&object.label)) {
        return Ok(());
    }
    find_all(talk, objects, state).await?;
    let Some(object) = objects.iter().find(|object| !state.instances.contains_key(&object.label)) else { return Ok(()) };
    let path = with_instances(&object.path, &state.instances).ok_or_else(|| no_instance(&object.path))?;
    let number = state.added.len() + 1;
    let instance = match shown {
        // The device added it and nobody heard which it is.
        Shown::Objects(count) if count >= number => orphan(talk, &path, &taken(objects, state, &path)).await?,
        Shown::Batches(_) | Shown::All => orphan(talk, &path, &taken(objects, state, &path)).await?,
        Shown::Nothing | Shown::Removals(_) | Shown::Objects(_) => None,
    };
    let instance = match instance {
        Some(instance) => instance,
        None => add(talk, state, &path, key, number).await?,
    };
    state.instances.insert(object.label.clone(), instance);
    state.added.insert(object.label.clone());
    Err(Stop::Note)
}

/// Finds the objects that are there, from the outermost on: each round reads all tables whose paths are known by then.
async fn find_all(talk: &mut Talk<'_>, objects: &[Object], state: &mut State) -> Result<(), Stop> {
    loop {
        let open: Vec<(&Object, String)> = objects.iter().filter_map(|object| Some((object, to_look_for(talk, object, state)?))).collect();
        let paths: BTreeSet<&String> = open.iter().map(|(_, path)| path).collect();
        let paths: Vec<String> = paths.into_iter().cloned().collect();
        if paths.is_empty() {
            return Ok(());
        }
        let there = talk.values(&paths).await?;
        for (object, path) in open {
            match find(talk, object, &path, &there, &taken(objects, state, &path)) {
                Some(instance) => drop(state.instances.insert(object.label.clone(), instance)),
                None => drop(state.absent.insert(object.label.clone())),
            }
        }
    }
}

/// The table in which an object is to be looked for, if it is. What is below an object that was just added has nothing in it.
fn to_look_for(talk: &Talk<'_>, object: &Object, state: &State) -> Option<String> {
    let settled = state.instances.contains_key(&object.label) || state.absent.contains(&object.label);
    let below_new = state.added.iter().any(|label| object.path.contains(&format!("{{{label}}}")));
    if settled || below_new || object.key.is_empty() || talk.quirks.skip_add_object_probe {
        return None;
    }
    with_instances(&object.path, &state.instances)
}

/// The instance whose values are those that the object is found by.
fn find(talk: &Talk<'_>, object: &Object, path: &str, there: &HashMap<String, String>, taken: &BTreeSet<u32>) -> Option<u32> {
    let comparable: Vec<_> = object.key.iter().filter(|key| key.value.handle().is_none()).collect();
    if comparable.is_empty() {
        return None;
    }
    let instances: BTreeSet<u32> = there.keys().filter_map(|name| instance_of(name, path)).collect();
    let fits = |instance: &u32| {
        comparable.iter().all(|key| {
            let found = there.get(&format!("{path}{instance}.{}", key.name));
            let SettingValue::Text(wanted) = &key.value else { return false };
            found.is_some_and(|found| same(key.kind.into(), wanted, found, &talk.quirks))
        })
    };
    instances.into_iter().filter(|instance| !taken.contains(instance)).find(fits)
}

/// The instances of a table that labels stand for already.
fn taken(objects: &[Object], state: &State, path: &str) -> BTreeSet<u32> {
    let here = |object: &&Object| with_instances(&object.path, &state.instances).as_deref() == Some(path);
    objects.iter().filter(here).filter_map(|object| state.instances.get(&object.label).copied()).collect()
}

/// The youngest instance that no label stands for.
pub(super) async fn orphan(talk: &mut Talk<'_>, path: &str, taken: &BTreeSet<u32>) -> Result<Option<u32>, Stop> {
    let there = talk.names_below(path.to_owned()).await?;
    let instances = there.iter().filter_map(|one| instance_of(&format!("{}.", one.name.trim_end_matches('.')), path));
    Ok(instances.filter(|instance| !taken.contains(instance)).max())
}

async fn add(talk: &mut Talk<'_>, state: &mut State, path: &str, key: &str, number: usize) -> Result<u32, Stop> {
    let parameter_key = talk.part(key, 'o', number);
    let (instance, status) = talk.add_object(path.to_owned(), parameter_key).await?;
    state.later |= status == 1;
    Ok(instance)
}

/// The number that follows a path in a name.
fn instance_of(name: &str, path: &str) -> Option<u32> {
    name.strip_prefix(path)?.split_once('.')?.0.parse().ok()
}

/// The path of an instance, with the dot at its end.
pub(super) fn instance_path(object: &Object, instances: &BTreeMap<String, u32>) -> Result<String, Stop> {
    let whole = with_instances(&object.path, instances).zip(instances.get(&object.label));
    whole.map(|(path, instance)| format!("{path}{instance}.")).ok_or_else(|| no_instance(&object.path))
}

pub(super) fn no_instance(name: &str) -> Stop {
    Stop::Failed(Failure::new(FailureClass::Rejected, "plugin.contract", format!("`{name}` names an object that the configuration does not have")))
}
