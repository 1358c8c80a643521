//! The `seed` contract from templates that the operator writes: statements with parameters, run in the tenant's own database.
//!
//! The setting `templates` is JSON: templates by name.
//!
//! ```json
//! {
//!   "standard": {
//!     "version": "3",
//!     "statements": [
//!       { "sql": "INSERT INTO settings (key, value) VALUES ($1, $2)", "parameters": ["title", "Welcome, {name}"] },
//!       { "sql": "INSERT INTO seats (number) VALUES ($1)", "parameters": [{ "integer": "{setting.seats}" }] }
//!     ],
//!     "undo": [{ "sql": "DELETE FROM settings" }, { "sql": "DELETE FROM seats" }]
//!   }
//! }
//! ```
//!
//! A parameter is null, a truth value, a number, a text, or `{"integer": text}`, `{"real": text}`, `{"boolean": text}`, which read one. In texts
//! stand the placeholders `{tenant.id}`, `{tenant.slug}`, `{tenant.plan}`, `{tenant.region}`, `{name}` (what the tenant calls itself),
//! `{template}`, `{version}` and `{setting.X}` (of the request); `{{` and `}}` are braces. Placeholders are for parameters only: what a customer
//! wrote never becomes a part of a statement, and a statement with a placeholder is refused.
//!
//! `statements` are one transaction, which is made whole or not at all. `transactions` instead is a list of `{"name", "statements"}`, made one
//! after the other; then `undo` must say how to take them back, because a later one may be refused. A transaction that was made is not made again
//! when the host repeats the call.
//!
//! `undo` is one transaction. It knows no more than `{template}` and `{version}`. Without it the data stays until the database is removed.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod fill;
mod template;
#[cfg(test)]
mod tests;

use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Failure, Manifest, Outcome, Seed, Setting, Verb, seed,
    sql::{self, Statement},
};

use template::{Template, Transaction};

const MANIFEST: Manifest = Manifest {
    name: "seed-templates",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "seed", verbs: &[Verb::Apply, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        config: &[Setting::new("templates", "what is written into the database of a new tenant, by the name of the template")
            .schema(r#"{"type": "object", "additionalProperties": {"type": "object", "required": ["version"]}}"#)
            .required()],
        ..Capabilities::NONE
    },
    failure_codes: &[UNKNOWN_TEMPLATE, BAD_CONFIG, BAD_VALUE, sql::CODE],
    ..Manifest::EMPTY
};

/// Failure code: there is no template of this name, or no longer of this version.
const UNKNOWN_TEMPLATE: &str = "unknown_template";
/// Failure code: the setting `templates` is not as described.
const BAD_CONFIG: &str = "bad_config";
/// Failure code: the request lacks a setting that the template needs, or it is not of the type.
const BAD_VALUE: &str = "bad_value";

/// The plugin.
#[derive(Debug)]
pub struct Templates;

impl Seed for Templates {
    fn apply(_: &Call, request: seed::Request) -> Result<seed::Outcome, Failure> {
        let template = Template::named(&request.template)?;
        // All is filled in before anything is written.
        let transactions = template.transactions(&request)?;
        let undo = template.undo(&request.template)?;
        let mut rows = 0;
        for (made, Transaction { name, statements }) in transactions.iter().enumerate() {
            let answers = match sql::transaction(name, statements) {
                Ok(answers) => answers,
                Err(error) if made == 0 => return Err(error.into()),
                Err(error) => return Err(halfway(error, &undo)),
            };
            rows += answers.iter().map(|answer| answer.changed).sum::<u64>();
        }
        Ok(Outcome::Done(seed::Receipt { template: request.template, version: template.version, rows }))
    }

    fn undo(_: &Call, receipt: seed::Receipt) -> Result<seed::Outcome, Failure> {
        let template = Template::named(&receipt.template)?;
        if template.version != receipt.version {
            let message = format!("the template {} is of version {:?} now; expected {:?}", receipt.template, template.version, receipt.version);
            return Err(Failure::rejected(UNKNOWN_TEMPLATE, message));
        }
        let undo = template.undo(&receipt.template)?;
        if undo.is_empty() {
            return Ok(Outcome::Undone);
        }
        match sql::transaction("undo", &undo) {
            Ok(_) | Err(sql::Error::Absent) => Ok(Outcome::Undone),
            Err(error) => Err(error.into()),
        }
    }
}

/// A transaction failed after others were made. What cannot be helped by a repetition is taken back, so that nothing is left.
fn halfway(error: sql::Error, undo: &[Statement]) -> Failure {
    let failure = Failure::from(error.clone());
    let back = match error {
        sql::Error::Absent => true,
        sql::Error::Refused(_) | sql::Error::Limit(_) => sql::transaction("revert", undo).is_ok(),
        sql::Error::Unavailable(_) | sql::Error::UnknownOutcome(_) => false,
    };
    if back { failure } else { Failure::unknown_outcome(sql::CODE, failure.reason().message.clone()) }
}

jackfield_plugin_sdk::export!(Templates: seed; MANIFEST);
