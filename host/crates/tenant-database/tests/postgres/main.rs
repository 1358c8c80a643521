//! The provider `postgres` and the interface over it, against a real server that the tests start.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod guests;
mod losses;
mod migrating;
mod proxy;
mod reaching;

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use common::{MarkedSecrets, apply, call, observe, sealed, undo};
use engine::port::{Observed, Verb};
use pipeline::FailureClass;
use serde_json::json;
use servers::Postgres;
use tenant_database::{
    AddressError, DATABASE_FOREIGN, DATABASE_REFUSED, DATABASE_UNAVAILABLE, Migrations, NOT_AUTHORISED, PostgresDatabases, PostgresOptions,
    PostgresRunner,
};

/// One server for all tests; each has tenants of its own.
static SERVER: LazyLock<Postgres> = LazyLock::new(|| Postgres::start().unwrap());

const TABLES: &str = "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, text text NOT NULL, done boolean, weight float8);";

fn migrations(more: &[(&str, &str)]) -> Migrations {
    Migrations::of([("0001_notes.sql", TABLES)].into_iter().chain(more.iter().copied())).unwrap()
}

fn at(address: &str, more: &[(&str, &str)]) -> PostgresRunner {
    let mut options = PostgresOptions::new(address, migrations(more));
    options.statement_timeout = Duration::from_secs(2);
    PostgresRunner(PostgresDatabases::new(options, Arc::new(MarkedSecrets)).unwrap())
}

fn address() -> String {
    format!("{}?sslmode=disable", SERVER.admin_dsn())
}

fn open(more: &[(&str, &str)]) -> PostgresRunner {
    at(&address(), more)
}

#[tokio::test]
async fn schema_and_role_are_made_once_seen_and_taken_away_twice() {
    let runner = open(&[]);
    assert_eq!(observe(&runner, "t-1").await, Observed::Absent);
    let receipt = apply(&runner, "t-1").await.unwrap();
    let address = format!("127.0.0.1:{}", SERVER.port());
    let expected = json!({
        "system": "postgresql", "tenant": "t-1", "database": "postgres", "schema": "t_t_1", "role": "t_t_1", "migrations": 1, "address": address
    });
    assert_eq!(receipt, expected);
    let as_tenant = |sql: &str| SERVER.psql_as("t_t_1", "pass'word", "postgres", sql).unwrap();
    assert_eq!(as_tenant("INSERT INTO notes (text) VALUES ('kept') RETURNING text"), "kept");
    assert_eq!(as_tenant("SHOW search_path"), "t_t_1, pg_temp");
    assert_eq!(as_tenant("SHOW statement_timeout"), "2s");
    assert_eq!(apply(&runner, "t-1").await.unwrap(), receipt);
    assert_eq!(as_tenant("SELECT text FROM notes"), "kept");
    assert_eq!(observe(&runner, "t-1").await, Observed::Ours(receipt.clone()));
    undo(&runner, &receipt).await.unwrap();
    undo(&runner, &receipt).await.unwrap();
    assert_eq!(observe(&runner, "t-1").await, Observed::Absent);
    let left = "SELECT count(*) FROM pg_namespace n FULL JOIN pg_roles r ON n.nspname = r.rolname WHERE n.nspname = 't_t_1' OR r.rolname = 't_t_1'";
    assert_eq!(SERVER.psql(left).unwrap(), "0");
    apply(&runner, "t-1").await.unwrap();
}

#[tokio::test]
async fn what_is_not_the_tenants_is_neither_taken_nor_removed() {
    let runner = open(&[]);
    SERVER.psql("CREATE SCHEMA t_schema_only; CREATE TABLE t_schema_only.kept ()").unwrap();
    SERVER.psql("CREATE ROLE t_role_only").unwrap();
    let mut receipt = apply(&runner, "same-name").await.unwrap();
    for (tenant, schema) in [("schema_only", "t_schema_only"), ("role-only", "t_role_only"), ("same_name", "t_same_name")] {
        assert!(matches!(observe(&runner, tenant).await, Observed::Foreign(_)), "{tenant}");
        assert_eq!(apply(&runner, tenant).await.unwrap_err().error_type, DATABASE_FOREIGN, "{tenant}");
        receipt["tenant"] = json!(tenant);
        receipt["schema"] = json!(schema);
        let failure = undo(&runner, &receipt).await.unwrap_err();
        assert_eq!((failure.class, failure.error_type.as_str()), (FailureClass::Held, DATABASE_FOREIGN), "{tenant}");
    }
    assert_eq!(SERVER.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 't_schema_only'").unwrap(), "1");
    assert_eq!(SERVER.psql("SELECT count(*) FROM pg_roles WHERE rolname = 't_role_only'").unwrap(), "1");
    assert!(matches!(observe(&runner, "same-name").await, Observed::Ours(_)));
}

#[tokio::test]
async fn no_field_of_a_request_is_sql() {
    let runner = open(&[]);
    for tenant in ["", "a\"; DROP SCHEMA public; --", "a'; --", "a\\", "a.b", "A", &"a".repeat(62)] {
        let report = call(&runner, Verb::Apply, tenant, &sealed("x")).await;
        assert_eq!((report.answer.unwrap_err().error_type.as_str(), report.sent), (DATABASE_REFUSED, false), "{tenant}");
    }
    let report = call(&runner, Verb::Apply, "t-quotes", &sealed("'; ALTER ROLE t_t_quotes SUPERUSER; --\\\"$$")).await;
    assert!(report.answer.is_ok() && report.sent);
    let who = SERVER.psql_as(
        "t_t_quotes",
        "'; ALTER ROLE t_t_quotes SUPERUSER; --\\\"$$",
        "postgres",
        "SELECT current_user, current_setting('is_superuser')",
    );
    assert_eq!(who.unwrap(), "t_t_quotes|off");
    let failure = call(&runner, Verb::Apply, "t-sealed", "not sealed").await.answer.unwrap_err();
    assert_eq!(failure.class, FailureClass::Held);
    assert!(!SERVER.log().contains("SUPERUSER; --"), "the password is in the server's log");
}

#[tokio::test]
async fn asked_for_again_with_another_password_only_that_one_opens() {
    let runner = open(&[]);
    apply(&runner, "t-turn").await.unwrap();
    let report = call(&runner, Verb::Apply, "t-turn", &sealed("another")).await;
    assert!(report.answer.is_ok());
    SERVER.psql_as("t_t_turn", "pass'word", "postgres", "SELECT 1").unwrap_err();
    SERVER.psql_as("t_t_turn", "another", "postgres", "SELECT 1").unwrap();
    // The test's guest has the old one: it is told that the database cannot be entered, not that there is none.
    let guest = common::Guest::new(Arc::new(runner.0), &["t-turn"]);
    assert!(guest.one("t-turn", "look", "SELECT 1").await["err"]["unavailable"].is_string());
}

#[tokio::test]
async fn a_role_that_may_make_roles_is_enough() {
    SERVER.psql("CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'maker'; GRANT CREATE ON DATABASE postgres TO maker").unwrap();
    let address = format!("{}?sslmode=disable", SERVER.dsn("maker", "maker", "postgres"));
    let receipt = apply(&at(&address, &[]), "t-maker").await.unwrap();
    SERVER.psql_as("t_t_maker", "pass'word", "postgres", "INSERT INTO notes (text) VALUES ('a')").unwrap();
    let later = at(&address, &[("0002_more.sql", "ALTER TABLE notes ADD COLUMN more text")]);
    assert!(matches!(observe(&later, "t-maker").await, Observed::Drifted(_)));
    assert_eq!(apply(&later, "t-maker").await.unwrap()["migrations"], 2);
    undo(&later, &receipt).await.unwrap();
    assert_eq!(observe(&later, "t-maker").await, Observed::Absent);
}

#[tokio::test]
async fn a_part_that_somebody_took_away_is_seen_and_made_again() {
    let runner = open(&[]);
    let receipt = apply(&runner, "t-part").await.unwrap();
    SERVER.psql("REASSIGN OWNED BY t_t_part TO postgres; DROP OWNED BY t_t_part; DROP ROLE t_t_part").unwrap();
    assert!(matches!(observe(&runner, "t-part").await, Observed::Drifted(_)));
    assert_eq!(apply(&runner, "t-part").await.unwrap(), receipt);
    assert_eq!(observe(&runner, "t-part").await, Observed::Ours(receipt.clone()));
    SERVER.psql("DROP SCHEMA t_t_part CASCADE").unwrap();
    assert!(matches!(observe(&runner, "t-part").await, Observed::Drifted(_)));
    undo(&runner, &receipt).await.unwrap();
    assert_eq!(observe(&runner, "t-part").await, Observed::Absent);
}

#[tokio::test]
async fn what_is_said_of_a_server_that_refuses_has_no_password() {
    for address in [
        "postgres:secret-word@",
        "postgres://u:secret-word@/d",
        "postgres://u:secret-word@h:port/d",
        "host=/run user=u dbname=d password=secret-word",
    ] {
        let error = PostgresDatabases::new(PostgresOptions::new(address, migrations(&[])), Arc::new(MarkedSecrets)).unwrap_err();
        assert!(matches!(error, AddressError::Unreadable | AddressError::Host | AddressError::User), "{address}");
    }
    let wrong = at(&format!("{}?sslmode=disable", SERVER.dsn("postgres", "secret-word", "postgres")), &[]);
    let failure = apply(&wrong, "t-wrong").await.unwrap_err();
    assert_eq!((failure.class, failure.error_type.as_str()), (FailureClass::Rejected, NOT_AUTHORISED));
    let nobody = at("postgres://u:secret-word@127.0.0.1:1/d?sslmode=disable", &[]);
    let unreachable = apply(&nobody, "t-wrong").await.unwrap_err();
    assert_eq!((unreachable.class, unreachable.error_type.as_str()), (FailureClass::Unavailable, DATABASE_UNAVAILABLE));
    for text in [failure.message, unreachable.message, format!("{wrong:?}")] {
        assert!(!text.contains("secret-word") && !text.contains(SERVER.password()), "{text}");
    }
}
