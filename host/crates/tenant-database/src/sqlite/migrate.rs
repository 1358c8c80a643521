//! Bringing a tenant's file to the last migration.

use pipeline::Failure;
use rusqlite::{Connection, TransactionBehavior};

use super::{Inner, bookkeeping, broken, look::Found};
use crate::{
    failure::{DATABASE_REFUSED, MIGRATION_FAILED, foreign, rejected},
    migrations::Migration,
    names::TenantId,
};

impl Inner {
    /// Makes the migrations that are missing, each in a transaction of its own; answers the last one.
    pub(super) fn migrate(&self, tenant: &TenantId) -> Result<u64, Failure> {
        match self.look(tenant)? {
            Found::Absent => return Err(rejected(DATABASE_REFUSED, format_args!("tenant {tenant} has no database"))),
            Found::Foreign(whose) => return Err(foreign(tenant.as_str(), &whose)),
            Found::Ours(made) => {
                if self.options.migrations.missing(&made)?.is_empty() {
                    return Ok(self.options.migrations.last());
                }
            }
        }
        let sqlite = |error: rusqlite::Error| broken(tenant, &error);
        let mut connection = bookkeeping::open_to_write(&self.path(tenant), self.options.max_bytes).map_err(sqlite)?;
        let made = bookkeeping::made(&connection).map_err(sqlite)?;
        for migration in self.options.migrations.missing(&made)? {
            one(&mut connection, migration)
                .map_err(|error| rejected(MIGRATION_FAILED, format_args!("`{}` for tenant {tenant}: {error}", migration.name)))?;
        }
        connection.close().map_err(|(_, error)| sqlite(error))?;
        Ok(self.options.migrations.last())
    }
}

fn one(connection: &mut Connection, migration: &Migration) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another connection may have made it while this one waited.
    let made = bookkeeping::made(&transaction)?.iter().any(|(version, _)| *version == migration.version);
    if !made {
        bookkeeping::make(&transaction, migration)?;
    }
    transaction.commit()
}
