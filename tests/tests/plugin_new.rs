//! `jackfield plugin new` for every contract: what it makes passes its own tests, builds, is accepted and can be called, in a directory that knows nothing of
//! this workspace.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use end_to_end_tests::harness::{binary, target_directory};
use serde_json::{Value, json};

/// The repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A crate that was generated, with its component.
struct Made {
    directory: tempfile::TempDir,
    component: PathBuf,
}

#[test]
fn a_new_inventory_plugin_gives_a_resource_and_takes_it_back() {
    let made = make("inventory");
    let done = made.call(&["--input", "@request.json", "--keys", "keys.json"]);
    assert_eq!((&done["outcome"], &done["output"]["id"]), (&json!("done"), &json!("olt-1/port/1")));
    let again = made.call(&["--input", "@request.json", "--keys", "keys.json"]);
    assert_eq!(again["output"], done["output"]);
    let ours = made.call(&["--verb", "observe", "--input", "@request.json", "--keys", "keys.json"]);
    assert_eq!((&ours["observed"], &ours["output"]), (&json!("ours"), &done["output"]));
    let undone = made.call(&["--verb", "undo", "--input", &done["output"].to_string(), "--keys", "keys.json"]);
    assert_eq!(undone["outcome"], "undone");
    let absent = made.call(&["--verb", "observe", "--input", "@request.json", "--keys", "keys.json"]);
    assert_eq!(absent["observed"], "absent");
}

#[test]
fn a_new_catalog_plugin_decomposes_an_offering() {
    let done = make("catalog").call(&["--input", "@request.json"]);
    assert_eq!(done["output"]["services"][0]["name"], "broadband-access");
}

#[test]
fn a_new_provisioning_plugin_configures_over_http() {
    let made = make("provisioning");
    let back_end = made.answering("{}");
    let done = made.call(&["--input", "@request.json"]);
    assert_eq!((&done["output"]["result"], &done["sent"]), (&json!("configured"), &json!(true)));
    assert!(back_end.recv().unwrap().starts_with("PUT /configurations/"));
}

#[test]
fn a_new_activation_plugin_waits_until_the_service_is_active() {
    let made = make("activation");
    let _back_end = made.answering(r#"{"id": "s1", "state": "activating"}"#);
    let pending = made.call(&["--input", "@request.json"]);
    assert_eq!(pending["outcome"], "pending");
    let _back_end = made.answering(r#"{"id": "s1", "state": "activating"}"#);
    let found = made.call(&["--verb", "observe", "--input", "@request.json"]);
    assert_eq!((&found["outcome"], &found["observed"], &found["checkpoint"]), (&json!("observed"), &json!("pending"), &pending["checkpoint"]));
    let _back_end = made.answering(r#"{"id": "s1", "state": "active", "testPassed": true}"#);
    let resume = json!({"checkpoint": pending["checkpoint"], "signal": "timer"}).to_string();
    let done = made.call(&["--verb", "resume", "--input", &resume]);
    assert_eq!((&done["output"]["result"], &done["output"]["test-passed"]), (&json!("active"), &json!(true)));
}

#[test]
fn a_new_billing_plugin_sets_up_an_account() {
    let made = make("billing");
    let _back_end = made.answering(r#"{"id": "a1", "plan": "fiber-100-monthly", "effectiveDate": "2031-05-01"}"#);
    let done = made.call(&["--input", "@request.json"]);
    assert_eq!((&done["output"]["plan"], &done["output"]["effective-date"]), (&json!("fiber-100-monthly"), &json!("2031-05-01")));
}

#[test]
fn a_new_storage_plugin_makes_a_bucket() {
    let made = make("storage");
    let back_end = made.answering(r#"{"owner": "t-1", "region": "eu-1", "labels": {"cost-centre": "4711"}}"#);
    let done = made.call(&["--input", "@request.json"]);
    assert_eq!(done["output"], json!({"bucket": "tenant-acme", "region": "eu-1", "provider": "new-storage", "owner": "t-1"}));
    assert!(back_end.recv().unwrap().starts_with("PUT /buckets/tenant-acme "));
    let ours = made.call(&["--verb", "observe", "--input", "@request.json"]);
    assert_eq!((&ours["observed"], &ours["output"]), (&json!("ours"), &done["output"]));
}

#[test]
fn a_new_integration_plugin_tells_of_a_tenant() {
    let made = make("integration");
    let back_end = made.answering("{}");
    let done = made.call(&["--input", "@request.json"]);
    assert_eq!(done["output"], json!({"integration": "crm", "id": "t-1"}));
    assert!(back_end.recv().unwrap().starts_with("PUT /customers/t-1 "));
    let undone = made.call(&["--verb", "undo", "--input", &done["output"].to_string()]);
    assert_eq!(undone["outcome"], "undone");
}

#[test]
fn a_new_mail_plugin_hands_a_message_over() {
    let made = make("mail");
    let back_end = made.answering(r#"{"id": "m-7"}"#);
    let done = made.call(&["--input", "@request.json"]);
    assert_eq!(done["output"], json!({"message-id": "run-1.welcome@app.example", "answer": "m-7"}));
    assert!(back_end.recv().unwrap().starts_with("POST /messages "));
}

#[test]
fn a_new_configuration_plugin_builds_parameters() {
    let done = make("configuration").call(&["--input", "@request.json"]);
    let expected = json!([{"name": "Device.WiFi.SSID.2.SSID", "value": {"text": "home"}, "kind": "string"}]);
    assert_eq!(done["output"]["assignments"], expected);
}

#[test]
fn a_new_dns_plugin_looks_at_a_zone() {
    let made = make("dns");
    let back_end = made.answering("[]");
    let absent = made.call(&["--verb", "observe", "--input", "@request.json"]);
    assert_eq!(absent["observed"], "absent");
    assert!(back_end.recv().unwrap().starts_with("GET /zones/app.example.test/sets?name=_jackfield-owner.acme.app.example.test "));
}

/// Generates a crate, runs its tests, builds its component and has it checked.
fn make(contract: &str) -> Made {
    let directory = tempfile::tempdir().unwrap();
    let name = format!("new-{contract}");
    let sdk = Path::new(ROOT).join("plugin-sdk");
    let new = ["plugin", "new", &name, "--contract", contract, "--path", "made", "--sdk", sdk.to_str().unwrap()];
    good(Command::new(binary("jackfield")).args(new).current_dir(&directory));
    let made = directory.path().join("made");
    // The versions of this workspace, so that nothing has to be fetched.
    fs::copy(Path::new(ROOT).join("Cargo.lock"), made.join("Cargo.lock")).unwrap();
    let tested = good(&mut cargo(&made, &["test"]));
    let own = tested.lines().find(|line| line.starts_with("test result: ok. ")).unwrap_or_default();
    assert!(!own.is_empty() && !own.contains(" 0 passed"), "{tested}");
    good(&mut cargo(&made, &["build", "--release", "--target", "wasm32-wasip2"]));
    let component = target().join("wasm32-wasip2/release").join(format!("{}.wasm", name.replace('-', "_")));
    let checked = good(Command::new(binary("jackfield")).args(["plugin", "check"]).arg(&component));
    assert!(checked.starts_with(&format!("{name} 0.1.0: good")), "{checked}");
    Made { directory, component }
}

impl Made {
    /// One call with the grant that was generated.
    fn call(&self, more: &[&str]) -> Value {
        let mut call = Command::new(binary("jackfield"));
        call.args(["plugin", "call"]).arg(&self.component).args(["--grant", "grant.toml"]).args(more).current_dir(self.directory.path().join("made"));
        serde_json::from_str(&good(&mut call)).unwrap()
    }

    /// A back end that answers every request with that JSON and tells their first lines; the grant leads to it.
    fn answering(&self, body: &'static str) -> std::sync::mpsc::Receiver<String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let grant = self.directory.path().join("made/grant.toml");
        let text = fs::read_to_string(&grant).unwrap();
        let url = format!("url = \"http://{}\"", listener.local_addr().unwrap());
        let lines: Vec<&str> = text.lines().map(|line| if line.starts_with("url = ") { url.as_str() } else { line }).collect();
        fs::write(grant, lines.join("\n")).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        // The thread ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _nobody_asks = tell.send(answer(stream.unwrap(), body));
            }
        });
        told
    }
}

/// Reads one request, answers it, closes the connection.
fn answer(stream: TcpStream, body: &str) -> String {
    let mut reader = BufReader::new(&stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    reader.take(length).read_to_end(&mut Vec::new()).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    (&stream).write_all(format!("{head}{body}").as_bytes()).unwrap();
    first
}

/// Where all generated crates are built, so that the dependencies are built once.
fn target() -> PathBuf {
    target_directory().join("plugin-new")
}

fn cargo(directory: &Path, arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).arg("--offline").current_dir(directory).env("CARGO_TARGET_DIR", target());
    cargo
}

/// Runs a program that must succeed and returns what it printed.
fn good(program: &mut Command) -> String {
    let Output { status, stdout, stderr } = program.output().unwrap();
    assert!(status.success(), "{program:?}\n{}\n{}", String::from_utf8_lossy(&stderr), String::from_utf8_lossy(&stdout));
    String::from_utf8(stdout).unwrap()
}
