//! Guests on PostgreSQL.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    SERVER,
    common::{Guest, apply},
    open,
};

async fn guest(tenants: &[&str]) -> Guest {
    let runner = open(&[]);
    for tenant in tenants {
        apply(&runner, tenant).await.unwrap();
    }
    let none = [tenants, &["t-none"]].concat();
    Guest::new(Arc::new(runner.0), &none)
}

#[tokio::test]
async fn values_go_there_and_back_and_a_transaction_is_made_once() {
    let guest = guest(&["t-values"]).await;
    let insert = "INSERT INTO notes (text, done, weight) VALUES ($2, $1, $3), ($2, NULL, 1.5) RETURNING id";
    let parameters = json!([{ "boolean": true }, { "text": "ü'; DROP TABLE notes; --" }, { "real": 1e-9 }]);
    let types =
        "SELECT $1::int4, $2::int8, $3::float8, $4::numeric, $5::uuid, $6::jsonb, $7::date, $8::timestamptz, $9::bytea, $10::text, NULL::int, true";
    let uuid = "01890a5d-ac96-774b-bcce-b302099a8057";
    let given = json!([
        { "integer": -5 }, { "integer": i64::MIN }, { "integer": 3 }, { "text": "-12.340" }, { "text": uuid }, { "text": "{\"a\": 1}" },
        { "text": "2026-02-28" }, { "text": "2026-02-28T12:00:00+01:00" }, { "text": "\\x00ff" }, { "integer": 7 }
    ]);
    let answer =
        guest.transaction("t-values", "seed", &[(insert, parameters.clone()), ("SELECT text, done, weight FROM notes ORDER BY id", json!([]))]).await;
    assert_eq!(answer["ok"][0], json!({ "columns": ["id"], "rows": [[{ "integer": 1 }], [{ "integer": 2 }]], "changed": 2 }));
    let text = &parameters[1];
    assert_eq!(answer["ok"][1]["rows"], json!([[text, { "boolean": true }, { "real": 1e-9 }], [text, "null", { "real": 1.5 }]]));
    let again = guest.transaction("t-values", "seed", &[(insert, parameters), ("SELECT 1", json!([]))]).await;
    let nothing = |changed: u64| json!({ "columns": [], "rows": [], "changed": changed });
    assert_eq!(again, json!({ "ok": [nothing(2), nothing(0)] }));
    for _ in 0..2 {
        let row = &guest.transaction("t-values", "look", &[(types, given.clone())]).await["ok"][0]["rows"][0];
        let expected = json!([
            { "integer": -5 }, { "integer": i64::MIN }, { "real": 3.0 }, { "text": "-12.340" }, { "text": uuid }, { "text": "{\"a\": 1}" },
            { "text": "2026-02-28" }, { "text": "2026-02-28T11:00:00Z" }, { "text": "\\x00ff" }, { "text": "7" }, "null", { "boolean": true }
        ]);
        assert_eq!(*row, expected);
    }
    let none = guest.one("t-none", "look", "SELECT 1").await;
    assert_eq!(none, json!({ "err": "absent" }));
}

#[tokio::test]
async fn of_a_transaction_that_fails_nothing_is_kept() {
    let guest = guest(&["t-fails"]).await;
    let insert = ("INSERT INTO notes (text) VALUES ('a')", json!([]));
    let answer = guest.transaction("t-fails", "seed", &[insert.clone(), ("INSERT INTO notes (text) VALUES (NULL)", json!([]))]).await;
    let why = answer["err"]["refused"].as_str().unwrap();
    assert!(why.starts_with("statement 2: ") && why.contains("23502"), "{why}");
    assert_eq!(SERVER.psql("SELECT count(*) FROM t_t_fails.notes").unwrap(), "0");
    assert_eq!(guest.transaction("t-fails", "seed", &[insert]).await["ok"][0]["changed"], 1);
}

#[tokio::test]
async fn many_guests_that_ask_for_the_same_transaction_make_it_once() {
    let guest = Arc::new(guest(&["t-same"]).await);
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let guest = Arc::clone(&guest);
        asked.spawn(async move { guest.one("t-same", "seed", "INSERT INTO notes (text) VALUES ('once')").await });
    }
    while let Some(answer) = asked.join_next().await {
        assert_eq!(answer.unwrap()["ok"][0]["changed"], 1);
    }
    assert_eq!(SERVER.psql("SELECT count(*) FROM t_t_same.notes").unwrap(), "1");
}

#[tokio::test]
async fn a_guest_stays_in_its_schema_and_within_its_transaction() {
    let guest = guest(&["t-in", "t-out"]).await;
    let attempts = [
        "SELECT * FROM t_t_out.notes",
        "INSERT INTO t_t_out.notes (text) VALUES ('x')",
        "CREATE TABLE t_t_out.mine ()",
        "CREATE TABLE public.mine ()",
        "DROP TABLE t_t_out.notes",
        "SELECT set_config('role', 'postgres', false)",
        "SELECT set_config('role', 't_t_out', false)",
        "SELECT set_config('session_authorization', 'postgres', false)",
        "SET ROLE postgres",
        "RESET ROLE",
        "SET SESSION AUTHORIZATION postgres",
        "COPY notes TO PROGRAM 'touch /tmp/x'",
        "COPY notes TO STDOUT",
        "DO $$ BEGIN END $$",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_export(1, '/tmp/x')",
        "SELECT pg_ls_dir('.')",
        "SELECT * FROM pg_authid",
        "ALTER ROLE t_t_in PASSWORD 'x'",
        "ALTER SYSTEM SET port = 1",
        "SELECT 1; DROP TABLE notes",
        "COMMIT",
        "DELETE FROM jackfield_transactions",
        "UPDATE jackfield_migrations SET version = 1",
        "DROP TABLE jackfield_migrations",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' LIMIT 1",
        "WITH x AS (DELETE FROM t_t_out.notes RETURNING *) SELECT * FROM x",
        "SELECT ARRAY[1]",
        "INSERT INTO notes (text) VALUES ($1)",
        "not sql",
        "",
    ];
    for sql in attempts {
        let answer = guest.one("t-in", "try", sql).await;
        assert!(answer["err"]["refused"].is_string(), "{sql}: {answer}");
    }
    // What a guest sets is gone with its connection.
    guest.one("t-in", "set", "SELECT set_config('search_path', 't_t_out', false)").await;
    let path = guest.one("t-in", "path", "SELECT current_setting('search_path'), current_user::text").await;
    assert_eq!(path["ok"][0]["rows"], json!([[{ "text": "t_t_in, pg_temp" }, { "text": "t_t_in" }]]));
    assert_eq!(SERVER.psql("SELECT count(*) FROM t_t_out.notes").unwrap(), "0");
}

#[tokio::test]
async fn what_is_too_much_is_refused_with_the_limit() {
    let guest = guest(&["t-much"]).await;
    let cases: [(&[&str], &str); 5] = [
        (&["SELECT pg_sleep(60)::text"], "timeout"),
        (
            &["SELECT set_config('statement_timeout', '0', false)", "SELECT pg_sleep(60)::text"],
            "statement 2: it took longer than the operator allows",
        ),
        (&["SELECT i FROM generate_series(1, 1001) AS i"], "1001 rows in an answer, at most 1000"),
        (&["SELECT repeat('x', 60000) FROM generate_series(1, 20)"], "at most 1048576"),
        (&["SELECT repeat('x', 20000000)"], "the server sent more than the 8388608 bytes"),
    ];
    for (statements, limit) in cases {
        let statements: Vec<(&str, Value)> = statements.iter().map(|sql| (*sql, json!([]))).collect();
        let answer = guest.transaction("t-much", "much", &statements).await;
        assert!(answer["err"]["limit"].as_str().is_some_and(|why| why.contains(limit)), "{limit}: {answer}");
    }
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE usename = 't_t_much' AND state = 'active'";
    while SERVER.psql(busy).unwrap() != "0" {
        tokio::task::yield_now().await;
    }
}
