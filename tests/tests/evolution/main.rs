//! Contracts evolve: what was built from an older version runs unchanged, what cannot run is refused with a diff.
#![allow(clippy::unwrap_used, reason = "tests")]

mod accepted;
mod frozen;
mod refused;

use end_to_end_tests::runtime::{Core, component, inventory_manifest, order_files};

/// The version that a plugin of the future is built from.
const NEXT: &str = "1.2.0";

/// A plugin that was built from the next version of the inventory contract, which differs from the present one by these replacements.
fn built_from(changes: &[(&str, &str)]) -> Vec<u8> {
    let mut files = order_files();
    for (_, text) in &mut files {
        *text = text.replace("package jackfield:order@1.1.0;", &format!("package jackfield:order@{NEXT};"));
    }
    let (_, inventory) = files.iter_mut().find(|(name, _)| name.ends_with("inventory.wit")).unwrap();
    for (present, next) in changes {
        assert_eq!(inventory.matches(present).count(), 1, "{present:?} does not occur once");
        *inventory = inventory.replace(present, next);
    }
    component(&files, &[], "", Core::Dummy, &inventory_manifest())
}
