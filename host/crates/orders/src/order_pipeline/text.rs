//! Names and texts of spans.

use pipeline::Failure;
use serde_json::Value;

use super::RESOURCE_TYPES;

/// The longest description of a failed span, in bytes.
const MAX_DESCRIPTION: usize = 256;

/// The resource type of a request of `inventory` or `provisioning`, as it was given.
pub(crate) fn resource_type(request: &Value) -> &str {
    request["service"]["resource-type"].as_str().unwrap_or_default()
}

/// A resource type where its values must be bounded: in span names and metric labels.
pub(crate) fn known_type(given: &str) -> &'static str {
    RESOURCE_TYPES.into_iter().find(|known| *known == given).unwrap_or("_other")
}

pub(super) fn compensation(request: &Value) -> String {
    format!("bss.order.compensate.{}", known_type(resource_type(request)))
}

/// The failure's own words, cut on a character boundary.
pub(super) fn failure(failure: &Failure) -> String {
    let mut end = failure.message.len().min(MAX_DESCRIPTION);
    while !failure.message.is_char_boundary(end) {
        end -= 1;
    }
    failure.message[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use pipeline::FailureClass;

    use super::*;

    #[test]
    fn a_description_is_cut_on_a_character_boundary() {
        let long = Failure::new(FailureClass::Rejected, "x", format!("{}é", "a".repeat(255)));
        assert_eq!(failure(&long), "a".repeat(255));
        assert_eq!(failure(&Failure::new(FailureClass::Rejected, "x", "short")), "short");
    }

    #[test]
    fn an_undeclared_type_is_other() {
        assert_eq!((known_type("port"), known_type("Port"), known_type("")), ("port", "_other", "_other"));
    }
}
