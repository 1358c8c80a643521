//! `seed-templates`: through the host's interface `sql` into the file of a tenant, and into no other.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use engine::port::{Answer, Verb};
use pipeline::{FailureClass, RunId};
use plugin_runtime::Grant;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use tenant_database::{Account, Databases, Migrations, Sql, SqliteDatabases, SqliteOptions, TenantOf};

use crate::{Loaded, tenant};

const TABLES: &str = "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT, note TEXT);
CREATE TABLE seats (number INTEGER NOT NULL, share REAL, open INTEGER);";

/// What a customer may call himself.
const NAME: &str = "Robert'); DROP TABLE settings;-- \"$1\" {tenant.id}";

/// Every run is about the same tenant, or about none.
#[derive(Debug)]
struct Always(Option<&'static str>);

#[async_trait]
impl TenantOf for Always {
    async fn tenant_of(&self, _run: &RunId) -> Result<Option<Account>, String> {
        Ok(self.0.map(|tenant| Account { tenant: tenant.to_owned(), password: String::new() }))
    }
}

/// The plugin with the databases of two tenants, of whom the runs are about the first.
struct Seeding {
    folder: TempDir,
    plugin: Loaded,
}

impl Seeding {
    async fn start(templates: &Value) -> Self {
        Self::about(Some("t-1"), templates).await
    }

    async fn about(tenant: Option<&'static str>, templates: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let migrations = Migrations::of([("0001_tables.sql", TABLES)]).unwrap();
        let databases = Databases::Sqlite(SqliteDatabases::open(SqliteOptions::new(folder.path().join("tenants"), migrations)).unwrap());
        let sql = Sql::new(Arc::new(databases.clone()), Arc::new(Always(tenant)));
        let grant = Grant { config: [("templates".to_owned(), templates.to_string())].into(), ..Grant::default() };
        let plugin = Loaded::with("seed-templates", &grant, vec![Arc::new(sql)]).await;
        for tenant in ["t-1", "t-2"] {
            let mut call = plugin.call(Verb::Apply, &json!({ "tenant": tenant, "password": "" }));
            call.pin = Arc::new(databases.pin());
            let made = databases.runner().call(call).await.answer.unwrap();
            assert!(matches!(made, Answer::Done(_)), "{made:?}");
        }
        Self { folder, plugin }
    }

    /// What a query answers in the file of a tenant, by SQLite itself.
    fn look(&self, tenant: &str, query: &str) -> Vec<String> {
        let path: PathBuf = self.folder.path().join("tenants").join(format!("{tenant}.db"));
        let connection = Connection::open(path).unwrap();
        let mut query = connection.prepare(query).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn settings(&self, tenant: &str) -> Vec<String> {
        self.look(tenant, "SELECT key || '=' || value || coalesce(note, ' without') FROM settings ORDER BY key")
    }
}

fn request() -> Value {
    json!({ "tenant": tenant(), "name": NAME, "template": "standard", "settings": [{ "name": "seats", "value": "25" }] })
}

fn standard() -> Value {
    json!({ "standard": { "version": "3",
        "statements": [
            { "sql": "INSERT INTO settings (key, value) VALUES ($1, $2)", "parameters": ["title", "{name}"] },
            { "sql": "INSERT INTO settings (key, value, note) VALUES ($1, $2, $3)", "parameters": ["about", "{{{tenant.slug}}} {template} {version}", null] },
            { "sql": "INSERT INTO seats VALUES ($1, $2, $3)", "parameters": [{ "integer": "{setting.seats}" }, 0.5, true] },
        ],
        "undo": [{ "sql": "DELETE FROM settings" }, { "sql": "DELETE FROM seats" }] } })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_data_is_written_once_in_one_database_and_taken_back() {
    let seeding = Seeding::start(&standard()).await;
    let receipt = seeding.plugin.receipt(&request()).await;
    assert_eq!(receipt, json!({ "template": "standard", "version": "3", "rows": 3 }));
    let written = vec!["about={acme} standard 3 without".to_owned(), format!("title={NAME} without")];
    assert_eq!(seeding.settings("t-1"), written);
    assert_eq!(seeding.look("t-1", "SELECT number || ' ' || share || ' ' || open || ' ' || typeof(number) FROM seats"), ["25 0.5 1 integer"]);
    assert_eq!(seeding.plugin.receipt(&request()).await, receipt, "a repetition has the same receipt");
    assert_eq!((seeding.settings("t-1"), seeding.look("t-1", "SELECT '' || count(*) FROM seats")), (written, vec!["1".to_owned()]));
    assert!(seeding.settings("t-2").is_empty());

    seeding.plugin.undo(&receipt).await;
    seeding.plugin.undo(&receipt).await;
    assert!(seeding.settings("t-1").is_empty() && seeding.look("t-1", "SELECT '' || number FROM seats").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_refuses_leaves_nothing_behind() {
    let insert = json!({ "sql": "INSERT INTO settings (key, value) VALUES ($1, 'x')", "parameters": ["title"] });
    let broken = json!({ "sql": "INSERT INTO seats (number) VALUES (NULL)" });
    let undo = json!([{ "sql": "DELETE FROM settings" }]);
    for template in [
        json!({ "version": "1", "statements": [insert, broken] }),
        // The first of these was made when the second is refused.
        json!({ "version": "1", "transactions": [{ "name": "a", "statements": [insert] }, { "name": "b", "statements": [broken] }], "undo": undo }),
    ] {
        let seeding = Seeding::start(&json!({ "standard": template })).await;
        let (class, code, message) = seeding.plugin.failure(Verb::Apply, &request()).await;
        assert_eq!((class, code.as_str()), (FailureClass::Rejected, "database"), "{message}");
        assert!(message.contains("seats.number"), "{message}");
        assert!(seeding.settings("t-1").is_empty(), "{template}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_about_no_tenant_reaches_no_database_and_its_undo_has_nothing_to_do() {
    let seeding = Seeding::about(None, &standard()).await;
    let (class, code, message) = seeding.plugin.failure(Verb::Apply, &request()).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "database"), "{message}");
    seeding.plugin.undo(&json!({ "template": "standard", "version": "3", "rows": 3 })).await;
    assert!(seeding.settings("t-1").is_empty());
}
