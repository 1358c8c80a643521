//! The migrations that every tenant's database goes through: files `NNNN_name.sql` of a folder, in the order of their numbers.

use std::{fs, io, path::Path};

use pipeline::Failure;

use crate::failure::{MIGRATION_CHANGED, rejected};

/// How many migrations there may be.
const MOST: usize = 10_000;
/// How long one may be, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its number, from 1.
    pub version: u64,
    /// The file's name.
    pub name: String,
    /// What it does.
    pub sql: String,
    /// What tells it from another of the same number.
    pub(crate) checksum: String,
}

/// All migrations, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migrations(Vec<Migration>);

/// What became of one tenant's database when all were migrated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The tenant's id.
    pub tenant: String,
    /// The version it has now, or why it has not the last.
    pub outcome: Result<u64, Failure>,
}

/// Why migrations cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MigrationsError {
    /// The folder or a file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// What was read.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The name says no number.
    #[error("migration `{0}` is not called `NNNN_name.sql` with a number from 1")]
    Name(String),
    /// Two have the same number.
    #[error("migrations `{0}` and `{1}` have the same number")]
    Twice(String, String),
    /// There are too many, or one is too long.
    #[error("{what}: {found}, more than the {limit} allowed")]
    TooMuch {
        /// What was counted.
        what: String,
        /// How many.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
}

impl Migrations {
    /// Reads a folder. Files that do not end in `.sql` are no migrations.
    ///
    /// # Errors
    ///
    /// [`MigrationsError`]
    pub fn read(folder: &Path) -> Result<Self, MigrationsError> {
        let unreadable = |path: &Path| {
            let path = path.display().to_string();
            move |source| MigrationsError::Unreadable { path, source }
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            if path.extension().is_none_or(|extension| extension != "sql") {
                continue;
            }
            let length = fs::metadata(&path).map_err(unreadable(&path))?.len();
            if length > LONGEST {
                return Err(MigrationsError::TooMuch { what: format!("bytes of {}", path.display()), found: length, limit: LONGEST });
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path).map_err(unreadable(&path))?));
        }
        Self::of(files)
    }

    /// Migrations from their files' names and texts.
    ///
    /// # Errors
    ///
    /// [`MigrationsError`]
    pub fn of<N: Into<String>, S: Into<String>>(files: impl IntoIterator<Item = (N, S)>) -> Result<Self, MigrationsError> {
        let mut all = Vec::new();
        for (name, sql) in files {
            let (name, sql) = (name.into(), sql.into());
            let version = number(&name).ok_or_else(|| MigrationsError::Name(name.clone()))?;
            let checksum = blake3::hash(sql.as_bytes()).to_hex().to_string();
            all.push(Migration { version, name, sql, checksum });
        }
        if all.len() > MOST {
            return Err(MigrationsError::TooMuch { what: "migrations".to_owned(), found: all.len() as u64, limit: MOST as u64 });
        }
        all.sort_by(|one, other| (one.version, &one.name).cmp(&(other.version, &other.name)));
        if let Some(pair) = all.windows(2).find(|pair| pair[0].version == pair[1].version) {
            return Err(MigrationsError::Twice(pair[0].name.clone(), pair[1].name.clone()));
        }
        Ok(Self(all))
    }

    /// The number of the last one; 0 without any.
    pub fn last(&self) -> u64 {
        self.0.last().map_or(0, |last| last.version)
    }

    /// Those that a database still needs, given what was made in it: numbers and checksums.
    pub(crate) fn missing(&self, made: &[(u64, String)]) -> Result<Vec<&Migration>, Failure> {
        if let Some((newest, _)) = made.last()
            && *newest > self.last()
        {
            let message = format_args!("it has migration {newest}, this host knows none after {}", self.last());
            return Err(rejected(MIGRATION_CHANGED, message));
        }
        let mut missing = Vec::new();
        for migration in &self.0 {
            match made.iter().find(|(version, _)| *version == migration.version) {
                Some((_, checksum)) if *checksum == migration.checksum => {}
                Some(_) => return Err(rejected(MIGRATION_CHANGED, format_args!("`{}` was made with another text than it has now", migration.name))),
                None => missing.push(migration),
            }
        }
        Ok(missing)
    }
}

fn number(name: &str) -> Option<u64> {
    let (digits, rest) = name.split_once('_')?;
    let told = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit()) && rest.len() > ".sql".len() && rest.ends_with(".sql");
    digits.parse().ok().filter(|number| told && (1..=i64::MAX as u64).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_ordered_by_number_and_their_names_are_checked() {
        let all = Migrations::of([("0010_b.sql", "b"), ("0002_a.sql", "a")]).unwrap();
        assert_eq!(all.0.iter().map(|one| one.version).collect::<Vec<_>>(), [2, 10]);
        assert_eq!(all.last(), 10);
        for bad in ["1_a.sql", "0000_a.sql", "0001.sql", "0001_.sql", "0001_a.txt", "x001_a.sql", "99999999999999999999_a.sql"] {
            assert!(matches!(Migrations::of([(bad, "")]), Err(MigrationsError::Name(_))), "{bad}");
        }
        assert!(matches!(Migrations::of([("0001_a.sql", ""), ("0001_b.sql", "")]), Err(MigrationsError::Twice(..))));
    }

    #[test]
    fn a_folder_is_read_without_its_other_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("README.md"), "no migration").unwrap();
        fs::write(folder.path().join("0001_tables.sql"), "CREATE TABLE a (b int);").unwrap();
        assert_eq!(Migrations::read(folder.path()).unwrap().last(), 1);
        Migrations::read(&folder.path().join("absent")).unwrap_err();
    }

    #[test]
    fn what_was_made_otherwise_is_not_made_again() {
        let all = Migrations::of([("0001_a.sql", "a"), ("0002_b.sql", "b"), ("0003_c.sql", "c")]).unwrap();
        let sum = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
        let missing = all.missing(&[(1, sum("a")), (2, sum("b"))]).unwrap();
        assert_eq!(missing.iter().map(|one| one.version).collect::<Vec<_>>(), [3]);
        assert_eq!(all.missing(&[(1, sum("other"))]).unwrap_err().error_type, MIGRATION_CHANGED);
        assert_eq!(all.missing(&[(4, sum("d"))]).unwrap_err().error_type, MIGRATION_CHANGED);
    }
}
