//! What is there under a tenant's names.

use tokio_postgres::Client;

use super::{
    fault::Fault,
    names::{Names, tenant_of_mark},
};

const LOOK: &str = "
    SELECT n.oid IS NOT NULL, obj_description(n.oid, 'pg_namespace'), r.oid IS NOT NULL, shobj_description(r.oid, 'pg_authid'),
           to_regclass(format('%I.jackfield_migrations', $1::text)) IS NOT NULL, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    FROM (SELECT 1) AS one LEFT JOIN pg_namespace n ON n.nspname = $1::text LEFT JOIN pg_roles r ON r.rolname = $1::text";

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) state: State,
    pub(super) schema: bool,
    pub(super) role: bool,
    /// Whether the host's own role may do everything anyway.
    pub(super) superuser: bool,
}

#[derive(Debug)]
pub(super) enum State {
    Absent,
    /// The tenant's, with the migrations that were made; a part may be missing.
    Ours(Vec<(u64, String)>),
    /// Not the tenant's; says whose.
    Foreign(String),
}

/// Looks as the host's own role, without changing anything.
pub(super) async fn look(client: &Client, names: &Names) -> Result<Found, Fault> {
    let row = client.query_one(LOOK, &[&names.name]).await?;
    let (schema, role): (bool, bool) = (row.get(0), row.get(2));
    let marks: (Option<String>, Option<String>) = (row.get(1), row.get(3));
    let (bookkeeping, superuser): (bool, bool) = (row.get(4), row.get(5));
    let foreign = whose("schema", schema, marks.0, names).or_else(|| whose("role", role, marks.1, names));
    let state = match foreign {
        Some(whose) => State::Foreign(whose),
        None if !schema && !role => State::Absent,
        None if bookkeeping => State::Ours(made(client, names).await?),
        None => State::Ours(Vec::new()),
    };
    Ok(Found { state, schema, role, superuser })
}

impl Found {
    /// Whether nothing of it is missing but perhaps migrations.
    pub(super) fn is_whole(&self) -> bool {
        self.schema && self.role
    }
}

fn whose(what: &str, there: bool, mark: Option<String>, names: &Names) -> Option<String> {
    if !there {
        return None;
    }
    match mark.as_deref().map(tenant_of_mark) {
        Some(Some(tenant)) if tenant == names.tenant => None,
        Some(Some(tenant)) => Some(format!("the {what} {} is of tenant {tenant}", names.name)),
        Some(None) | None => Some(format!("the {what} {} was not made by this host", names.name)),
    }
}

/// What was made of migrations: numbers and checksums, in order.
pub(super) async fn made(client: &Client, names: &Names) -> Result<Vec<(u64, String)>, Fault> {
    let made = format!("SELECT version, checksum FROM {}.jackfield_migrations ORDER BY version", names.quoted());
    let rows = client.query(&made, &[]).await?;
    Ok(rows.iter().map(|row| (row.get::<_, i64>(0).unsigned_abs(), row.get(1))).collect())
}
