//! The plugin with templates, in a database that remembers what it was told.

use jackfield_plugin_sdk::{
    Characteristic, Failure, Outcome, Seed as _,
    seed::{Receipt, Request},
    sql::{Answer, Error, Statement, Value},
    tenant::Tenant,
    testing::{self, Config, Sql},
};
use serde_json::{Value as Json, json};

use crate::{MANIFEST, Templates};

/// What a customer may call himself.
const NAME: &str = "Robert'); DROP TABLE students;-- {tenant.id} $1";

fn request() -> Request {
    let tenant = Tenant { id: "t-1".into(), slug: "acme".into(), plan: "pro".into(), region: "eu".into() };
    Request { tenant, name: NAME.into(), template: "standard".into(), settings: vec![Characteristic::new("seats", "25")] }
}

fn receipt(rows: u64) -> Receipt {
    Receipt { template: "standard".into(), version: "3".into(), rows }
}

fn with(template: &Json) {
    testing::reset();
    Config::set("templates", &json!({ "standard": template, "broken": 7 }).to_string());
}

fn simple() -> Json {
    json!({ "version": "3",
        "statements": [
            { "sql": "INSERT INTO settings VALUES ($1, $2)", "parameters": ["title", "{{{name}}} of {tenant.slug}"] },
            { "sql": "INSERT INTO seats VALUES ($1, $2, $3, $4, $5)",
              "parameters": [{ "integer": "{setting.seats}" }, null, true, 1.5, { "boolean": "false" }] },
            { "sql": "INSERT INTO json VALUES ('{}', '{a}')" },
        ],
        "undo": [{ "sql": "DELETE FROM settings WHERE version = $1", "parameters": ["{template} {version}"] }] })
}

fn several() -> Json {
    json!({ "version": "3",
        "transactions": [{ "name": "first", "statements": [{ "sql": "INSERT 1" }] }, { "name": "second", "statements": [{ "sql": "INSERT 2" }] }],
        "undo": [{ "sql": "DELETE" }] })
}

fn apply() -> Result<Outcome<Receipt>, Failure> {
    Templates::apply(&testing::call("key"), request())
}

fn undo() -> Result<Outcome<Receipt>, Failure> {
    Templates::undo(&testing::call("undo-key"), receipt(3))
}

fn rejected<T: std::fmt::Debug>(answer: Result<T, Failure>, code: &str, part: &str) {
    let Err(Failure::Rejected(reason)) = answer else { panic!("expected a rejection with {part:?}, got {answer:?}") };
    assert_eq!(reason.code, code, "{}", reason.message);
    assert!(reason.message.contains(part), "expected {part:?} in {:?}", reason.message);
}

#[test]
fn what_customers_write_goes_into_parameters_and_nowhere_else() {
    with(&simple());
    Sql::answer([1, 4, 1].map(|changed| Answer { changed, ..Answer::default() }).into());
    assert_eq!(apply(), Ok(Outcome::Done(receipt(6))));
    let made = Sql::made();
    let expected = vec![
        Statement::new("INSERT INTO settings VALUES ($1, $2)", [Value::from("title"), Value::Text(format!("{{{NAME}}} of acme"))]),
        Statement::new(
            "INSERT INTO seats VALUES ($1, $2, $3, $4, $5)",
            [Value::Integer(25), Value::Null, Value::Boolean(true), Value::Real(1.5), Value::Boolean(false)],
        ),
        Statement::new("INSERT INTO json VALUES ('{}', '{a}')", []),
    ];
    assert_eq!((made.len(), &made["seed"]), (1, &expected));
}

#[test]
fn a_repetition_asks_for_the_same_transactions() {
    with(&several());
    assert_eq!(apply(), Ok(Outcome::Done(receipt(2))));
    assert_eq!(apply(), Ok(Outcome::Done(receipt(2))));
    let asked: Vec<String> = testing::calls().into_iter().filter(|call| call.starts_with("sql")).collect();
    assert_eq!(asked, ["sql transaction first", "sql transaction second", "sql transaction first", "sql transaction second"]);
}

#[test]
fn undo_runs_what_the_template_says_or_nothing() {
    with(&simple());
    assert_eq!(undo(), Ok(Outcome::Undone));
    let expected = Statement::new("DELETE FROM settings WHERE version = $1", [Value::from("standard 3")]);
    assert_eq!(Sql::made()["undo"], [expected]);
    Sql::fail(Some(Error::Absent));
    assert_eq!(undo(), Ok(Outcome::Undone));
    Sql::fail(Some(Error::Unavailable("full".into())));
    assert!(matches!(undo(), Err(Failure::Unavailable(_))));
    with(&json!({ "version": "3", "statements": [{ "sql": "INSERT" }] }));
    assert_eq!(undo(), Ok(Outcome::Undone));
    assert!(Sql::made().is_empty());
    with(&json!({ "version": "4", "statements": [{ "sql": "INSERT" }] }));
    rejected(undo(), "unknown_template", "\"4\" now; expected \"3\"");
}

#[test]
fn failures_of_the_database_are_told_as_they_are() {
    for (error, kind) in [
        (Error::Refused("no such table".into()), "rejected (database)"),
        (Error::Limit("too long".into()), "rejected (database)"),
        (Error::Absent, "rejected (database)"),
        (Error::Unavailable("full".into()), "unavailable (database)"),
        (Error::UnknownOutcome("broken off".into()), "unknown outcome (database)"),
    ] {
        with(&several());
        Sql::fail(Some(error));
        let failure = apply().unwrap_err().to_string();
        assert!(failure.starts_with(kind), "expected {kind}, got {failure}");
    }
}

#[test]
fn a_refusal_after_a_transaction_that_was_made_is_taken_back_or_open() {
    let undo = [Statement::new("DELETE", [])];
    let check = |error: Error, kind: &str| {
        let failure = crate::halfway(error, &undo).to_string();
        assert!(failure.starts_with(kind), "expected {kind}, got {failure}");
    };
    testing::reset();
    check(Error::Refused("no".into()), "rejected (database)");
    check(Error::Limit("no".into()), "rejected (database)");
    assert_eq!(Sql::made()["revert"], undo);
    check(Error::Absent, "rejected (database)");
    check(Error::Unavailable("full".into()), "unknown outcome (database)");
    Sql::fail(Some(Error::Unavailable("full".into())));
    check(Error::Refused("no".into()), "unknown outcome (database)");
}

#[test]
fn templates_that_cannot_be_used_are_refused_before_anything_is_written() {
    let one = |sql: &str, parameter: Json| json!({ "version": "3", "statements": [{ "sql": sql, "parameters": [parameter] }] });
    let named = |name: &str| json!({ "version": "3", "transactions": [{ "name": name, "statements": [{ "sql": "X" }] }] });
    let many: Vec<Json> = (0..257).map(|_| json!({ "sql": "X" })).collect();
    for (template, part) in [
        (json!(7), "invalid type"),
        (json!({ "statements": [] }), "version"),
        (json!({ "version": "3" }), "either"),
        (json!({ "version": "3", "statement": [] }), "unknown field"),
        (json!({ "version": "3", "statements": [{ "sql": " " }] }), "empty"),
        (json!({ "version": "3", "statements": many }), "at most 256"),
        (json!({ "version": "3", "transactions": [{ "name": "a", "statements": [] }] }), "without statements"),
        (named("Upper"), "[a-z0-9_.-]"),
        (named("undo"), "other than"),
        (json!({ "version": "3", "transactions": [several()["transactions"][0], several()["transactions"][0]], "undo": [{ "sql": "X" }] }), "two"),
        (json!({ "version": "3", "transactions": several()["transactions"] }), "without `undo`"),
        (one("INSERT '{name}'", json!("x")), "{name} stands in a statement"),
        (one("INSERT '{setting.seats}'", json!("x")), "{setting.seats} stands in a statement"),
        (one("INSERT $1", json!("{tenant.password}")), "{tenant.password} has no meaning"),
        (one("INSERT $1", json!("{open")), "brace"),
        (one("INSERT $1", json!("close}")), "brace"),
        (one("INSERT $1", json!(["x"])), "no parameter"),
        (one("INSERT $1", json!({ "date": "x" })), "no type"),
        (one("INSERT $1", json!("x".repeat(70_000))), "65536"),
        (
            json!({ "version": "3", "statements": [{ "sql": "X" }], "undo": [{ "sql": "X", "parameters": ["{tenant.id}"] }] }),
            "{tenant.id} has no meaning",
        ),
        (
            json!({ "version": "3", "statements": [{ "sql": "X" }], "undo": [{ "sql": "X", "parameters": ["{setting.a}"] }] }),
            "{setting.a} has no meaning",
        ),
    ] {
        with(&template);
        rejected(apply(), "bad_config", part);
        assert!(Sql::made().is_empty());
    }
    for parameter in ["{setting.colour}", "{setting.}"] {
        with(&one("INSERT $1", json!(parameter)));
        rejected(apply(), "bad_value", "needs the setting");
    }
    with(&one("INSERT $1", json!({ "integer": "{name}" })));
    rejected(apply(), "bad_value", "of the type integer");
    with(&simple());
    rejected(
        Templates::apply(&testing::call("key"), Request { template: "other".into(), ..request() }),
        "unknown_template",
        "[\"broken\", \"standard\"]",
    );
    for setting in ["", "garbage", "[]", "<html>"] {
        testing::reset();
        Config::set("templates", setting);
        rejected(apply(), "bad_config", "templates");
    }
    testing::reset();
    rejected(apply(), "bad_config", "missing");
}

#[test]
fn the_manifest_asks_for_no_endpoint_and_no_secret() {
    let manifest: Json = serde_json::from_str(&MANIFEST.json()).unwrap();
    assert_eq!(manifest["contracts"][0]["contract"], "jackfield:tenant/seed");
    assert_eq!((&manifest["capabilities"]["http"], &manifest["capabilities"]["secrets"]), (&json!([]), &json!([])));
    assert_eq!(manifest["capabilities"]["config"][0]["required"], true);
}
