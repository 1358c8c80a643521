//! What is there under a tenant's name.

use pipeline::Failure;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use super::{Inner, bookkeeping, broken, disk};
use crate::names::TenantId;

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    Absent,
    /// The tenant's, with the migrations that were made.
    Ours(Vec<(u64, String)>),
    /// Not the tenant's; says whose.
    Foreign(String),
}

impl Inner {
    /// Looks, and changes nothing; SQLite finishes what a process that was killed left open, which it must be able to write for.
    pub(super) fn look(&self, tenant: &TenantId) -> Result<Found, Failure> {
        let path = self.path(tenant);
        match std::fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Ok(Found::Foreign("what has its name is no file".to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Absent),
            Err(error) => return Err(disk(tenant, &error)),
        }
        let looked = bookkeeping::open(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|connection| read(&connection, tenant));
        match looked {
            Ok(found) => Ok(found),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                Ok(Found::Foreign("what has its name is no database".to_owned()))
            }
            Err(error) => Err(broken(tenant, &error)),
        }
    }
}

fn read(connection: &Connection, tenant: &TenantId) -> rusqlite::Result<Found> {
    Ok(match owner(connection)? {
        Some(owner) if owner == tenant.as_str() => Found::Ours(bookkeeping::made(connection)?),
        Some(owner) => Found::Foreign(format!("what has its name is of tenant {owner}")),
        None => Found::Foreign("what has its name was not made by this host".to_owned()),
    })
}

/// The tenant whose file it is, if the host made it.
pub(super) fn owner(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mark: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if mark != bookkeeping::APPLICATION_ID {
        return Ok(None);
    }
    connection.query_row("SELECT tenant FROM jackfield_owner WHERE id = 1", [], |row| row.get(0)).optional()
}
