//! The interface over its real routes, with a real engine, a store in memory, and providers that answer at once.

mod bad_requests;
mod life;
mod passwords;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use axum::{Router, body::Body, http::Request};
use engine::{
    Driver, Pack, Ports,
    port::{Answer, Observed, SystemClock, Verb},
    testing::{MemorySecrets, MemoryStore, Providers, pin, table},
};
use http_body_util::BodyExt;
use pipeline::{Failure, FailureClass, TenantName};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower_service::Service;

use super::{Accounts, Api, Audit, By, Key, router};
use crate::{Book, Caretaker, CaretakerParts, CredentialParts, Credentials, Follower, Intake, IntakeParts, Listeners, Options, Remover};

const CONTRACTS: [(&str, &str); 9] = [
    ("directory", "jackfield:tenant/directory@1"),
    ("database", "jackfield:tenant/database@1"),
    ("storage", "jackfield:tenant/storage@1"),
    ("dns", "jackfield:tenant/dns@1"),
    ("order", "jackfield:tenant/certificate-order@1"),
    ("certificate", "jackfield:tenant/certificate@1"),
    ("seed", "jackfield:tenant/seed@1"),
    ("integration", "jackfield:tenant/integration@1"),
    ("mail", "jackfield:tenant/mail@1"),
];

/// A host in memory.
struct World {
    router: Router,
    store: Arc<MemoryStore>,
    secrets: Arc<MemorySecrets>,
    notes: Arc<Notes>,
    outside: Arc<Outside>,
    _tasks: JoinSet<()>,
}

/// What exists outside the host, and what fails there.
#[derive(Debug, Default)]
struct Outside {
    /// Receipts of what was made and not taken back, as `provider request`.
    made: Mutex<HashSet<String>>,
    /// Providers whose `apply` or `undo` fails for good, as `provider verb`.
    failing: Mutex<HashSet<String>>,
}

impl Outside {
    fn set_failing(&self, what: &str, fails: bool) {
        let mut failing = self.failing.lock().unwrap();
        if fails {
            failing.insert(what.to_owned())
        } else {
            failing.remove(what)
        };
    }

    fn lose(&self, provider: &str) {
        self.made.lock().unwrap().retain(|made| !made.starts_with(provider));
    }

    fn count(&self) -> usize {
        self.made.lock().unwrap().len()
    }

    fn answer(&self, name: &str, verb: &Verb, request: &Value) -> Result<Answer, Failure> {
        if self.failing.lock().unwrap().contains(&format!("{name} {}", verb.function())) {
            return Err(Failure::new(FailureClass::Rejected, "vendor.refused", format!("{name} refuses")));
        }
        let mut made = self.made.lock().unwrap();
        let (thing, receipt) = (format!("{name} {request}"), receipt(name, request));
        Ok(match verb {
            Verb::Apply | Verb::Resume { .. } => {
                made.insert(thing);
                Answer::Done(receipt)
            }
            Verb::Observe if made.contains(&thing) => Answer::Observed(Observed::Ours(receipt)),
            Verb::Observe => Answer::Observed(Observed::Absent),
            Verb::Undo { .. } => {
                made.remove(&thing);
                Answer::Undone
            }
        })
    }
}

fn receipt(name: &str, request: &Value) -> Value {
    let id = if request["id"].is_string() { &request["id"] } else { &request["tenant"]["id"] };
    match name {
        "directory" => json!({"operation": request["operation"], "id": id}),
        "database" => json!({"tenant": request["tenant"], "system": "sqlite", "schema": "main", "migrations": 1}),
        "storage" => json!({"bucket": request["bucket"], "owner": request["tenant"]["id"], "region": "eu", "provider": "local"}),
        "dns" => json!({"zone": request["zone"], "owner": request["owner"], "records": request["records"], "provider": "local"}),
        "order" => {
            json!({"order": "o-1", "challenges": [{"name": format!("_acme-challenge.{}", request["names"][0].as_str().unwrap()), "value": "x"}]})
        }
        "certificate" => json!({"status": "valid", "issuer": "ca", "serial": "01", "not-after": 4_000_000_000_u64, "chain": "pem"}),
        "seed" => json!({"template": request["template"], "version": "1", "rows": 3}),
        "mail" => json!({"message-id": request["message-id"], "answer": "250"}),
        _ => json!({"integration": request["integration"], "id": "i-1"}),
    }
}

/// What was written into the audit trail, and the passwords that were set.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<String>>);

#[async_trait]
impl Audit for Notes {
    async fn write(&self, by: &str, action: &str, subject: &str) -> Result<(), String> {
        self.0.lock().unwrap().push(format!("{by} {action} {subject}"));
        Ok(())
    }
}

#[async_trait]
impl Accounts for Notes {
    async fn set_admin(&self, id: &str, sealed: &str) -> Result<(), String> {
        self.0.lock().unwrap().push(format!("{id} has {sealed}"));
        Ok(())
    }
}

fn settings() -> Value {
    let quick = json!({"retry_initial_ms": 1, "retry_max_ms": 2, "max_attempts": 1});
    let steps =
        ["create_record", "database", "storage", "dns", "certificate_order", "challenge", "certificate", "seed_data", "admin_user", "activate"];
    let mut steps: Value = steps.iter().map(|step| ((*step).to_owned(), quick.clone())).collect::<serde_json::Map<_, _>>().into();
    steps["welcome_email"] = quick;
    json!({
        "zone": "app.example.com", "target": ["192.0.2.1"], "steps": steps,
        "plans": {
            "basic": {"regions": ["eu"], "certificate": false, "quota": 2},
            "pro": {"regions": ["eu", "us"], "template": "shop", "integrations": {"crm": {}}},
            "swift": {"regions": ["eu"], "ready_without_tls": true},
        },
    })
}

impl World {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn with(settings: Value) -> Self {
        let options: Arc<Options> = Arc::new(serde_json::from_value(settings).unwrap());
        options.check().unwrap();
        let (store, secrets, notes, outside) =
            (Arc::<MemoryStore>::default(), Arc::<MemorySecrets>::default(), Arc::<Notes>::default(), Arc::<Outside>::default());
        let clock = Arc::new(SystemClock);
        let opening = store.open();
        let (book, listeners) = (Arc::new(Book::default()), Arc::new(Listeners::default()));
        book.load(&*store).await.unwrap();
        let (follower, rested) = Follower::new(book.clone(), listeners.clone(), store.clone(), clock.clone());
        let mut providers = Providers::default();
        for (name, _) in CONTRACTS {
            let outside = outside.clone();
            providers = providers.with(name, move |call| {
                let answer = outside.answer(name, &call.verb, &call.request);
                async move { answer }
            });
        }
        let runner = Arc::new(providers);
        let ports = Ports {
            journal: store.clone(),
            timers: store.clone(),
            blobs: store.clone(),
            runner: runner.clone(),
            clock: clock.clone(),
            observers: vec![Arc::new(follower)],
        };
        let packs = vec![
            Pack { definition: Arc::new(crate::definition(&options)), document: Some(crate::document) },
            Pack { definition: Arc::new(crate::certificate_definition(&options)), document: Some(crate::certificate_document) },
            Pack { definition: Arc::new(crate::repair_definition(&options)), document: Some(crate::repair_document) },
        ];
        let table = table(CONTRACTS.map(|(name, contract)| (contract, pin(name))));
        let driver = Arc::new(Driver::open(ports, &opening, engine::Options { packs, table, ..engine::Options::default() }).await.unwrap());
        let service = TenantName::new("default").unwrap();
        let remover = Arc::new(Remover::new(driver.clone(), store.clone()));
        let caretaker = CaretakerParts {
            engine: driver.clone(),
            documents: store.clone(),
            secrets: secrets.clone(),
            clock: clock.clone(),
            remover: remover.clone(),
            service: service.clone(),
        };
        let intake = IntakeParts {
            engine: driver.clone(),
            documents: store.clone(),
            secrets: secrets.clone(),
            clock: clock.clone(),
            options: options.clone(),
            service: service.clone(),
        };
        let credentials = CredentialParts {
            engine: driver.clone(),
            documents: store.clone(),
            secrets: secrets.clone(),
            clock: clock.clone(),
            audit: notes.clone(),
            accounts: notes.clone(),
            service: service.clone(),
        };
        let api = Api {
            intake: Arc::new(Intake::new(intake, book)),
            driver: driver.clone(),
            runner,
            documents: store.clone(),
            clock,
            options,
            remover,
            listeners,
            credentials: Arc::new(Credentials::new(credentials)),
            zones: None,
            key: Key::of(&[7; 32]),
            service,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(Caretaker::new(caretaker, rested).run());
        Self { router: router(api), store, secrets, notes, outside, _tasks: tasks }
    }

    /// A request of somebody with a token.
    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.send(method, path, &[], body, true).await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Value, token: bool) -> (u16, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let mut request = Request::builder().method(method).uri(format!("/api/v1/tenants{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).unwrap();
        if token {
            request.extensions_mut().insert(By("ann".to_owned()));
        }
        let response = self.router.clone().call(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into()))
    }

    /// A tenant that was signed up, once it is in one of these states.
    async fn signed_up(&self, slug: &str, plan: &str, states: &[&str]) -> Value {
        let (status, accepted) = self.ask("POST", "", sign_up(slug, plan)).await;
        assert_eq!(status, 202, "{accepted}");
        self.until(accepted["id"].as_str().unwrap(), states).await
    }

    async fn until(&self, id: &str, states: &[&str]) -> Value {
        loop {
            let (_, tenant) = self.ask("GET", &format!("/{id}"), Value::Null).await;
            if states.contains(&tenant["state"].as_str().unwrap_or_default()) {
                return tenant;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
}

fn sign_up(slug: &str, plan: &str) -> Value {
    json!({"name": "Acme", "plan": plan, "region": "eu", "slug": slug, "admin": {"email": "ann@example.net", "name": "Ann"}})
}
