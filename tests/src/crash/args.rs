//! What the child is told on its command line, written and read in one place.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use super::points::Stop;

/// What the child is told.
#[derive(Debug, Clone)]
pub struct Args {
    /// The database file.
    pub database: PathBuf,
    /// Where the ledger listens.
    pub ledger: SocketAddr,
    /// Where the child kills itself.
    pub stop: Stop,
    /// Whether appends are acknowledged before they are committed: the mutant that the enumeration must catch.
    pub early: bool,
}

impl Args {
    /// The command line.
    pub fn words(&self) -> Vec<OsString> {
        let (how, which) = match &self.stop {
            Stop::Never => ("never", String::new()),
            Stop::At(name) => ("at", name.clone()),
            Stop::Nth(number) => ("nth", number.to_string()),
        };
        let journal = if self.early { "early" } else { "honest" };
        vec![self.database.clone().into(), self.ledger.to_string().into(), how.into(), which.into(), journal.into()]
    }

    /// Reads the command line, or says which word was wrong.
    pub fn read(words: Vec<OsString>) -> Result<Self, String> {
        let words: Result<[OsString; 5], _> = words.try_into();
        let [database, ledger, how, which, journal] =
            words.map_err(|words| format!("{} words were given: expected database, ledger, how, which, journal", words.len()))?;
        let text = |word: OsString| word.into_string().map_err(|word| format!("{} is not UTF-8", word.display()));
        let which = text(which)?;
        let stop = match text(how)?.as_str() {
            "never" => Stop::Never,
            "at" => Stop::At(which),
            "nth" => Stop::Nth(which.parse().map_err(|error| format!("`{which}` is no number: {error}"))?),
            other => return Err(format!("`{other}` is no way to stop: expected never, at or nth")),
        };
        let ledger = text(ledger)?;
        let ledger = ledger.parse().map_err(|error| format!("`{ledger}` is no address: {error}"))?;
        Ok(Self { database: database.into(), ledger, stop, early: text(journal)? == "early" })
    }
}
