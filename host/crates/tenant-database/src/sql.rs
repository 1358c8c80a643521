//! The interface `jackfield:tenant/sql`: the database of the tenant that a run is about, for plugins that fill it. The guest has no address and no
//! password; which database it is follows from the run.

mod form;
mod guard;

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use engine::port::{CallScope, HostInterface, HostInterfaceError};
use pipeline::TenantName;
use serde_json::{Value as Json, json};

pub(crate) use self::{
    form::{Answer, SqlError, Statement, Value, note, noted},
    guard::begins_with_a_read,
};
use crate::{
    account::{Account, TenantOf},
    names::TenantId,
};

/// The interface with its version.
const NAME: &str = "jackfield:tenant/sql@1.0.0";
/// The contract whose plugins may use it.
const SEED: &str = "jackfield:tenant/seed@1.";

/// How many transactions a call may make.
const MOST_TRANSACTIONS: u32 = 64;
/// How many statements a transaction may have.
const MOST_STATEMENTS: usize = 256;
/// How long a statement may be with its parameters, in bytes.
const LONGEST_STATEMENT: usize = 65_536;
/// How many rows an answer may have.
pub(crate) const MOST_ROWS: usize = 1_000;
/// How many bytes the answers of a transaction may have together.
pub(crate) const MOST_BYTES: usize = 1_048_576;
/// How many calls are counted at once.
const COUNTED_CALLS: usize = 4_096;

/// A transaction that a guest asks for.
#[derive(Debug, Clone)]
pub struct Work {
    /// The effect that it is a part of.
    pub(crate) effect: String,
    /// Which part.
    pub(crate) name: String,
    pub(crate) statements: Vec<Statement>,
    /// Whether no statement can change anything: such a transaction is not noted and may be made again.
    pub(crate) reads: bool,
}

/// Databases that transactions are made in: implemented by the databases of this crate.
#[async_trait]
pub trait TenantSql: fmt::Debug + Send + Sync + sealed::Sealed {
    /// Makes a transaction in the database of a tenant, or none of it.
    #[doc(hidden)]
    async fn transaction(&self, owner: &TenantName, account: &Account, work: Work) -> Result<Vec<Answer>, SqlError>;
}

pub(crate) mod sealed {
    /// Implemented in this crate only.
    pub trait Sealed {}
}

/// The interface.
#[derive(Debug)]
pub struct Sql {
    databases: Arc<dyn TenantSql>,
    tenants: Arc<dyn TenantOf>,
    calls: Mutex<VecDeque<(String, u32)>>,
}

impl Sql {
    /// The interface over these databases; `tenants` says whose a run is.
    pub fn new(databases: Arc<dyn TenantSql>, tenants: Arc<dyn TenantOf>) -> Self {
        Self { databases, tenants, calls: Mutex::default() }
    }

    async fn transaction(&self, scope: &CallScope, name: String, statements: Vec<Statement>) -> Result<Vec<Answer>, SqlError> {
        check(&name, &statements)?;
        self.count(scope)?;
        let reads = guard::admit(&statements)?;
        let account = self.tenants.tenant_of(&scope.run).await.map_err(SqlError::Unavailable)?.ok_or(SqlError::Absent)?;
        TenantId::parse(&account.tenant).map_err(|failure| SqlError::Refused(failure.message))?;
        let work = Work { effect: scope.key.as_str().to_owned(), name, statements, reads };
        self.databases.transaction(&scope.tenant, &account, work).await
    }

    /// A call is known by its span, which no other has.
    fn count(&self, scope: &CallScope) -> Result<(), SqlError> {
        let call = format!("{}/{}", scope.run.as_str(), scope.span.span_id);
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = calls.iter_mut().rev().find(|(known, _)| *known == call) {
            *made += 1;
            return within("transactions in a call", *made as usize, MOST_TRANSACTIONS as usize);
        }
        if calls.len() == COUNTED_CALLS {
            calls.pop_front();
        }
        calls.push_back((call, 1));
        Ok(())
    }
}

#[async_trait]
impl HostInterface for Sql {
    fn name(&self) -> &str {
        NAME
    }

    fn wit(&self) -> &str {
        include_str!("../../../../wit/tenant/sql.wit")
    }

    async fn call(&self, scope: &CallScope, function: &str, arguments: Vec<Json>) -> Result<Json, HostInterfaceError> {
        let wrong = |message: String| HostInterfaceError { interface: NAME.to_owned(), function: function.to_owned(), message };
        if !scope.contract.starts_with(SEED) {
            return Err(wrong(format!("only plugins of `jackfield:tenant/seed` may use it, this call is of `{}`", scope.contract)));
        }
        let ("transaction", Ok([name, statements])) = (function, <[Json; 2]>::try_from(arguments)) else {
            return Err(wrong("expected `transaction` with a name and statements".to_owned()));
        };
        let name = serde_json::from_value(name).map_err(|error| wrong(format!("the name does not fit: {error}")))?;
        let statements = serde_json::from_value(statements).map_err(|error| wrong(format!("the statements do not fit: {error}")))?;
        Ok(match self.transaction(scope, name, statements).await {
            Ok(answers) => json!({ "ok": answers }),
            Err(error) => json!({ "err": error }),
        })
    }
}

fn check(name: &str, statements: &[Statement]) -> Result<(), SqlError> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
        return Err(SqlError::Refused("a transaction's name has 1 to 64 characters of `[a-z0-9_.-]`".to_owned()));
    }
    within("statements in a transaction", statements.len(), MOST_STATEMENTS)?;
    statements.iter().try_for_each(|statement| within("bytes in a statement with its parameters", statement.size(), LONGEST_STATEMENT))
}

/// Refuses what is more than a limit.
pub(crate) fn within(what: &str, found: usize, limit: usize) -> Result<(), SqlError> {
    if found > limit { Err(SqlError::Limit(format!("{found} {what}, at most {limit} are allowed"))) } else { Ok(()) }
}

/// Counts what answers hold, so that no guest makes the host keep more than it may.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    bytes: usize,
}

impl Tally {
    /// Takes a row of an answer that has `rows` already.
    pub(crate) fn row(&mut self, rows: usize, row: &[Value]) -> Result<(), SqlError> {
        within("rows in an answer", rows + 1, MOST_ROWS)?;
        self.bytes += row.iter().map(Value::size).sum::<usize>();
        within("bytes in the answers of a transaction", self.bytes, MOST_BYTES)
    }
}
