//! Reads back everything that a device was sent, and does not take its word for it.

use std::{collections::HashMap, time::Duration};

use engine::port::Verb;
use pipeline::{Failure, FailureClass};
use serde::{Deserialize, Serialize};

use super::{
    fault::{Stop, names},
    once::{Once, nobody_knows},
    talk::Talk,
};
use crate::{
    flow::{
        contract::{Assignment, SettingValue},
        requests::{Verified, Verify},
    },
    value::{fits, same},
};

/// What was done so far in this attempt.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// The restart of the device.
    restarting: Once,
    /// The session after whose end the values are looked at.
    after: Option<String>,
    /// Whether the device must have been restarted by then.
    restart: bool,
    /// Whether it was asked to restart.
    restarted: bool,
    /// Whether it had another session to apply the values in.
    later_session: bool,
    /// How often the values were wrong in calls that went on with this attempt.
    tries: u32,
    /// Whether it was sent again what differed.
    again: bool,
    /// Whether it said then that it would apply them later.
    later: bool,
}

pub(super) async fn verify(talk: &mut Talk<'_>, verify: &Verify, state: &mut State) -> Result<Verified, Stop> {
    talk.suggest(&verify.quirks)?;
    if !has_come(talk, verify, state) {
        return Err(Stop::Wait);
    }
    (state.after, state.restart) = (None, false);
    if state.restarting.in_doubt(talk)? || state.restarting.is_next(talk) {
        restart(talk, verify, state).await?;
    }
    let attempt = talk.call.attempt.attempt;
    if attempt + state.tries > 1 && !state.again {
        send_again(talk, verify, state, attempt + state.tries).await?;
    }
    if (verify.reboot || talk.quirks.needs_reboot_to_apply) && !state.restarted {
        restart(talk, verify, state).await?;
    }
    talk.settle().await?;
    let found = read_back(talk, verify).await?;
    if found.differ.is_empty() {
        return Ok(Verified { checked: found.checked, hidden: found.hidden });
    }
    // A device that said `later` gets another session to apply the values in, and is restarted if that was not enough.
    if verify.later || state.later {
        if !state.later_session && !state.restarted {
            (state.later_session, state.after) = (true, Some(talk.session()));
            return Err(Stop::Wait);
        }
        if !state.restarted && talk.runner.options.reboot_on_later {
            restart(talk, verify, state).await?;
        }
    }
    let message = format!("{} of {} parameters are not as they were set: {}", found.differ.len(), found.all(), names(&found.differ));
    talk.attributes.push(count("cpe.verify.mismatches", found.differ.len()));
    talk.attributes.push(count("cpe.verify.checked", found.all()));
    talk.attributes.push(count("cpe.verify.hidden", found.hidden));
    Err(try_again(talk, attempt, state, message))
}

/// The next attempt sends again what differs. An operation that was waited for goes on as the same attempt, so that it counts its tries itself.
fn try_again(talk: &Talk<'_>, attempt: u32, state: &mut State, message: String) -> Stop {
    let failed = |class| Stop::Failed(Failure::new(class, "verification_failed", message));
    if !matches!(talk.call.verb, Verb::Resume { .. }) {
        return failed(FailureClass::Unavailable);
    }
    let tries = state.tries + 1;
    if attempt + tries > talk.runner.options.verify.max_attempts.get() {
        return failed(FailureClass::Rejected);
    }
    *state = State { tries, ..State::default() };
    Stop::WaitFor(Duration::from_millis(talk.runner.options.verify.retry_initial_ms))
}

fn count(key: &str, number: usize) -> (String, pipeline::AttributeValue) {
    (key.to_owned(), i64::try_from(number).unwrap_or(i64::MAX).into())
}

/// Whether the session is the one that is waited for.
fn has_come(talk: &Talk<'_>, verify: &Verify, state: &State) -> bool {
    let Some(after) = &state.after else { return true };
    *after != talk.session() && (!state.restart || has_restarted(talk, verify))
}

fn has_restarted(talk: &Talk<'_>, verify: &Verify) -> bool {
    talk.has_event("1 BOOT", None) || talk.has_event("M Reboot", Some(&verify.key))
}

/// Restarts the device, and waits until it is back. Where nobody knows whether it was asked to, its Inform shows it.
async fn restart(talk: &mut Talk<'_>, verify: &Verify, state: &mut State) -> Result<(), Stop> {
    if state.restarting.in_doubt(talk)? {
        if !has_restarted(talk, verify) {
            return Err(nobody_knows("Reboot", "the device has not restarted"));
        }
        (state.restarting, state.restarted) = (Once::default(), true);
        return Ok(());
    }
    state.restarting.send(talk, async |talk| talk.reboot(verify.key.clone()).await).await?;
    (state.restart, state.restarted, state.after) = (true, true, Some(talk.session()));
    Err(Stop::Wait)
}

/// Sends again what differs, and what cannot be read back.
async fn send_again(talk: &mut Talk<'_>, verify: &Verify, state: &mut State, attempt: u32) -> Result<(), Stop> {
    let found = read_back(talk, verify).await?;
    let unread = |assignment: &Assignment| is_hidden(talk, verify, &assignment.name);
    let differs = |assignment: &&Assignment| found.differing.contains(&assignment.name) || (!found.differ.is_empty() && unread(assignment));
    let wanted: Vec<Assignment> = verify.assignments.iter().filter(differs).cloned().collect();
    let batch = usize::try_from(talk.quirks.set_batch.get()).unwrap_or(usize::MAX);
    for batch in wanted.chunks(batch) {
        let parameter_key = talk.part(&verify.key, 'r', attempt as usize);
        state.later |= talk.set(batch, parameter_key).await? == 1;
    }
    state.again = true;
    Ok(())
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    /// How many values are right.
    checked: usize,
    /// How many cannot be read back.
    hidden: usize,
    /// The parameters that are not as they were set, with what is wrong where that is no secret.
    differ: Vec<String>,
    /// Their names.
    differing: std::collections::HashSet<String>,
}

async fn read_back(talk: &mut Talk<'_>, verify: &Verify) -> Result<Found, Stop> {
    let (hidden, readable): (Vec<&Assignment>, Vec<&Assignment>) =
        verify.assignments.iter().partition(|assignment| is_hidden(talk, verify, &assignment.name));
    let names: Vec<String> = readable.iter().map(|assignment| assignment.name.clone()).collect();
    let values = if names.is_empty() { HashMap::new() } else { talk.values(&names).await? };
    let mut found = Found { hidden: hidden.len(), ..Found::default() };
    for assignment in readable {
        match compare(talk, assignment, values.get(&assignment.name))? {
            Compared::Right => found.checked += 1,
            Compared::Unreadable => found.hidden += 1,
            Compared::Absent => found.differs(assignment, " (absent)"),
            Compared::Wrong => found.differs(assignment, ""),
        }
    }
    Ok(found)
}

impl Found {
    fn all(&self) -> usize {
        self.checked + self.differ.len()
    }

    fn differs(&mut self, assignment: &Assignment, how: &str) {
        self.differ.push(format!("{}{how}", assignment.name));
        self.differing.insert(assignment.name.clone());
    }
}

enum Compared {
    Right,
    Wrong,
    Absent,
    /// A secret that reads empty, as secrets do.
    Unreadable,
}

fn compare(talk: &Talk<'_>, assignment: &Assignment, found: Option<&String>) -> Result<Compared, Stop> {
    let Some(found) = found else { return Ok(Compared::Absent) };
    let is = |wanted: &str| if same(assignment.kind.into(), wanted, found, &talk.quirks) { Compared::Right } else { Compared::Wrong };
    match &assignment.value {
        SettingValue::Text(wanted) => Ok(is(wanted)),
        SettingValue::Secret(_) if found.is_empty() => Ok(Compared::Unreadable),
        SettingValue::Secret(handle) => Ok(is(&talk.open(&assignment.name, handle)?)),
    }
}

/// Whether a parameter reads empty whatever it holds: by its data model, its quirks, or its plugin.
fn is_hidden(talk: &Talk<'_>, verify: &Verify, name: &str) -> bool {
    talk.quirks.is_hidden(&verify.root, name) || verify.hidden.iter().any(|pattern| fits(pattern, name))
}
