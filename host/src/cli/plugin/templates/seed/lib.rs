//! The `seed` contract: writes the first rows into the database of a tenant.
//!
//! It expects a table `settings (key text PRIMARY KEY, value text)` and writes a greeting and the settings of the request. The host chooses the
//! database, and makes each transaction once, however often it is asked for. What a customer wrote goes into parameters, never into the statement.

use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Failure, Manifest, Outcome, Seed, Setting, Verb, config, seed,
    sql::{self, Statement},
};

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract { name: "seed", verbs: &[Verb::Apply, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        config: &[Setting::new("greeting", "how a tenant is greeted; Hello unless set").schema(r#"{"type": "string", "minLength": 1}"#)],
        ..Capabilities::NONE
    },
    failure_codes: &[UNKNOWN_TEMPLATE, sql::CODE],
    ..Manifest::EMPTY
};

/// There is no template of this name.
const UNKNOWN_TEMPLATE: &str = "unknown_template";

/// The template that this plugin knows.
const STANDARD: &str = "standard";

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

impl Seed for Plugin {
    fn apply(_: &Call, request: seed::Request) -> Result<seed::Outcome, Failure> {
        if request.template != STANDARD {
            return Err(Failure::rejected(UNKNOWN_TEMPLATE, format!("there is no template {:?}; expected {STANDARD}", request.template)));
        }
        let greeting = format!("{}, {}", config::get("greeting").unwrap_or_else(|| "Hello".into()), request.name);
        let settings = request.settings.iter().map(|it| (it.name.as_str(), it.value.as_str()));
        let statements: Vec<_> = [("greeting", greeting.as_str())]
            .into_iter()
            .chain(settings)
            .map(|(key, value)| Statement::new("INSERT INTO settings (key, value) VALUES ($1, $2)", [key.into(), value.into()]))
            .collect();
        let answers = sql::transaction("settings", &statements)?;
        let rows = answers.iter().map(|answer| answer.changed).sum();
        Ok(Outcome::Done(seed::Receipt { template: request.template, version: env!("CARGO_PKG_VERSION").into(), rows }))
    }

    fn undo(_: &Call, _: seed::Receipt) -> Result<seed::Outcome, Failure> {
        match sql::transaction("undo", &[Statement::new("DELETE FROM settings", [])]) {
            // The database may have been removed before.
            Ok(_) | Err(sql::Error::Absent) => Ok(Outcome::Undone),
            Err(error) => Err(error.into()),
        }
    }
}

jackfield_plugin_sdk::export!(Plugin: seed; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::{
        Characteristic,
        tenant::Tenant,
        testing::{self, Config, Sql},
    };

    use super::*;

    fn request() -> seed::Request {
        let tenant = Tenant { id: "t-1".into(), slug: "acme".into(), plan: "standard".into(), region: "eu".into() };
        seed::Request { tenant, name: "Acme'; --".into(), template: STANDARD.into(), settings: vec![Characteristic::new("colour", "green")] }
    }

    fn receipt() -> seed::Receipt {
        seed::Receipt { template: STANDARD.into(), version: env!("CARGO_PKG_VERSION").into(), rows: 2 }
    }

    #[test]
    fn settings_are_written_as_parameters() {
        Config::set("greeting", "Welcome");
        assert_eq!(Plugin::apply(&testing::call("key"), request()), Ok(Outcome::Done(receipt())));
        let insert = |key: &str, value: &str| Statement::new("INSERT INTO settings (key, value) VALUES ($1, $2)", [key.into(), value.into()]);
        assert_eq!(Sql::made()["settings"], [insert("greeting", "Welcome, Acme'; --"), insert("colour", "green")]);
    }

    #[test]
    fn what_the_database_says_is_told() {
        Sql::fail(Some(sql::Error::Refused("no such table".into())));
        assert!(matches!(Plugin::apply(&testing::call("key"), request()), Err(Failure::Rejected(_))));
        Sql::fail(Some(sql::Error::UnknownOutcome("broken off".into())));
        assert!(matches!(Plugin::apply(&testing::call("key"), request()), Err(Failure::UnknownOutcome(_))));
        let other = seed::Request { template: "other".into(), ..request() };
        assert!(matches!(Plugin::apply(&testing::call("key"), other), Err(Failure::Rejected(_))));
    }

    #[test]
    fn undo_runs_twice_and_without_a_database() {
        for error in [None, None, Some(sql::Error::Absent)] {
            Sql::fail(error);
            assert_eq!(Plugin::undo(&testing::call("undo"), receipt()), Ok(Outcome::Undone));
        }
    }
}
