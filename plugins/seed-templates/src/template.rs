//! Templates, as the operator writes them and as the database gets them.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_plugin_sdk::{
    Failure, config, seed,
    sql::{Statement, Value},
};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::{
    BAD_CONFIG, UNKNOWN_TEMPLATE,
    fill::{self, Scope},
};

/// Limits of the host: transactions of a call without the one that takes back, statements of a transaction, bytes of a statement with its parameters.
const TRANSACTIONS: usize = 63;
const STATEMENTS: usize = 256;
const BYTES: usize = 65_536;
/// Bytes of a transaction's name.
const NAME: usize = 64;
/// The transactions that this plugin names.
const OWN: [&str; 3] = ["seed", "undo", "revert"];

/// What the first data of a tenant is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    pub(crate) version: String,
    #[serde(default)]
    statements: Vec<Written>,
    #[serde(default)]
    transactions: Vec<Named>,
    #[serde(default)]
    undo: Vec<Written>,
}

/// A transaction in the setting.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    statements: Vec<Written>,
}

/// A statement in the setting.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sql: String,
    #[serde(default)]
    parameters: Vec<Json>,
}

/// A transaction for the database.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) name: String,
    pub(crate) statements: Vec<Statement>,
}

impl Template {
    /// Reads the template of that name.
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        let mut templates: BTreeMap<String, Json> = config::json("templates", BAD_CONFIG)?;
        let Some(found) = templates.remove(name) else {
            let known: Vec<String> = templates.into_keys().collect();
            return Err(Failure::rejected(UNKNOWN_TEMPLATE, format!("there is no template {name:?}; expected one of {known:?}")));
        };
        // Only the one that is asked for must be right.
        let template: Self = serde_json::from_value(found).map_err(|error| bad(name, &error.to_string()))?;
        template.check().map_err(|why| bad(name, &why))?;
        Ok(template)
    }

    /// What to write, in order.
    pub(crate) fn transactions(&self, request: &seed::Request) -> Result<Vec<Transaction>, Failure> {
        let scope = Scope::of(request, &self.version);
        let filled = |name: &str, statements: &[Written]| -> Result<Transaction, Failure> {
            Ok(Transaction { name: name.to_owned(), statements: filled(&request.template, statements, &scope)? })
        };
        if self.transactions.is_empty() {
            return Ok(vec![filled(OWN[0], &self.statements)?]);
        }
        self.transactions.iter().map(|it| filled(&it.name, &it.statements)).collect()
    }

    /// How to take it back; nothing if the template does not say.
    pub(crate) fn undo(&self, name: &str) -> Result<Vec<Statement>, Failure> {
        filled(name, &self.undo, &Scope::bare(name, &self.version))
    }

    fn check(&self) -> Result<(), String> {
        if self.statements.is_empty() == self.transactions.is_empty() {
            return Err("expected either `statements` or `transactions`".into());
        }
        if self.transactions.len() > TRANSACTIONS {
            return Err(format!("{} transactions; expected at most {TRANSACTIONS}", self.transactions.len()));
        }
        if self.transactions.len() > 1 && self.undo.is_empty() {
            return Err("several transactions without `undo`: a later one may be refused, and the others must be taken back then".into());
        }
        let mut names = BTreeSet::new();
        for Named { name, .. } in &self.transactions {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
            if name.is_empty() || name.len() > NAME || !name.bytes().all(fits) || OWN.contains(&name.as_str()) {
                return Err(format!(
                    "the transaction {name:?}: expected a name of 1 to {NAME} characters of [a-z0-9_.-] other than {}",
                    OWN.join(", ")
                ));
            }
            if !names.insert(name) {
                return Err(format!("two transactions are called {name}"));
            }
        }
        let lists = self.transactions.iter().map(|it| &it.statements).chain([&self.statements, &self.undo]);
        for statements in lists {
            if statements.len() > STATEMENTS {
                return Err(format!("{} statements in a transaction; expected at most {STATEMENTS}", statements.len()));
            }
            statements.iter().try_for_each(Written::check)?;
        }
        if self.transactions.iter().any(|it| it.statements.is_empty()) {
            return Err("a transaction without statements".into());
        }
        Ok(())
    }
}

impl Written {
    /// What a customer wrote must never become SQL, so an operator who expects that is told.
    fn check(&self) -> Result<(), String> {
        match fill::placeholder_in(&self.sql) {
            Some(found) => Err(format!("{found} stands in a statement: placeholders are for parameters, written $1, $2 in the statement")),
            None if self.sql.trim().is_empty() => Err("a statement is empty".into()),
            None => Ok(()),
        }
    }
}

fn filled(template: &str, statements: &[Written], scope: &Scope<'_>) -> Result<Vec<Statement>, Failure> {
    let one = |written: &Written| -> Result<Statement, Failure> {
        let parameters = written.parameters.iter().map(|parameter| fill::parameter(template, parameter, scope)).collect::<Result<Vec<_>, _>>()?;
        let bytes = written.sql.len() + parameters.iter().map(|value| if let Value::Text(text) = value { text.len() } else { 8 }).sum::<usize>();
        if bytes > BYTES {
            return Err(bad(template, &format!("a statement has {bytes} bytes with its parameters; expected at most {BYTES}")));
        }
        Ok(Statement::new(written.sql.clone(), parameters))
    };
    statements.iter().map(one).collect()
}

/// A mistake in the setting.
pub(crate) fn bad(template: &str, why: &str) -> Failure {
    Failure::rejected(BAD_CONFIG, format!("the template {template} of the setting templates: {why}"))
}
