//! Calls as the engine and the runtime make them.
#![allow(dead_code, reason = "not every test file uses all of it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, CallScope, HostInterface as _, Observed, Runner, Secrets, SecretsError, SpanContext, Verb};
use pipeline::{AttemptId, Direction, Failure, IdempotencyKey, ItemId, PipelineName, Revision, RunId, TenantName};
use serde_json::{Value, json};
use tenant_database::{Account, Sql, TenantOf, TenantSql};
use zeroize::Zeroizing;

/// Handles that are texts with a mark before them.
#[derive(Debug)]
pub(crate) struct MarkedSecrets;

pub(crate) fn sealed(text: &str) -> String {
    format!("sealed:{text}")
}

impl Secrets for MarkedSecrets {
    fn seal(&self, _tenant: &TenantName, text: &str) -> Result<String, SecretsError> {
        Ok(sealed(text))
    }

    fn open(&self, _tenant: &TenantName, _run: Option<&RunId>, handle: &str) -> Result<Zeroizing<String>, SecretsError> {
        handle.strip_prefix("sealed:").map(|text| Zeroizing::new(text.to_owned())).ok_or(SecretsError::Unknown)
    }
}

pub(crate) fn owner() -> TenantName {
    TenantName::new("operator").unwrap()
}

/// The run that is about a tenant.
fn run(tenant: &str) -> RunId {
    let digits: String = tenant.bytes().chain([0; 16]).take(16).map(|byte| format!("{byte:02x}")).collect();
    RunId::new(format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])).unwrap()
}

fn span(call: &str) -> SpanContext {
    SpanContext { trace_id: "1".repeat(32), span_id: call.to_owned(), sampled: true, trace_state: String::new() }
}

fn key(name: &str, direction: Direction) -> IdempotencyKey {
    let item = ItemId { step: pipeline::StepName::new("database").unwrap(), item: 0, round: 0 };
    IdempotencyKey::derive(&owner(), &run(name), &item, direction)
}

/// A call of the provider about a tenant.
pub(crate) async fn call(runner: &dyn Runner, verb: Verb, tenant: &str, password: &str) -> CallReport {
    let direction = if matches!(verb, Verb::Undo { .. }) { Direction::Undo } else { Direction::Do };
    let item = ItemId { step: pipeline::StepName::new("database").unwrap(), item: 0, round: 0 };
    let call = Call {
        tenant: owner(),
        run: run("t-1"),
        pipeline: PipelineName::new("tenant").unwrap(),
        revision: Revision::new("0".repeat(64)).unwrap(),
        attempt: AttemptId { item, direction, attempt: 1 },
        label: "database".to_owned(),
        key: key("t-1", direction),
        pin: Arc::new(tenant_database::SqliteRunner::pin()),
        verb,
        request: Arc::new(json!({ "tenant": tenant, "password": password })),
        must_understand: &[],
        timeout: Duration::from_secs(30),
        callback: None,
        span: span("0000000000000001"),
    };
    runner.call(call).await
}

pub(crate) async fn apply(runner: &dyn Runner, tenant: &str) -> Result<Value, Failure> {
    match call(runner, Verb::Apply, tenant, &sealed("pass'word")).await.answer {
        Ok(Answer::Done(receipt)) => Ok(receipt),
        Ok(other) => panic!("{other:?}"),
        Err(failure) => Err(failure),
    }
}

pub(crate) async fn observe(runner: &dyn Runner, tenant: &str) -> Observed {
    let answer = call(runner, Verb::Observe, tenant, &sealed("pass'word")).await.answer.unwrap();
    let Answer::Observed(observed) = answer else { panic!("{answer:?}") };
    observed
}

pub(crate) async fn undo(runner: &dyn Runner, receipt: &Value) -> Result<(), Failure> {
    let verb = Verb::Undo { receipt: Arc::new(receipt.clone()) };
    call(runner, verb, "unused", "unused").await.answer.map(|answer| assert_eq!(answer, Answer::Undone))
}

/// Each run is about the tenant of its name in here.
#[derive(Debug, Default)]
pub(crate) struct Runs(pub(crate) HashMap<RunId, Account>);

#[async_trait]
impl TenantOf for Runs {
    async fn tenant_of(&self, run: &RunId) -> Result<Option<Account>, String> {
        Ok(self.0.get(run).cloned())
    }
}

/// A guest that speaks through the interface.
#[derive(Debug)]
pub(crate) struct Guest {
    sql: Sql,
}

impl Guest {
    /// A guest whose runs are about these tenants.
    pub(crate) fn new(databases: Arc<dyn TenantSql>, tenants: &[&str]) -> Self {
        let account = |tenant: &&str| Account { tenant: (*tenant).to_owned(), password: sealed("pass'word") };
        let runs = tenants.iter().map(|tenant| (run(tenant), account(tenant))).collect();
        Self { sql: Sql::new(databases, Arc::new(Runs(runs))) }
    }

    /// One call of `transaction`, in the plugin call that is called so.
    pub(crate) async fn in_call(&self, called: &str, contract: &str, tenant: &str, arguments: Vec<Value>) -> Result<Value, String> {
        let scope = CallScope {
            plugin: "seed-templates".to_owned(),
            contract: contract.to_owned(),
            tenant: owner(),
            run: run(tenant),
            key: key(tenant, Direction::Do),
            span: span(called),
        };
        self.sql.call(&scope, "transaction", arguments).await.map_err(|error| error.to_string())
    }

    /// A transaction of statements without parameters or with them.
    pub(crate) async fn transaction(&self, tenant: &str, name: &str, statements: &[(&str, Value)]) -> Value {
        let statements: Vec<Value> = statements.iter().map(|(sql, parameters)| json!({ "sql": sql, "parameters": parameters })).collect();
        // Every transaction is in a call of its own: no limit of a call is met.
        let called = format!("{name}-{}", statements.len());
        self.in_call(&called, "jackfield:tenant/seed@1.0.0", tenant, vec![json!(name), json!(statements)]).await.unwrap()
    }

    /// A transaction of one statement without parameters.
    pub(crate) async fn one(&self, tenant: &str, name: &str, sql: &str) -> Value {
        self.transaction(tenant, name, &[(sql, json!([]))]).await
    }
}
