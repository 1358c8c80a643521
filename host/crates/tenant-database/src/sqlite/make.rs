//! Making a tenant's file, and taking it away.

use std::{
    fs,
    path::Path,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use pipeline::Failure;
use rusqlite::{Connection, OpenFlags};

use super::{
    Inner, beside, bookkeeping, broken, disk,
    files::{self, UNFINISHED},
    look::Found,
};
use crate::{
    contract::DatabaseReceipt,
    failure::{DATABASE_FOREIGN, MIGRATION_FAILED, foreign, held, rejected, unavailable},
    names::TenantId,
};

impl Inner {
    /// Makes the file, or brings the tenant's own to the last migration.
    pub(super) fn apply(&self, tenant: &TenantId, effect: &str, sent: &mut bool) -> Result<DatabaseReceipt, Failure> {
        loop {
            match self.look(tenant)? {
                Found::Absent => {
                    let template = self.template()?;
                    *sent = true;
                    if self.create(tenant, effect, &template)? {
                        return Ok(self.receipt(tenant, self.options.migrations.last()));
                    }
                    // Somebody else was faster: look at what it is.
                }
                Found::Ours(made) => {
                    if !self.options.migrations.missing(&made)?.is_empty() {
                        *sent = true;
                        self.migrate(tenant)?;
                    }
                    return Ok(self.receipt(tenant, self.options.migrations.last()));
                }
                Found::Foreign(whose) => return Err(foreign(tenant.as_str(), &whose)),
            }
        }
    }

    /// Removes the file. What is gone already is fine; what is another's stays.
    pub(super) fn undo(&self, tenant: &TenantId, sent: &mut bool) -> Result<(), Failure> {
        match self.look(tenant)? {
            Found::Foreign(whose) => Err(held(DATABASE_FOREIGN, format_args!("the database of tenant {tenant} is not removed: {whose}"))),
            Found::Absent | Found::Ours(_) => {
                *sent = true;
                files::remove(&self.path(tenant)).map_err(|error| disk(tenant, &error))
            }
        }
    }

    /// Whether the file was made: `false` when the name was taken meanwhile.
    fn create(&self, tenant: &TenantId, effect: &str, template: &[u8]) -> Result<bool, Failure> {
        let path = self.path(tenant);
        let unfinished = beside(&path, &format!("{UNFINISHED}.{}", self.written.fetch_add(1, Ordering::Relaxed)));
        let made = files::write(&unfinished, template).map_err(|error| disk(tenant, &error)).and_then(|()| {
            mark(&unfinished, tenant, effect).map_err(|error| broken(tenant, &error))?;
            files::publish(&unfinished, &path).map_err(|error| disk(tenant, &error))
        });
        if made.is_err() {
            // What cannot be removed now is removed when the folder is opened.
            let _ = fs::remove_file(&unfinished);
        }
        made
    }

    fn template(&self) -> Result<Arc<[u8]>, Failure> {
        let mut template = self.template.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = &*template {
            return Ok(Arc::clone(template));
        }
        let path = self.options.folder.join(format!("template{UNFINISHED}"));
        let built = self.build_template(&path);
        files::remove(&path).map_err(|error| unavailable(format_args!("the template of databases: {error}")))?;
        Ok(Arc::clone(template.insert(built?.into())))
    }

    fn build_template(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        let io = |error: std::io::Error| unavailable(format_args!("the template of databases: {error}"));
        let sqlite = |error: rusqlite::Error| unavailable(format_args!("the template of databases: {error}"));
        files::remove(path).and_then(|()| files::write(path, &[])).map_err(io)?;
        let connection = bookkeeping::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sqlite)?;
        // Nothing of it need survive the process.
        connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON").map_err(sqlite)?;
        connection.pragma_update(None, "application_id", bookkeeping::APPLICATION_ID).map_err(sqlite)?;
        connection.execute_batch(bookkeeping::TABLES).map_err(sqlite)?;
        for migration in self.options.migrations.missing(&[])? {
            bookkeeping::make(&connection, migration).map_err(|error| rejected(MIGRATION_FAILED, format_args!("`{}`: {error}", migration.name)))?;
        }
        connection.close().map_err(|(_, error)| sqlite(error))?;
        fs::read(path).map_err(io)
    }
}

/// Writes down whose file it is. It has no name yet, so nothing need be durable before all of it is.
fn mark(path: &Path, tenant: &TenantId, effect: &str) -> rusqlite::Result<()> {
    let connection: Connection = bookkeeping::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
    connection.execute("INSERT INTO jackfield_owner (id, tenant, effect) VALUES (1, ?1, ?2)", [tenant.as_str(), effect])?;
    connection.close().map_err(|(_, error)| error)
}
