//! What a contact is for: a pure function of what the device says and what is known of it.

use std::time::Duration;

use pipeline::{RunId, Timestamp};

use crate::{
    flow::{book::Standing, input::Trigger, options::Options, projection::DeviceState},
    soap::Inform,
};

/// What a contact is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing.
    Nothing,
    /// A run that waits for the device.
    Wake(RunId),
    /// A new provisioning.
    Start {
        /// Why.
        trigger: Trigger,
        /// The run that it takes over from, and whether that is held for a person.
        over: Option<(RunId, bool)>,
    },
}

/// All that a decision depends on.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    /// The device was reset, or contacts its first server.
    bootstrap: bool,
    /// It tries again to say the same.
    again: bool,
    standing: Option<&'a Standing>,
    /// What builds its configuration, or its profile, is another one now.
    changed: bool,
    /// It was compared with its profile, or failed, so long ago that it is due again.
    due: bool,
}

impl<'a> Seen<'a> {
    pub(super) fn of(inform: &Inform, standing: Option<&'a Standing>, now: Timestamp, changed: bool, options: &Options) -> Self {
        let waits = |seconds: u64| Duration::from_secs(seconds);
        let due = standing.is_some_and(|standing| {
            let age = now.since(standing.since);
            match standing.state {
                DeviceState::Provisioned | DeviceState::Unverified => options.drift_s > 0 && age >= waits(options.drift_s),
                DeviceState::Failed => age >= waits(options.unknown_retry_s),
                // It was given up because it did not come; now it has.
                DeviceState::Held => standing.timed_out,
                DeviceState::Provisioning | DeviceState::Cancelled => false,
            }
        });
        Self { bootstrap: inform.has("0 BOOTSTRAP"), again: inform.retry_count > 0, standing, changed, due }
    }
}

/// A reset begins anew whatever was. Otherwise a device that nobody provisioned yet is provisioned, one that is waited for goes on, and one that has what it is
/// to have is left alone.
pub(super) fn decide(seen: &Seen<'_>) -> Decision {
    let Some(standing) = seen.standing else {
        let trigger = if seen.bootstrap { Trigger::Bootstrap } else { Trigger::FirstContact };
        return Decision::Start { trigger, over: None };
    };
    let start = |trigger| {
        let over = match standing.state {
            DeviceState::Provisioning => Some((standing.run.clone(), false)),
            DeviceState::Held => Some((standing.run.clone(), true)),
            DeviceState::Provisioned | DeviceState::Unverified | DeviceState::Failed | DeviceState::Cancelled => None,
        };
        Decision::Start { trigger, over }
    };
    // The answer to the Inform that began the run was lost: the device says the same again.
    let repeated = seen.again && standing.bootstrap && standing.is_under_way();
    let refused = standing.state == DeviceState::Failed && !seen.due && !seen.changed;
    match standing.state {
        // A device that nobody knows is not tried more often for its being reset.
        _ if seen.bootstrap && !repeated && !(refused && standing.bootstrap) => start(Trigger::Bootstrap),
        DeviceState::Provisioning => Decision::Wake(standing.run.clone()),
        _ if seen.changed => start(Trigger::Changed),
        DeviceState::Provisioned | DeviceState::Unverified if seen.due => start(Trigger::Drift),
        DeviceState::Failed | DeviceState::Held if seen.due => start(Trigger::FirstContact),
        DeviceState::Provisioned | DeviceState::Unverified | DeviceState::Failed | DeviceState::Held | DeviceState::Cancelled => Decision::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::EventCode;

    fn run(number: u64) -> RunId {
        pipeline::testing::run_id(number)
    }

    fn standing(state: DeviceState, bootstrap: bool) -> Standing {
        Standing {
            run: run(1),
            state,
            since: Timestamp(0),
            bootstrap,
            plan: None,
            plugin: None,
            profile: None,
            embedded: false,
            timed_out: false,
            trace: None,
        }
    }

    fn check(state: Option<(DeviceState, bool)>, events: &[&str], retry_count: u32, age_s: u64, changed: bool) -> String {
        let events = events.iter().map(|code| EventCode { code: (*code).to_owned(), command_key: String::new() }).collect();
        let inform = Inform { events, retry_count, ..Inform::default() };
        let standing = state.map(|(state, bootstrap)| standing(state, bootstrap));
        let options = Options { drift_s: 86_400, ..Options::default() };
        let seen = Seen::of(&inform, standing.as_ref(), Timestamp(age_s * 1_000_000), changed, &options);
        match decide(&seen) {
            Decision::Nothing => "nothing".to_owned(),
            Decision::Wake(_) => "wake".to_owned(),
            Decision::Start { trigger, over } => {
                let over = over.map(|(_, held)| if held { " over a held run" } else { " over a run under way" });
                format!("start {}{}", trigger.as_str(), over.unwrap_or_default())
            }
        }
    }

    #[test]
    fn a_device_that_was_given_up_because_it_did_not_come_is_tried_again_when_it_comes() {
        let standing = Standing { timed_out: true, ..standing(DeviceState::Held, true) };
        let seen = Seen::of(&Inform::default(), Some(&standing), Timestamp(1), false, &Options::default());
        assert_eq!(decide(&seen), Decision::Start { trigger: Trigger::FirstContact, over: Some((run(1), true)) });
    }

    #[test]
    fn every_contact_is_for_what_it_says() {
        use DeviceState::{Cancelled, Failed, Held, Provisioned, Provisioning};
        let periodic = ["2 PERIODIC"];
        for (state, events, retry, age, changed, expected) in [
            (None, &["0 BOOTSTRAP", "1 BOOT"][..], 0, 0, false, "start bootstrap"),
            (None, &periodic, 0, 0, false, "start first-contact"),
            (None, &["X 001122 ODD"], 3, 0, false, "start first-contact"),
            (Some((Provisioning, true)), &["0 BOOTSTRAP"], 1, 1, false, "wake"),
            (Some((Provisioning, true)), &["0 BOOTSTRAP"], 0, 1, false, "start bootstrap over a run under way"),
            (Some((Provisioning, false)), &["0 BOOTSTRAP"], 1, 1, false, "start bootstrap over a run under way"),
            (Some((Provisioning, true)), &["1 BOOT", "M Reboot"], 0, 1, false, "wake"),
            (Some((Provisioning, true)), &periodic, 0, 1, true, "wake"),
            (Some((Provisioned, true)), &periodic, 0, 10, false, "nothing"),
            (Some((Provisioned, true)), &["4 VALUE CHANGE"], 0, 10, false, "nothing"),
            (Some((Provisioned, true)), &["6 CONNECTION REQUEST", "8 DIAGNOSTICS COMPLETE"], 0, 10, false, "nothing"),
            (Some((Provisioned, true)), &["7 TRANSFER COMPLETE", "M Download"], 0, 10, false, "nothing"),
            (Some((Provisioned, true)), &[], 0, 10, false, "nothing"),
            (Some((Provisioned, true)), &["0 BOOTSTRAP"], 0, 10, false, "start bootstrap"),
            (Some((Provisioned, true)), &["0 BOOTSTRAP"], 2, 10, false, "start bootstrap"),
            (Some((Provisioned, true)), &periodic, 0, 10, true, "start changed"),
            (Some((Provisioned, true)), &periodic, 0, 90_000, false, "start drift"),
            (Some((Held, true)), &periodic, 0, 90_000, false, "nothing"),
            (Some((Held, true)), &periodic, 0, 10, true, "start changed over a held run"),
            (Some((Held, true)), &["0 BOOTSTRAP"], 0, 10, false, "start bootstrap over a held run"),
            (Some((Failed, true)), &["0 BOOTSTRAP"], 0, 10, false, "nothing"),
            (Some((Failed, true)), &["1 BOOT"], 0, 10, false, "nothing"),
            (Some((Failed, true)), &["1 BOOT"], 0, 3_600, false, "start first-contact"),
            (Some((Failed, false)), &["0 BOOTSTRAP"], 0, 10, false, "start bootstrap"),
            (Some((Cancelled, true)), &periodic, 0, 90_000, false, "nothing"),
            (Some((Cancelled, true)), &["0 BOOTSTRAP"], 0, 10, false, "start bootstrap"),
        ] {
            assert_eq!(check(state, events, retry, age, changed), expected, "{state:?} {events:?} retry {retry} after {age} s, changed: {changed}");
        }
    }
}
