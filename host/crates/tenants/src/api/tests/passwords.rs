//! Passwords are read once and rotated.

use engine::port::Secrets as _;
use pipeline::TenantName;
use serde_json::{Value, json};

use super::World;

#[tokio::test]
async fn a_password_is_read_once_with_an_entry_and_again_when_it_was_rotated() {
    let world = World::new().await;
    let tenant = world.signed_up("acme", "pro", &["ready"]).await;
    let id = tenant["id"].as_str().unwrap();
    let (path, rotate) = (format!("/{id}/credentials"), format!("/{id}/credentials/rotate"));
    let (status, first) = world.ask("POST", &path, json!({"which": "admin"})).await;
    assert_eq!((status, first["password"].as_str().unwrap().len()), (200, 43));
    assert_eq!(world.ask("POST", &path, json!({"which": "admin"})).await.0, 410);
    let (status, rotated) = world.ask("POST", &rotate, json!({"which": "admin"})).await;
    assert_eq!((status, &rotated["run"]), (200, &Value::Null));
    let (_, second) = world.ask("POST", &path, json!({"which": "admin"})).await;
    assert_ne!(second["password"], first["password"]);
    let notes = world.notes.0.lock().unwrap().clone();
    let audit = |action: &str| format!("ann {action} admin of {id}");
    assert_eq!(notes[..2], [audit("tenant-credentials"), audit("tenant-credentials-rotate")]);
    // What is set where it is used is what can be read.
    let sealed = notes[2].split(' ').next_back().unwrap();
    let set = world.secrets.open(&TenantName::new("default").unwrap(), None, sealed).unwrap();
    assert_eq!(second["password"], set.as_str());
    assert_eq!(world.ask("POST", &path, json!({"which": "key"})).await.0, 400);
}

#[tokio::test]
async fn a_password_of_a_database_is_brought_there_by_a_run_and_the_one_before_stays_if_that_fails() {
    let world = World::new().await;
    let tenant = world.signed_up("acme", "pro", &["ready"]).await;
    let id = tenant["id"].as_str().unwrap();
    let (path, rotate) = (format!("/{id}/credentials"), format!("/{id}/credentials/rotate"));
    let until = async |state: &str| {
        loop {
            let (_, tenant) = world.ask("GET", &format!("/{id}"), Value::Null).await;
            if tenant["repairs"][0]["state"] == state {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    assert!(world.ask("POST", &rotate, json!({"which": "database"})).await.1["run"].is_string());
    until("done").await;
    let (status, read) = world.ask("POST", &path, json!({"which": "database"})).await;
    assert_eq!((status, read["password"].as_str().unwrap().len()), (200, 43), "{read}");
    world.outside.set_failing("database apply", true);
    world.ask("POST", &rotate, json!({"which": "database"})).await;
    until("failed").await;
    assert_eq!(world.ask("POST", &path, json!({"which": "database"})).await.0, 409);
}
