//! What went wrong at a point, told with everything that is needed to look into it.

use tempfile::TempDir;

/// The most violations of one crash that are told.
const TOLD: usize = 8;

/// What went wrong.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The crash could not be staged.
    Staging(String),
    /// The crash did harm.
    Harm(Vec<String>),
}

/// Something went wrong at a point.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Whether the crash did harm; otherwise it could not be staged.
    pub(crate) harm: bool,
    /// What, where, and what was expected.
    pub(crate) text: String,
    directory: TempDir,
}

impl Fault {
    pub(crate) fn new(at: &str, trouble: Trouble, directory: TempDir) -> Self {
        let (harm, found) = match trouble {
            Trouble::Staging(text) => (false, vec![text]),
            Trouble::Harm(found) => (true, found),
        };
        let told = found.len().min(TOLD);
        let more = if told < found.len() { format!("\n  - and {} more", found.len() - told) } else { String::new() };
        Self { harm, text: format!("{at}:\n  - {}{more}", found[..told].join("\n  - ")), directory }
    }

    /// The text, and where the database and the logs now stay.
    pub(crate) fn keep(self) -> String {
        format!("{}\n  kept in {}", self.text, self.directory.keep().display())
    }
}
