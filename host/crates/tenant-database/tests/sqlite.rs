//! The provider `sqlite` and the interface over it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{fs, sync::Arc, time::Duration};

use common::{Guest, apply, call, observe, sealed, undo};
use engine::port::{Observed, Verb};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenant_database::{
    DATABASE_FOREIGN, DATABASE_REFUSED, MIGRATION_CHANGED, MIGRATION_FAILED, Migrations, SqliteDatabases, SqliteOptions, SqliteRunner,
};

const TABLES: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, done INTEGER, weight REAL);";

fn migrations(more: &[(&str, &str)]) -> Migrations {
    Migrations::of([("0001_notes.sql", TABLES)].into_iter().chain(more.iter().copied())).unwrap()
}

fn open(folder: &TempDir, more: &[(&str, &str)]) -> SqliteRunner {
    let mut options = SqliteOptions::new(folder.path().join("tenants"), migrations(more));
    options.statement_timeout = Duration::from_millis(500);
    options.max_bytes = 16 << 20;
    SqliteRunner(SqliteDatabases::open(options).unwrap())
}

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder.path().join("tenants")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_database_is_made_once_seen_and_taken_away_twice() {
    let folder = tempfile::tempdir().unwrap();
    let runner = open(&folder, &[]);
    assert_eq!(observe(&runner, "t-1").await, Observed::Absent);
    let receipt = apply(&runner, "t-1").await.unwrap();
    let expected = json!({ "system": "sqlite", "tenant": "t-1", "database": "t-1.db", "schema": "main", "role": "", "migrations": 1, "address": "" });
    assert_eq!(receipt, expected);
    let guest = Guest::new(Arc::new(runner.0.clone()), &["t-1"]);
    guest.one("t-1", "seed", "INSERT INTO notes (text) VALUES ('kept')").await;
    assert_eq!(apply(&runner, "t-1").await.unwrap(), receipt);
    assert_eq!(guest.one("t-1", "look", "SELECT text FROM notes").await["ok"][0]["rows"], json!([[{ "text": "kept" }]]));
    assert_eq!(observe(&runner, "t-1").await, Observed::Ours(receipt.clone()));
    apply(&runner, "t-2").await.unwrap();
    undo(&runner, &receipt).await.unwrap();
    undo(&runner, &receipt).await.unwrap();
    assert_eq!(observe(&runner, "t-1").await, Observed::Absent);
    assert_eq!(names(&folder), ["t-2.db"]);
    assert_eq!(guest.one("t-1", "after", "SELECT 1").await, json!({ "err": "absent" }));
}

#[tokio::test]
async fn what_is_not_the_tenants_is_neither_taken_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let runner = open(&folder, &[]);
    let receipt = apply(&runner, "t-1").await.unwrap();
    let at = |name: &str| folder.path().join("tenants").join(name);
    fs::copy(at("t-1.db"), at("t-2.db")).unwrap();
    fs::write(at("t-3.db"), "a letter, as long as a header of a database would be, which it is not, so that SQLite reads all of it").unwrap();
    fs::create_dir(at("t-4.db")).unwrap();
    for tenant in ["t-2", "t-3", "t-4"] {
        assert!(matches!(observe(&runner, tenant).await, Observed::Foreign(_)), "{tenant}");
        assert_eq!(apply(&runner, tenant).await.unwrap_err().error_type, DATABASE_FOREIGN, "{tenant}");
        let mut other = receipt.clone();
        other["tenant"] = json!(tenant);
        assert_eq!(undo(&runner, &other).await.unwrap_err().error_type, DATABASE_FOREIGN, "{tenant}");
        assert!(at(&format!("{tenant}.db")).exists(), "{tenant}");
    }
    let guest = Guest::new(Arc::new(runner.0.clone()), &["t-2"]);
    assert_eq!(guest.one("t-2", "look", "SELECT 1").await, json!({ "err": "absent" }));
}

#[tokio::test]
async fn an_id_that_is_no_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let runner = open(&folder, &[]);
    for tenant in ["", "../t-1", "t.1", "t/1", "t-1'; DROP TABLE notes; --", &"t".repeat(65)] {
        let report = call(&runner, Verb::Apply, tenant, &sealed("x")).await;
        assert_eq!((report.answer.unwrap_err().error_type.as_str(), report.sent), (DATABASE_REFUSED, false), "{tenant}");
    }
    assert_eq!(names(&folder), Vec::<String>::new());
}

#[tokio::test]
async fn many_calls_for_one_tenant_make_one_database() {
    let folder = tempfile::tempdir().unwrap();
    let runner = Arc::new(open(&folder, &[]));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let runner = Arc::clone(&runner);
        calls.spawn(async move { apply(&*runner, "t-1").await.unwrap() });
    }
    while let Some(done) = calls.join_next().await {
        assert_eq!(done.unwrap()["migrations"], 1);
    }
    assert_eq!(names(&folder), ["t-1.db"]);
}

#[tokio::test]
async fn what_a_killed_process_left_half_written_is_gone_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let runner = open(&folder, &[]);
    apply(&runner, "t-1").await.unwrap();
    fs::write(folder.path().join("tenants/t-2.db.unfinished.0"), "half").unwrap();
    let runner = open(&folder, &[]);
    assert_eq!(names(&folder), ["t-1.db"]);
    apply(&runner, "t-2").await.unwrap();
}

#[tokio::test]
async fn one_bad_tenant_does_not_stop_the_migration_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let runner = open(&folder, &[]);
    let tenants: Vec<String> = (0..20).map(|number| format!("t-{number}")).collect();
    for tenant in &tenants {
        apply(&runner, tenant).await.unwrap();
    }
    let guest = Guest::new(Arc::new(runner.0.clone()), &["t-7"]);
    guest.one("t-7", "own", "CREATE TABLE added (x)").await;
    let runner = open(&folder, &[("0002_added.sql", "INSERT INTO notes (text) VALUES ('first'); CREATE TABLE added (id INTEGER)")]);
    assert!(matches!(observe(&runner, "t-7").await, Observed::Drifted(_)));
    let mut asked = tenants.clone();
    asked.push("t-none".to_owned());
    asked.push("no/name".to_owned());
    let results = runner.0.migrate(asked).await;
    let bad: Vec<(&str, &str)> =
        results.iter().filter_map(|one| one.outcome.as_ref().err().map(|failure| (one.tenant.as_str(), failure.error_type.as_str()))).collect();
    assert_eq!(bad, [("t-7", MIGRATION_FAILED), ("t-none", DATABASE_REFUSED), ("no/name", DATABASE_REFUSED)]);
    assert!(results.iter().filter(|one| one.outcome == Ok(2)).count() == 19);
    let message = &results[7].outcome.as_ref().unwrap_err().message;
    assert!(message.contains("0002_added.sql") && message.contains("t-7") && message.contains("already exists"), "{message}");
    // Nothing of the migration that failed is there, and it is made when its cause is gone.
    let guest = Guest::new(Arc::new(runner.0.clone()), &["t-7"]);
    assert_eq!(guest.one("t-7", "look", "SELECT count(*) FROM notes").await["ok"][0]["rows"], json!([[{ "integer": 0 }]]));
    guest.one("t-7", "away", "DROP TABLE added").await;
    assert_eq!(apply(&runner, "t-7").await.unwrap()["migrations"], 2);
    assert!(matches!(observe(&runner, "t-7").await, Observed::Ours(_)));
}

#[tokio::test]
async fn a_migration_that_is_no_sql_or_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    apply(&open(&folder, &[]), "t-1").await.unwrap();
    let failure = apply(&open(&folder, &[("0002_bad.sql", "CREATE TABEL x (y)")]), "t-2").await.unwrap_err();
    assert_eq!(failure.error_type, MIGRATION_FAILED);
    assert!(failure.message.contains("0002_bad.sql") && failure.message.contains("TABEL"), "{}", failure.message);
    assert_eq!(names(&folder), ["t-1.db"]);
    let changed = Migrations::of([("0001_notes.sql", "CREATE TABLE other (a)")]).unwrap();
    let runner = SqliteRunner(SqliteDatabases::open(SqliteOptions::new(folder.path().join("tenants"), changed)).unwrap());
    assert_eq!(apply(&runner, "t-1").await.unwrap_err().error_type, MIGRATION_CHANGED);
    assert!(matches!(observe(&runner, "t-1").await, Observed::Drifted(_)));
}

async fn guest() -> (TempDir, Guest) {
    let folder = tempfile::tempdir().unwrap();
    let runner = open(&folder, &[]);
    apply(&runner, "t-1").await.unwrap();
    apply(&runner, "t-2").await.unwrap();
    let guest = Guest::new(Arc::new(runner.0), &["t-1", "t-2", "t-none"]);
    (folder, guest)
}

#[tokio::test]
async fn values_go_there_and_back_and_a_transaction_is_made_once() {
    let (_folder, guest) = guest().await;
    let insert = "INSERT INTO notes (text, done, weight) VALUES ($2, $1, $3), ($2, NULL, 1.5)";
    let statements = [
        (insert, json!([{ "boolean": true }, { "text": "ü'; DROP TABLE notes; --" }, { "real": 0.5 }])),
        ("SELECT text, done, weight, id, x'00ff', NULL FROM notes ORDER BY id", json!([])),
    ];
    let answer = guest.transaction("t-1", "seed", &statements).await;
    assert_eq!(answer["ok"][0], json!({ "columns": [], "rows": [], "changed": 2 }));
    let text = json!({ "text": "ü'; DROP TABLE notes; --" });
    let row = |done: Value, weight: f64, id: i64| json!([text, done, { "real": weight }, { "integer": id }, { "text": "\\x00ff" }, "null"]);
    assert_eq!(answer["ok"][1]["rows"], json!([row(json!({ "integer": 1 }), 0.5, 1), row(json!("null"), 1.5, 2)]));
    assert_eq!(answer["ok"][1]["columns"].as_array().unwrap().len(), 6);
    let again = guest.transaction("t-1", "seed", &statements).await;
    let nothing = |changed: u64| json!({ "columns": [], "rows": [], "changed": changed });
    assert_eq!(again, json!({ "ok": [nothing(2), nothing(0)] }));
    // What only reads is made each time.
    for _ in 0..2 {
        assert_eq!(guest.one("t-1", "look", "SELECT count(*) FROM notes").await["ok"][0]["rows"], json!([[{ "integer": 2 }]]));
    }
    assert_eq!(guest.one("t-2", "look", "SELECT count(*) FROM notes").await["ok"][0]["rows"], json!([[{ "integer": 0 }]]));
    assert_eq!(guest.one("t-none", "look", "SELECT 1").await, json!({ "err": "absent" }));
    assert_eq!(guest.one("t-unknown", "look", "SELECT 1").await, json!({ "err": "absent" }));
}

#[tokio::test]
async fn of_a_transaction_that_fails_nothing_is_kept() {
    let (_folder, guest) = guest().await;
    let insert = ("INSERT INTO notes (text) VALUES ('a')", json!([]));
    let answer = guest.transaction("t-1", "seed", &[insert.clone(), ("INSERT INTO notes (text) VALUES (NULL)", json!([]))]).await;
    assert!(answer["err"]["refused"].as_str().unwrap().starts_with("statement 2: "), "{answer}");
    assert_eq!(guest.one("t-1", "look", "SELECT count(*) FROM notes").await["ok"][0]["rows"], json!([[{ "integer": 0 }]]));
    assert_eq!(guest.transaction("t-1", "seed", &[insert]).await["ok"][0]["changed"], 1);
}

#[tokio::test]
async fn a_guest_stays_in_its_file_and_within_its_transaction() {
    let (folder, guest) = guest().await;
    let outside = folder.path().join("outside.db");
    let outside = outside.to_str().unwrap();
    let attempts = [
        format!("ATTACH '{outside}' AS o"),
        format!("VACUUM INTO '{outside}'"),
        "PRAGMA writable_schema = ON".to_owned(),
        "SELECT load_extension('x')".to_owned(),
        "SELECT * FROM pragma_database_list".to_owned(),
        "SELECT 1; DROP TABLE notes".to_owned(),
        "COMMIT".to_owned(),
        "SELECT tenant FROM jackfield_owner".to_owned(),
        "UPDATE Jackfield_Owner SET tenant = 't-2'".to_owned(),
        "DELETE FROM jackfield_transactions".to_owned(),
        "DROP TABLE jackfield_migrations".to_owned(),
        "DROP TABLE \"JACKFIELD_migrations\"".to_owned(),
        "ALTER TABLE jackfield_owner RENAME TO mine".to_owned(),
        "CREATE INDEX i ON jackfield_owner (tenant)".to_owned(),
        "UPDATE sqlite_master SET sql = ''".to_owned(),
        "WITH x AS (SELECT tenant FROM jackfield_owner) SELECT * FROM x".to_owned(),
        "CREATE VIEW v AS SELECT * FROM jackfield_owner; SELECT * FROM v".to_owned(),
        "INSERT INTO notes (text) SELECT tenant FROM jackfield_owner".to_owned(),
        "INSERT INTO notes (text) VALUES (?)".to_owned(),
        "INSERT INTO notes (text) VALUES ($1)".to_owned(),
        "INSERT INTO notes (text) VALUES (:a)".to_owned(),
        "not sql at all".to_owned(),
        String::new(),
    ];
    for sql in attempts {
        let answer = guest.one("t-1", "try", &sql).await;
        assert!(answer["err"]["refused"].is_string(), "{sql}: {answer}");
    }
    // A view may be made over anything; it is its use that is refused.
    guest.one("t-1", "view", "CREATE VIEW v AS SELECT * FROM jackfield_owner").await;
    assert!(guest.one("t-1", "try", "SELECT * FROM v").await["err"]["refused"].is_string());
    assert_eq!(names(&folder).into_iter().filter(|name| name.ends_with(".db")).collect::<Vec<_>>(), ["t-1.db", "t-2.db"]);
    assert!(!folder.path().join("outside.db").exists());
    assert_eq!(guest.one("t-1", "look", "SELECT count(*) FROM notes").await["ok"][0]["rows"], json!([[{ "integer": 0 }]]));
}

#[tokio::test]
async fn what_is_too_much_is_refused_with_the_limit() {
    let (_folder, guest) = guest().await;
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1001) SELECT i FROM n";
    let text = "x".repeat(65_536);
    let many = vec![("SELECT 1", json!([])); 257];
    let large = ["SELECT hex(zeroblob(300000))", "SELECT hex(zeroblob(300000))"].map(|sql| (sql, json!([])));
    let cases: Vec<(Vec<(&str, Value)>, &str)> = vec![
        (vec![(endless, json!([]))], "longer than the operator allows"),
        (vec![(rows, json!([]))], "1001 rows in an answer, at most 1000"),
        (large.to_vec(), "at most 1048576"),
        (vec![("SELECT hex(zeroblob(1000000000))", json!([]))], "too long"),
        (vec![("SELECT $1", json!([{ "text": text }]))], "at most 65536"),
        (many, "257 statements in a transaction, at most 256"),
        (
            vec![(
                "INSERT INTO notes (text) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40) SELECT hex(zeroblob(500000)) FROM n",
                json!([]),
            )],
            "as large as the operator allows",
        ),
    ];
    for (statements, limit) in cases {
        let answer = guest.transaction("t-1", "much", &statements).await;
        assert!(answer["err"]["limit"].as_str().unwrap_or_default().contains(limit), "{limit}: {answer}");
    }
    let ask = |called: &'static str| guest.in_call(called, "jackfield:tenant/seed@1.0.0", "t-1", vec![json!("look"), json!([])]);
    for _ in 0..64 {
        ask("one").await.unwrap()["ok"].as_array().unwrap();
    }
    assert_eq!(ask("one").await.unwrap(), json!({ "err": { "limit": "65 transactions in a call, at most 64 are allowed" } }));
    ask("another").await.unwrap()["ok"].as_array().unwrap();
    for name in ["", "A", "a b", &"a".repeat(65)] {
        assert!(guest.one("t-1", name, "SELECT 1").await["err"]["refused"].is_string(), "{name}");
    }
}

#[tokio::test]
async fn plugins_of_other_contracts_are_refused() {
    let (_folder, guest) = guest().await;
    for contract in ["jackfield:tenant/integration@1.0.0", "jackfield:tenant/seed@2.0.0", "jackfield:order/activate@1.0.0"] {
        let error = guest.in_call("one", contract, "t-1", vec![json!("look"), json!([])]).await.unwrap_err();
        assert!(error.contains(contract) && error.contains("jackfield:tenant/seed"), "{error}");
    }
}
