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
    let named: Vec<String> =
        fault.parameters.iter().take(NAMED).map(|one| format!("{}: {} {}", cut(&one.name), one.code, cut(&one.string))).collect();
    if !named.is_empty() {
        let more = fault.parameters.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        message = format!("{message} ({}{more})", named.join(", "));
    }
    Failure::new(class, "cwmp.fault", message)
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
