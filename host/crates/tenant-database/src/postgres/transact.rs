//! A guest's transaction in its tenant's schema, over a connection of its own as the tenant's role: what a guest sets there ends with it.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::{
    Inner,
    column::Cell,
    fault::{Fault, Kind},
    look::{State, look},
    names::Names,
    parameter::Parameter,
    settle::Ended,
};
use crate::sql::{Answer, MOST_BYTES, SqlError, Statement, Tally, Work, begins_with_a_read, note, noted};

/// How many bytes the server may send in a transaction: answers, and what is around them.
const READ_AT_MOST: usize = 8 * MOST_BYTES;
/// How much later than the server, which a guest can talk out of it, the host ends a statement.
const LATER: Duration = Duration::from_secs(1);

impl Inner {
    /// Makes a transaction, or none of it.
    pub(super) async fn transact(&self, names: &Names, password: &str, work: &Work) -> Result<Vec<Answer>, SqlError> {
        let _permit = self.guests.acquire().await.map_err(|error| SqlError::Unavailable(error.to_string()))?;
        let session = match self.server.connect_as(names, password, READ_AT_MOST).await {
            Ok(session) => session,
            Err(fault) if fault.kind == Kind::NotAuthorised => return Err(self.why_not(names, fault).await),
            Err(fault) => return Err(fault.told()),
        };
        // Dropped, the connection ends, and what was not committed with it.
        match self.work(&session.client, names, work).await {
            Err(SqlError::Unavailable(_)) if session.was_exceeded() => {
                Err(SqlError::Limit(format!("the server sent more than the {READ_AT_MOST} bytes that a transaction may take")))
            }
            other => other,
        }
    }

    /// Who is not let in has no database, or not the password that it should have.
    async fn why_not(&self, names: &Names, fault: Fault) -> SqlError {
        let look = async {
            let lent = self.lend().await?;
            let found = look(&lent.session.client, names).await?;
            lent.give_back();
            Ok::<_, Fault>(found)
        };
        match look.await {
            Ok(found) if matches!(found.state, State::Absent | State::Foreign(_)) || !found.is_whole() => SqlError::Absent,
            Ok(_) => SqlError::Unavailable(fault.message),
            Err(fault) => fault.told(),
        }
    }

    async fn work(&self, client: &Client, names: &Names, work: &Work) -> Result<Vec<Answer>, SqlError> {
        let told = |error: tokio_postgres::Error| Fault::from(error).told();
        let begin = if work.reads { "BEGIN READ ONLY" } else { "BEGIN" };
        client.batch_execute(begin).await.map_err(told)?;
        let process: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.map_err(told)?.get(0);
        if !work.reads
            && let Some(made) = made(client, names, work).await?
        {
            return noted(&made);
        }
        let mut tally = Tally::default();
        let mut answers = Vec::with_capacity(work.statements.len());
        for (at, statement) in work.statements.iter().enumerate() {
            let answer = timeout(self.options.statement_timeout + LATER, one(client, statement, &mut tally)).await;
            let Ok(answer) = answer else {
                self.end(process).await;
                return Err(SqlError::Limit("it took longer than the operator allows".to_owned()).of_statement(at));
            };
            answers.push(answer.map_err(|error| error.of_statement(at))?);
        }
        if !work.reads {
            let insert = format!("INSERT INTO {}.jackfield_transactions (effect, name, changed) VALUES ($1, $2, $3)", names.quoted());
            client.execute(&insert, &[&work.effect, &work.name, &note(&answers)]).await.map_err(told)?;
        }
        match self.commit(client).await {
            Ended::Committed => Ok(answers),
            Ended::Not(fault) => Err(fault.told()),
            Ended::Unknown(fault) => Err(SqlError::UnknownOutcome(fault.message)),
        }
    }

    /// Ends a process of the server that goes on with what nobody waits for.
    async fn end(&self, process: i32) {
        if let Ok(lent) = self.lend().await
            && lent.session.client.execute("SELECT pg_terminate_backend($1)", &[&process]).await.is_ok()
        {
            lent.give_back();
        }
    }
}

/// What was noted of the transaction, if it was made. Whoever asks for the same meanwhile waits.
async fn made(client: &Client, names: &Names, work: &Work) -> Result<Option<String>, SqlError> {
    let told = |error: tokio_postgres::Error| Fault::from(error).told();
    let key = format!("jackfield:transaction:{}:{}:{}", names.name, work.effect, work.name);
    let locked = client.query("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))", &[&key]).await;
    locked.map_err(|error| SqlError::Unavailable(format!("the same transaction is being made: {}", Fault::from(error).message)))?;
    let select = format!("SELECT changed FROM {}.jackfield_transactions WHERE effect = $1 AND name = $2", names.quoted());
    Ok(client.query_opt(&select, &[&work.effect, &work.name]).await.map_err(told)?.map(|row| row.get(0)))
}

async fn one(client: &Client, statement: &Statement, tally: &mut Tally) -> Result<Answer, SqlError> {
    let told = |error: tokio_postgres::Error| Fault::from(error).told();
    // Takes one statement only: the server refuses several in one text.
    let prepared = client.prepare(&statement.sql).await.map_err(told)?;
    if prepared.params().len() != statement.parameters.len() {
        let (named, given) = (prepared.params().len(), statement.parameters.len());
        return Err(SqlError::Refused(format!("it has {named} parameters, {given} were given")));
    }
    if let Some(column) = prepared.columns().iter().find(|column| !<Cell as tokio_postgres::types::FromSql<'_>>::accepts(column.type_())) {
        return Err(SqlError::Refused(format!("column `{}` is of the type `{}`: cast it to text", column.name(), column.type_().name())));
    }
    let columns: Vec<String> = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
    let mut answer = Answer { columns, ..Answer::default() };
    let parameters: Vec<Parameter<'_>> = statement.parameters.iter().map(Parameter).collect();
    let rows = client.query_raw(&prepared, parameters).await.map_err(told)?;
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.try_next().await.map_err(told)? {
        let cells = (0..row.len()).map(|at| row.try_get::<_, Cell>(at).map(|cell| cell.0)).collect::<Result<Vec<_>, _>>().map_err(told)?;
        tally.row(answer.rows.len(), &cells)?;
        answer.rows.push(cells);
    }
    if !begins_with_a_read(&statement.sql, !answer.columns.is_empty()) {
        answer.changed = rows.rows_affected().unwrap_or_default();
    }
    Ok(answer)
}
