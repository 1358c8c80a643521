//! Making a tenant's schema and role, and taking them away.

use std::sync::atomic::{AtomicBool, Ordering};

use pipeline::Failure;
use tokio_postgres::Client;

use super::{
    Inner,
    fault::Fault,
    look::{Found, State, look},
    migrate,
    names::{Names, literal},
    settle::Ended,
};
use crate::{
    contract::DatabaseReceipt,
    failure::{DATABASE_FOREIGN, foreign, held, unavailable, unknown},
};

/// How many connections a tenant's role may have.
const CONNECTIONS: u32 = 50;

/// How far a call has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Whether the server was told to change something.
    pub(super) sent: AtomicBool,
}

impl Progress {
    fn changes(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }
}

impl Inner {
    /// Makes what is missing, in one transaction when nothing is there. What is there is set as it must be.
    pub(super) async fn apply(&self, names: &Names, password: &str, effect: &str, progress: &Progress) -> Result<DatabaseReceipt, Failure> {
        let fault = |fault: Fault| fault.failure();
        let lent = self.lend().await.map_err(fault)?;
        let client = &lent.session.client;
        begin(client, names).await?;
        let found = look(client, names).await.map_err(fault)?;
        let made = match &found.state {
            State::Foreign(whose) => return Err(foreign(&names.tenant, whose)),
            State::Absent => Vec::new(),
            State::Ours(made) => made.clone(),
        };
        let missing = self.options.migrations.missing(&made)?;
        progress.changes();
        client.batch_execute(&self.statements(names, password, effect, &found)).await.map_err(|error| fault(error.into()))?;
        // In a schema that was there before, code of the tenant may wait; that is entered as the tenant only.
        let fresh = !found.schema;
        if fresh && !missing.is_empty() {
            let enter = format!("SET LOCAL ROLE {}; SET LOCAL search_path = {0}, pg_temp", names.quoted());
            client.batch_execute(&enter).await.map_err(|error| fault(error.into()))?;
            for migration in &missing {
                migrate::one(client, names, migration, self.options.migration_timeout).await?;
            }
        }
        match self.commit(client).await {
            Ended::Committed => {}
            Ended::Not(fault) => return Err(fault.failure()),
            Ended::Unknown(fault) => return Err(unknown(format_args!("the database of tenant {}: {}", names.tenant, fault.message))),
        }
        if !lent.session.client.is_closed() {
            // The role that was entered ended with the transaction.
            lent.give_back();
        }
        if !fresh && !missing.is_empty() {
            self.migrate(names, password).await?;
        }
        Ok(self.receipt(names, self.options.migrations.last()))
    }

    /// Removes schema and role with all that is theirs. What is gone already is fine; what is another's stays.
    pub(super) async fn undo(&self, names: &Names, progress: &Progress) -> Result<(), Failure> {
        let fault = |fault: Fault| fault.failure();
        let lent = self.lend().await.map_err(fault)?;
        let client = &lent.session.client;
        let found = look(client, names).await.map_err(fault)?;
        if let State::Foreign(whose) = &found.state {
            return Err(held(DATABASE_FOREIGN, format_args!("the database of tenant {} is not removed: {whose}", names.tenant)));
        }
        if found.schema || found.role {
            progress.changes();
            let role = names.quoted();
            if found.role {
                // Nobody comes in any more, and who is in goes, so that no lock of theirs is waited for.
                client.batch_execute(&format!("ALTER ROLE {role} NOLOGIN")).await.map_err(|error| fault(error.into()))?;
                let away = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1::text";
                client.query(away, &[&names.name]).await.map_err(|error| fault(error.into()))?;
            }
            begin(client, names).await?;
            let mut statements = format!("DROP SCHEMA IF EXISTS {role} CASCADE;");
            if found.role {
                statements.push_str(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role};"));
            }
            client.batch_execute(&statements).await.map_err(|error| fault(error.into()))?;
            match self.commit(client).await {
                Ended::Committed => {}
                Ended::Not(fault) => return Err(fault.failure()),
                Ended::Unknown(fault) => return Err(unknown(format_args!("removing the database of tenant {}: {}", names.tenant, fault.message))),
            }
        }
        if !lent.session.client.is_closed() {
            lent.give_back();
        }
        Ok(())
    }

    /// What makes and sets role, schema and the host's tables. Where a part is there, only its settings are made again.
    fn statements(&self, names: &Names, password: &str, effect: &str, found: &Found) -> String {
        let (name, mark) = (names.quoted(), literal(&names.mark(effect)));
        // The server keeps no more of a password than this, and hears no more.
        let verifier = literal(&postgres_protocol::password::scram_sha_256(password.as_bytes()));
        let timeout = self.options.statement_timeout.as_millis();
        let verb = if found.role { "ALTER" } else { "CREATE" };
        let mut sql = format!("{verb} ROLE {name} LOGIN NOINHERIT CONNECTION LIMIT {CONNECTIONS} PASSWORD {verifier};");
        if !found.role {
            sql.push_str(&format!("COMMENT ON ROLE {name} IS {mark};"));
        }
        if !found.superuser {
            sql.push_str(&format!("GRANT {name} TO CURRENT_USER;"));
        }
        if !found.schema {
            sql.push_str(&format!("CREATE SCHEMA {name}; COMMENT ON SCHEMA {name} IS {mark};"));
        }
        sql.push_str(&format!(
            "ALTER ROLE {name} SET search_path = {name}, pg_temp;
             ALTER ROLE {name} SET statement_timeout = {timeout};
             ALTER ROLE {name} SET lock_timeout = {timeout};
             ALTER ROLE {name} SET idle_in_transaction_session_timeout = {};
             GRANT USAGE, CREATE ON SCHEMA {name} TO {name};
             CREATE TABLE IF NOT EXISTS {name}.jackfield_migrations (version bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL);
             CREATE TABLE IF NOT EXISTS {name}.jackfield_transactions (effect text, name text, changed text NOT NULL, PRIMARY KEY (effect, name));
             GRANT SELECT, INSERT ON {name}.jackfield_migrations, {name}.jackfield_transactions TO {name};",
            timeout * 2
        ));
        sql
    }

    pub(super) fn receipt(&self, names: &Names, migrations: u64) -> DatabaseReceipt {
        DatabaseReceipt {
            system: "postgresql".to_owned(),
            tenant: names.tenant.clone(),
            database: self.server.database().to_owned(),
            schema: names.name.clone(),
            role: names.name.clone(),
            migrations,
            address: self.server.address(),
        }
    }
}

/// Begins a transaction about a tenant; there is one at a time.
async fn begin(client: &Client, names: &Names) -> Result<(), Failure> {
    let fault = |error: tokio_postgres::Error| Fault::from(error).failure();
    client.batch_execute("BEGIN").await.map_err(fault)?;
    let lock = "SELECT pg_try_advisory_xact_lock(hashtextextended('jackfield:tenant:' || $1::text, 0))";
    if client.query_one(lock, &[&names.name]).await.map_err(fault)?.get::<_, bool>(0) {
        return Ok(());
    }
    Err(unavailable(format_args!("another call is at work on the database of tenant {}", names.tenant)))
}
