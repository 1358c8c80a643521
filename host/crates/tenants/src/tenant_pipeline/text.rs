//! Texts of spans.

use pipeline::Failure;

/// The longest description of a failed span, in bytes.
const MAX_DESCRIPTION: usize = 256;

/// The failure's own words, cut on a character boundary.
pub(crate) fn failure(failure: &Failure) -> String {
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
    }
}
