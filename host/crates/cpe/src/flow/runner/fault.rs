//! Why the work with a device does not go on, and what faults of devices mean to a run.

use std::time::Duration;

use pipeline::{Failure, FailureClass};

use crate::soap::Fault;

/// How many parameters a failure names.
const NAMED: usize = 16;

/// The longest text of a device in a failure, in characters.
const MAX_TEXT: usize = 200;

/// Why the work does not go on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stop {
    /// The device is not there any more, or is waited for.
    Wait,
    /// The same, and so long.
    WaitFor(Duration),
    /// What was done is to be written down before the work goes on.
    Note,
    /// The device refuses.
    Fault {
        /// What it was asked.
        method: &'static str,
        /// What it said.
        fault: Fault,
    },
    /// It is over.
    Failed(Failure),
}

/// What a fault means to a run.
pub(super) fn failure(method: &str, fault: &Fault) -> Failure {
    let class = match fault.code {
        // Internal error and exceeded resources pass; a fault without a code says nothing; a device may ask for the request once more.
        0 | 8005 | 9002 | 9004 | 9010..=9019 => FailureClass::Unavailable,
        _ => FailureClass::Rejected,
    };
    let mut message = format!("{method} fault: {}", if fault.string.is_empty() { fault.code.to_string() } else { cut(&fault.string) });
    let named: Vec<String> = fault
        .parameters
        .iter()
        .take(NAMED)
        .map(|one| format!("{}: {} {}", cut(&one.name), one.code, cut(&one.string)).trim_end().to_owned())
        .collect();
    if !named.is_empty() {
        let more = fault.parameters.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        message = format!("{message} ({}{more})", named.join(", "));
    }
    Failure::new(class, "cwmp.fault", message)
}

/// What the standard says for its faults.
const STANDARD: [&str; 11] = [
    "Method not supported",
    "Request denied",
    "Request denied (no reason specified)",
    "Internal error",
    "Invalid arguments",
    "Resources exceeded",
    "Invalid parameter name",
    "Invalid parameter type",
    "Invalid parameter value",
    "Attempt to set a non-writable parameter",
    "Notification request rejected",
];

/// A fault of a request with secrets in it. A device's own words may repeat them: those of the standard are kept, and what is said of other parameters.
pub(super) fn discreet(stop: Stop, secret: &[&str]) -> Stop {
    let Stop::Fault { method, mut fault } = stop else { return stop };
    let quiet = |words: &mut String| {
        if !STANDARD.iter().any(|standard| words.trim().trim_end_matches('.').eq_ignore_ascii_case(standard)) {
            words.clear();
        }
    };
    quiet(&mut fault.string);
    fault.parameters.iter_mut().filter(|one| secret.contains(&one.name.as_str())).for_each(|one| quiet(&mut one.string));
    Stop::Fault { method, fault }
}

/// Names in a failure, as many as a person reads.
pub(super) fn names(all: &[String]) -> String {
    let shown = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = all.len().saturating_sub(NAMED);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn cut(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::ParameterFault;

    #[test]
    fn a_fault_is_told_with_the_parameters_that_it_names() {
        let one = |name: &str, code| ParameterFault { name: name.to_owned(), code, string: "No".to_owned() };
        let fault = Fault { code: 9003, string: "Invalid arguments".to_owned(), parameters: vec![one("Device.A", 9007), one("Device.B", 9008)] };
        let failure = failure("SetParameterValues", &fault);
        assert_eq!(failure.message, "SetParameterValues fault: Invalid arguments (Device.A: 9007 No, Device.B: 9008 No)");
        assert_eq!((failure.class, failure.error_type.as_str()), (FailureClass::Rejected, "cwmp.fault"));
    }

    #[test]
    fn a_fault_of_a_request_with_secrets_repeats_none() {
        let one = |name: &str, string: &str| ParameterFault { name: name.to_owned(), code: 9007, string: string.to_owned() };
        for (words, expected) in [("Invalid arguments.", "Invalid arguments."), ("`kept-secret` is too short", "9003")] {
            let parameters = vec![one("Device.Key", "`kept-secret` is too short"), one("Device.A", "No such channel")];
            let stop = Stop::Fault { method: "SetParameterValues", fault: Fault { code: 9003, string: words.to_owned(), parameters } };
            let Stop::Fault { method, fault } = discreet(stop, &["Device.Key"]) else { panic!("a fault is a fault") };
            let told = failure(method, &fault).message;
            assert_eq!(told, format!("SetParameterValues fault: {expected} (Device.Key: 9007, Device.A: 9007 No such channel)"));
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_is_wrong_is_not() {
        for (code, class) in [
            (0, FailureClass::Unavailable),
            (9000, FailureClass::Rejected),
            (9001, FailureClass::Rejected),
            (9002, FailureClass::Unavailable),
            (9003, FailureClass::Rejected),
            (9004, FailureClass::Unavailable),
            (9005, FailureClass::Rejected),
            (9008, FailureClass::Rejected),
            (9010, FailureClass::Unavailable),
            (9020, FailureClass::Rejected),
            (9800, FailureClass::Rejected),
        ] {
            assert_eq!(failure("X", &Fault::new(code, "x")).class, class, "{code}");
        }
    }
}
