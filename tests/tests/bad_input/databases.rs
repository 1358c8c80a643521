//! Databases that cannot be used, with orders under way: nothing of them is changed, and the binary that fits goes on with them.

use std::{fs, path::Path};

use end_to_end_tests::harness::{Host, Lab, jackfield, until};
use rusqlite::{Connection, config::DbConfig};
use serde_json::json;

use super::{order, post, setup};

/// Submits an order and kills the host in the middle of it, so that its journal is partly in the write-ahead log.
fn in_the_middle(lab: &Lab, host: &mut Host) -> String {
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 600_000}));
    let id = host.submit(&order("fibre-100"));
    until("the call", || lab.asked("activation", "POST") == 1);
    host.kill();
    id
}

/// Changes the database as another program would, without moving its log.
fn change(path: &Path, sql: &str) {
    let store = Connection::open(path).unwrap();
    store.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    store.execute_batch(sql).unwrap();
}

/// The database and its log, byte for byte.
fn bytes(path: &Path) -> [Vec<u8>; 2] {
    ["jackfield.db", "jackfield.db-wal"].map(|name| fs::read(path.with_file_name(name)).unwrap_or_default())
}

#[test]
fn an_older_binary_refuses_a_newer_store_with_live_runs_untouched() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let id = in_the_middle(&lab, &mut host);
    let known: i64 = Connection::open(host.database()).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    change(&host.database(), "PRAGMA user_version = 1000");
    let before = bytes(&host.database());
    assert!(!before[1].is_empty(), "the runs are in the log");
    let newer = format!("has database version 1000, this binary knows versions up to {known}: use the newer binary, nothing was changed");
    host.type_in(&["serve"]).bad(1, &["store.path: ", &newer]);
    host.type_in(&["serve"]).bad(1, &[&newer]);
    assert!(bytes(&host.database()) == before, "the older binary has changed the newer store");
    // The binary that knows the version goes on with the run.
    change(&host.database(), &format!("PRAGMA user_version = {known}"));
    host.restart();
    host.wait(&id, &["completed"]);
    assert_eq!(lab.effects("activation", "created"), 1);
}

#[test]
fn a_second_host_is_refused_and_the_first_is_not_harmed() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 2_000}));
    let id = host.submit(&order("fibre-100"));
    until("the call", || lab.asked("activation", "POST") == 1);
    let refused = format!("is open in another process (process id {})", host.pid().as_raw_nonzero());
    host.type_in(&["serve"]).bad(1, &["store.path: ", &refused]);
    host.wait(&id, &["completed"]);
    assert_eq!((lab.asked("activation", "POST"), lab.effects("billing", "created")), (1, 1));
    assert!(host.directory().join("jackfield-data/endpoint").exists(), "commands still find the first");
    host.type_in(&["order", "show", &id]).good(&["completed"]);
}

#[test]
fn a_damaged_store_is_refused_or_says_what_is_damaged_and_a_backup_brings_the_orders_back() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let ids: Vec<String> = (0..4).map(|_| host.submit(&order("fibre-100"))).collect();
    for id in &ids {
        host.wait(id, &["completed"]);
    }
    host.type_in(&["backup", "copy.db"]).good(&[]);
    assert_eq!(host.terminate(), Some(0));
    let whole = fs::read(host.database()).unwrap();
    let page = 4096;
    let mut schema = whole.clone();
    schema[100..page].fill(0x5a);
    let mut zeroed = whole.clone();
    zeroed[..100].fill(0);
    for (damaged, expected) in [(whole[..whole.len() / 2].to_vec(), "is damaged: "), (schema, "is damaged: "), (zeroed, "is not an SQLite database")]
    {
        fs::write(host.database(), &damaged).unwrap();
        host.type_in(&["serve"]).bad(1, &["store.path: ", expected]);
        assert!(fs::read(host.database()).unwrap() == damaged);
        host.type_in(&["order", "list"]).bad(6, &["no host serves from "]);
    }
    fs::rename(host.directory().join("jackfield-data"), host.directory().join("damaged")).unwrap();
    host.type_in(&["restore", "copy.db"]).good(&["restored "]);
    host.restart();
    for id in &ids {
        assert_eq!(host.order(id)["state"], "completed");
    }
}

#[test]
fn damage_that_is_found_while_serving_ends_the_process_and_loses_nothing() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["completed"]);
    assert_eq!(host.terminate(), Some(0));
    let sql = "SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = 'documents_by_rank'";
    let index: u32 = Connection::open(host.database()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap();
    let index = usize::try_from(index).unwrap();
    let whole = fs::read(host.database()).unwrap();
    let mut damaged = whole.clone();
    damaged[index..index + 512].fill(0x5a);
    fs::write(host.database(), damaged).unwrap();
    // Nothing reads that page at the start.
    host.restart();
    assert_eq!(host.order(&id)["state"], "completed");
    let refused = post(&host, &order("fibre-100"));
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.body["message"].as_str().unwrap().contains("the store failed: database disk image is malformed"), "{}", refused.body);
    assert_eq!(host.exit(), Some(1), "{}", host.log());
    assert!(host.log().contains("the store cannot be used any more: the store failed: database disk image is malformed"), "{}", host.log());
    // With the page as it was, everything is as it was.
    for name in ["jackfield.db-wal", "jackfield.db-shm"] {
        fs::remove_file(host.database().with_file_name(name)).ok();
    }
    fs::write(host.database(), whole).unwrap();
    host.restart();
    assert_eq!(host.order(&id)["state"], "completed");
    assert_eq!(host.request("GET", super::ORDERS, &[], "").header("x-total-count"), Some("1"), "what was refused is not there");
    host.wait(&host.submit(&order("fibre-100")), &["completed"]);
}

#[test]
fn a_place_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |path: &str, parts: &[&str]| {
        let config = format!("[http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = {path:?}\n");
        fs::write(directory.path().join("jackfield.toml"), config).unwrap();
        jackfield(directory.path(), &["serve"]).bad(1, &[&["store.path: ", path], parts].concat());
    };
    fs::write(directory.path().join("file"), "x").unwrap();
    fs::create_dir(directory.path().join("directory")).unwrap();
    change(&directory.path().join("theirs.db"), "CREATE TABLE theirs (x)");
    refused("file/store.db", &["cannot be given a directory: "]);
    refused("directory", &["cannot be read: Is a directory"]);
    refused("theirs.db", &["is a database of another program: its application id is 0x00000000, expected 0x4a4b4644"]);
    refused("/proc/self/none/store.db", &["cannot be given a directory: "]);
    // Not even root may make a file there.
    refused("/sys/store.db", &["cannot be opened: Permission denied"]);
    assert_eq!(Connection::open(directory.path().join("theirs.db")).unwrap().query_row("SELECT count(*) FROM theirs", [], |row| row.get(0)), Ok(0));
}
