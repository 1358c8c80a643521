//! Migrations of many tenants.

use engine::port::Observed;
use pipeline::FailureClass;
use serde_json::json;
use tenant_database::{Account, DATABASE_REFUSED, DATABASE_UNAVAILABLE, MIGRATION_CHANGED, MIGRATION_FAILED};

use super::{
    SERVER,
    common::{apply, observe, owner, sealed, undo},
    open,
};

fn account(tenant: &str) -> Account {
    Account { tenant: tenant.to_owned(), password: sealed("pass'word") }
}

#[tokio::test]
async fn one_bad_tenant_does_not_stop_the_migration_of_the_others() {
    let runner = open(&[]);
    let tenants: Vec<String> = (0..20).map(|number| format!("t-many-{number}")).collect();
    for tenant in &tenants {
        apply(&runner, tenant).await.unwrap();
    }
    SERVER.psql_as("t_t_many_7", "pass'word", "postgres", "CREATE TABLE added ()").unwrap();
    let later = open(&[("0002_added.sql", "INSERT INTO notes (text) VALUES ('first'); CREATE TABLE added (id int)")]);
    let mut accounts: Vec<Account> = tenants.iter().map(|tenant| account(tenant)).collect();
    accounts.push(account("t-many-none"));
    let results = later.0.migrate(&owner(), &accounts).await;
    let bad: Vec<_> =
        results.iter().filter_map(|one| one.outcome.as_ref().err().map(|failure| (one.tenant.as_str(), failure.error_type.as_str()))).collect();
    assert_eq!(bad, [("t-many-7", MIGRATION_FAILED), ("t-many-none", DATABASE_REFUSED)]);
    assert_eq!(results.iter().filter(|one| one.outcome == Ok(2)).count(), 19);
    let message = &results[7].outcome.as_ref().unwrap_err().message;
    assert!(message.contains("0002_added.sql") && message.contains("t-many-7") && message.contains("42P07"), "{message}");
    assert!(matches!(observe(&later, "t-many-7").await, Observed::Drifted(_)));
    assert_eq!(SERVER.psql("SELECT count(*) FROM t_t_many_7.notes").unwrap(), "0");
    SERVER.psql_as("t_t_many_7", "pass'word", "postgres", "DROP TABLE added").unwrap();
    assert_eq!(later.0.migrate(&owner(), &[account("t-many-7")]).await[0].outcome, Ok(2));
}

#[tokio::test]
async fn a_migration_that_is_no_sql_leaves_nothing_of_a_new_tenant() {
    let failure = apply(&open(&[("0002_bad.sql", "CREATE TABEL x (y)")]), "t-bad").await.unwrap_err();
    assert_eq!((failure.class, failure.error_type.as_str()), (FailureClass::Rejected, MIGRATION_FAILED));
    assert_eq!(observe(&open(&[]), "t-bad").await, Observed::Absent);
    apply(&open(&[]), "t-changed").await.unwrap();
    let changed = open(&[("0000_x.sql", "")].map(|_| ("0002_b.sql", "SELECT 1")));
    SERVER.psql("UPDATE t_t_changed.jackfield_migrations SET checksum = 'other'").unwrap();
    assert_eq!(apply(&changed, "t-changed").await.unwrap_err().error_type, MIGRATION_CHANGED);
    assert!(matches!(observe(&changed, "t-changed").await, Observed::Drifted(_)));
}

#[tokio::test]
async fn a_migration_that_ends_its_transaction_is_held_and_can_be_undone() {
    let runner = open(&[("0002_commits.sql", "CREATE TABLE half (); COMMIT; BEGIN")]);
    let failure = apply(&runner, "t-commits").await.unwrap_err();
    assert_eq!((failure.class, failure.error_type.as_str()), (FailureClass::Held, MIGRATION_FAILED));
    let Observed::Drifted(receipt) = observe(&runner, "t-commits").await else { panic!("half of it is there") };
    undo(&runner, &receipt).await.unwrap();
    assert_eq!(observe(&runner, "t-commits").await, Observed::Absent);
}

#[tokio::test]
async fn a_tenant_that_is_being_migrated_waits_alone() {
    let runner = open(&[]);
    apply(&runner, "t-locked").await.unwrap();
    apply(&runner, "t-free").await.unwrap();
    let later = open(&[("0002_more.sql", "CREATE TABLE more ()")]);
    let holder = std::thread::spawn(|| {
        SERVER.psql("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('jackfield:migrate:t_t_locked', 0)); SELECT pg_sleep(3)").unwrap();
    });
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE query LIKE '%migrate:t_t_locked%' AND pid <> pg_backend_pid())";
    while SERVER.psql(held).unwrap() == "0" {
        tokio::task::yield_now().await;
    }
    let results = later.0.migrate(&owner(), &[account("t-locked"), account("t-free")]).await;
    assert_eq!(results[0].outcome.as_ref().unwrap_err().error_type, DATABASE_UNAVAILABLE);
    assert_eq!(results[1].outcome, Ok(2));
    holder.join().unwrap();
    assert_eq!(later.0.migrate(&owner(), &[account("t-locked")]).await[0].outcome, Ok(2));
}

#[tokio::test]
async fn code_of_a_tenant_that_a_migration_runs_stays_the_tenants() {
    let runner = open(&[]);
    apply(&runner, "t-sly").await.unwrap();
    let sly = "
        CREATE FUNCTION sly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RESET ROLE; RESET SESSION AUTHORIZATION;
            INSERT INTO who VALUES (current_user, session_user);
            BEGIN EXECUTE 'ALTER ROLE t_t_sly SUPERUSER'; EXCEPTION WHEN insufficient_privilege THEN NULL; END;
            RETURN NEW; END $$;
        CREATE TABLE who (one name, other name);
        CREATE TRIGGER sly BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION sly();";
    SERVER.psql_as("t_t_sly", "pass'word", "postgres", sly).unwrap();
    let later = open(&[("0002_row.sql", "INSERT INTO notes (text) VALUES ('a')")]);
    assert_eq!(apply(&later, "t-sly").await.unwrap()["migrations"], json!(2));
    assert_eq!(SERVER.psql("SELECT DISTINCT one, other FROM t_t_sly.who").unwrap(), "t_t_sly|t_t_sly");
    assert_eq!(SERVER.psql("SELECT rolsuper FROM pg_roles WHERE rolname = 't_t_sly'").unwrap(), "f");
    for refused in [
        "DROP SCHEMA t_t_sly CASCADE",
        "COMMENT ON SCHEMA t_t_sly IS 'mine'",
        "DELETE FROM jackfield_migrations",
        "DROP TABLE jackfield_transactions",
    ] {
        SERVER.psql_as("t_t_sly", "pass'word", "postgres", refused).unwrap_err();
    }
}
