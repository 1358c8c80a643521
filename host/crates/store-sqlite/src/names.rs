//! Names that packs declare in code, such as collections and attributes: read back from the file as the `&'static str` they were.

use std::{
    collections::HashSet,
    sync::{Mutex, OnceLock, PoisonError},
};

/// The static form of a name. A name is leaked once per process; there are as many as the packs that wrote the file declare, some dozens.
pub(crate) fn intern(name: &str) -> &'static str {
    static NAMES: OnceLock<Mutex<HashSet<&'static str>>> = OnceLock::new();
    let mut names = NAMES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let new: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(new);
    new
}
