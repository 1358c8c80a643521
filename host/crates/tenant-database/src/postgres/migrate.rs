//! Bringing a tenant's schema to the last migration.

use std::time::Duration;

use pipeline::Failure;
use tokio_postgres::Client;

use super::{
    Inner,
    fault::{Fault, Kind},
    look::{State, look, made},
    names::Names,
    settle::Ended,
};
use crate::{
    failure::{DATABASE_REFUSED, MIGRATION_FAILED, foreign, held, rejected, unavailable, unknown},
    migrations::Migration,
};

impl Inner {
    /// Makes the migrations that are missing, each in a transaction of its own and as the tenant's role; answers the last one.
    pub(super) async fn migrate(&self, names: &Names, password: &str) -> Result<u64, Failure> {
        let fault = |fault: Fault| fault.failure();
        let lent = self.lend().await.map_err(fault)?;
        let found = look(&lent.session.client, names).await.map_err(fault)?;
        lent.give_back();
        let last = self.options.migrations.last();
        match &found.state {
            State::Absent => return Err(rejected(DATABASE_REFUSED, format_args!("tenant {} has no database", names.tenant))),
            State::Foreign(whose) => return Err(foreign(&names.tenant, whose)),
            State::Ours(made) if self.options.migrations.missing(made)?.is_empty() => return Ok(last),
            State::Ours(_) => {}
        }
        let session = self.server.connect_as(names, password, usize::MAX).await.map_err(fault)?;
        while self.next(&session.client, names).await? {}
        Ok(last)
    }

    /// Makes the next migration that is missing; `false` when none is.
    async fn next(&self, client: &Client, names: &Names) -> Result<bool, Failure> {
        let fault = |error: tokio_postgres::Error| Fault::from(error).failure();
        client.batch_execute("BEGIN").await.map_err(fault)?;
        // The lock is this tenant's: others are migrated meanwhile.
        let lock = "SELECT pg_try_advisory_xact_lock(hashtextextended('jackfield:migrate:' || $1::text, 0))";
        if !client.query_one(lock, &[&names.name]).await.map_err(fault)?.get::<_, bool>(0) {
            return Err(unavailable(format_args!("the database of tenant {} is being migrated by another", names.tenant)));
        }
        let made = made(client, names).await.map_err(|fault| fault.failure())?;
        let missing = self.options.migrations.missing(&made)?;
        let Some(migration) = missing.first() else {
            client.batch_execute("ROLLBACK").await.map_err(fault)?;
            return Ok(false);
        };
        one(client, names, migration, self.options.migration_timeout).await?;
        match self.commit(client).await {
            Ended::Committed => Ok(true),
            Ended::Not(fault) => Err(failed(names, migration, &fault)),
            Ended::Unknown(fault) => Err(unknown(format_args!("`{}` for tenant {}: {}", migration.name, names.tenant, fault.message))),
        }
    }
}

/// Makes a migration in the transaction that is open, as the role that is set.
pub(super) async fn one(client: &Client, names: &Names, migration: &Migration, timeout: Duration) -> Result<(), Failure> {
    let tell = |error: tokio_postgres::Error| failed(names, migration, &Fault::from(error));
    let current = "SELECT pg_current_xact_id()::text";
    let before: String = client.query_one(current, &[]).await.map_err(tell)?.get(0);
    let settings = format!(
        "SET LOCAL statement_timeout = {0}; SET LOCAL lock_timeout = {0}; SET LOCAL search_path = {1}, pg_temp",
        timeout.as_millis(),
        names.quoted()
    );
    client.batch_execute(&settings).await.map_err(tell)?;
    client.batch_execute(&migration.sql).await.map_err(tell)?;
    let after: String = client.query_one(current, &[]).await.map_err(tell)?.get(0);
    if before != after {
        return Err(held(
            MIGRATION_FAILED,
            format_args!("`{}` ends the transaction that it is made in; something of it may be left", migration.name),
        ));
    }
    let note = format!("INSERT INTO {}.jackfield_migrations (version, name, checksum) VALUES ($1, $2, $3)", names.quoted());
    let version = i64::try_from(migration.version).unwrap_or(i64::MAX);
    client.execute(&note, &[&version, &migration.name, &migration.checksum]).await.map_err(tell)?;
    Ok(())
}

fn failed(names: &Names, migration: &Migration, fault: &Fault) -> Failure {
    match fault.kind {
        Kind::Lost | Kind::Unavailable => fault.failure(),
        Kind::TimedOut | Kind::NotAuthorised | Kind::Refused => {
            rejected(MIGRATION_FAILED, format_args!("`{}` for tenant {}: {}", migration.name, names.tenant, fault.message))
        }
    }
}
