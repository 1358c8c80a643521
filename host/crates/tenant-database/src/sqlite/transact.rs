//! A guest's transaction in its tenant's file.

use std::time::Instant;

use rusqlite::{
    Connection, ErrorCode, OptionalExtension as _,
    hooks::{AuthAction, AuthContext, Authorization},
    types::{Null, ValueRef},
};

use super::{
    Inner,
    bookkeeping::{self, OWN},
    look::owner,
};
use crate::{
    names::TenantId,
    sql::{Answer, SqlError, Statement, Tally, Value, Work, note, noted},
};

/// After how many instructions of SQLite's machine the time is looked at.
const LOOK_AFTER: i32 = 10_000;

impl Inner {
    /// Makes a transaction, or none of it.
    pub(super) fn transact(&self, tenant: &TenantId, work: &Work) -> Result<Vec<Answer>, SqlError> {
        let path = self.path(tenant);
        if !path.is_file() {
            return Err(SqlError::Absent);
        }
        let mut connection = bookkeeping::open_to_write(&path, self.options.max_bytes).map_err(|error| told(&error))?;
        if owner(&connection).map_err(|error| told(&error))?.as_deref() != Some(tenant.as_str()) {
            return Err(SqlError::Absent);
        }
        bookkeeping::bound(&connection).map_err(|error| told(&error))?;
        let (begun, allowed) = (Instant::now(), self.options.statement_timeout);
        connection.progress_handler(LOOK_AFTER, Some(move || begun.elapsed() > allowed)).map_err(|error| told(&error))?;
        transact(&mut connection, work)
    }
}

/// What is not committed is rolled back when the connection is closed, which is at the end of the call.
fn transact(connection: &mut Connection, work: &Work) -> Result<Vec<Answer>, SqlError> {
    let begin = if work.reads { "BEGIN DEFERRED" } else { "BEGIN IMMEDIATE" };
    connection.execute_batch(begin).map_err(|error| told(&error))?;
    if !work.reads {
        let made = "SELECT changed FROM jackfield_transactions WHERE effect = ?1 AND name = ?2";
        let made = connection.query_row(made, [&work.effect, &work.name], |row| row.get::<_, String>(0)).optional();
        if let Some(made) = made.map_err(|error| told(&error))? {
            return noted(&made);
        }
    }
    connection.authorizer(Some(authorize)).map_err(|error| told(&error))?;
    let mut tally = Tally::default();
    let mut answers = Vec::with_capacity(work.statements.len());
    for (at, statement) in work.statements.iter().enumerate() {
        let answer = one(connection, statement, work.reads, &mut tally);
        answers.push(answer.map_err(|error| error.of_statement(at))?);
    }
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>).map_err(|error| told(&error))?;
    if !work.reads {
        let values = [&work.effect, &work.name, &note(&answers)];
        let noted = connection.execute("INSERT INTO jackfield_transactions (effect, name, changed) VALUES (?1, ?2, ?3)", values);
        noted.map_err(|error| told(&error))?;
    }
    connection.execute_batch("COMMIT").map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => SqlError::UnknownOutcome(error.to_string()),
        Some(_) | None => told(&error),
    })?;
    Ok(answers)
}

fn one(connection: &Connection, statement: &Statement, reads: bool, tally: &mut Tally) -> Result<Answer, SqlError> {
    let mut prepared = connection.prepare(&statement.sql).map_err(|error| told(&error))?;
    if reads && !prepared.readonly() {
        return Err(SqlError::Refused("a transaction that begins each statement with SELECT or VALUES can only read".to_owned()));
    }
    bind(&mut prepared, &statement.parameters)?;
    let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let before = connection.total_changes();
    let mut answer = Answer { columns, ..Answer::default() };
    let width = answer.columns.len();
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next().map_err(|error| told(&error))? {
        let cells = (0..width).map(|at| row.get_ref(at).map(value)).collect::<Result<Vec<_>, _>>().map_err(|error| told(&error))?;
        tally.row(answer.rows.len(), &cells)?;
        answer.rows.push(cells);
    }
    drop(rows);
    if !prepared.readonly() {
        answer.changed = if connection.total_changes() == before { 0 } else { connection.changes() };
    }
    Ok(answer)
}

/// Binds parameters by number. SQLite takes `$1` for a name, and would leave one out that has none.
fn bind(prepared: &mut rusqlite::Statement<'_>, parameters: &[Value]) -> Result<(), SqlError> {
    let named = prepared.parameter_count();
    if named != parameters.len() {
        return Err(SqlError::Refused(format!("it has {named} parameters, {} were given", parameters.len())));
    }
    for at in 1..=named {
        let name = prepared.parameter_name(at).unwrap_or("?").to_owned();
        let value = name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok()).and_then(|number| parameters.get(number.checked_sub(1)?));
        let value = value.ok_or_else(|| SqlError::Refused(format!("parameter `{name}` is none of `$1` to `${named}`")))?;
        let bound = match value {
            Value::Null => prepared.raw_bind_parameter(at, Null),
            Value::Boolean(flag) => prepared.raw_bind_parameter(at, flag),
            Value::Integer(number) => prepared.raw_bind_parameter(at, number),
            Value::Real(number) => prepared.raw_bind_parameter(at, number),
            Value::Text(text) => prepared.raw_bind_parameter(at, text),
        };
        bound.map_err(|error| told(&error))?;
    }
    Ok(())
}

fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::bytes(bytes),
    }
}

/// What a guest's statement may do: rows, tables, indexes and views, none of them the host's. Everything else leaves the file, or changes how it is kept.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not known to be harmless is denied")]
fn authorize(context: AuthContext<'_>) -> Authorization {
    let own = |name: &str| name.get(..OWN.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN));
    let allowed = match context.action {
        AuthAction::Select | AuthAction::Recursive | AuthAction::Reindex { .. } => true,
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::CreateTable { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateIndex { table_name, .. }
        | AuthAction::DropIndex { table_name, .. } => !own(table_name),
        AuthAction::CreateView { view_name } | AuthAction::DropView { view_name } => !own(view_name),
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

/// What a guest is told: SQLite speaks of its statement, not of files.
fn told(error: &rusqlite::Error) -> SqlError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => SqlError::Limit("the transaction took longer than the operator allows".to_owned()),
        Some(ErrorCode::TooBig | ErrorCode::OutOfMemory) => SqlError::Limit(format!("a value or a statement is too long: {error}")),
        Some(ErrorCode::DiskFull) => SqlError::Limit("the database is as large as the operator allows, or the disk is full".to_owned()),
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly,
        ) => SqlError::Unavailable(error.to_string()),
        _ => SqlError::Refused(error.to_string()),
    }
}
