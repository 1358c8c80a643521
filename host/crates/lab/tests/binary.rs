//! The program `lab`: says where it is, and goes when its standard input is closed or SIGTERM comes.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

fn start(arguments: &[&str]) -> (Child, Value) {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    let mut child = lab.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

#[test]
fn it_prints_urls_that_answer_and_goes_with_its_standard_input() {
    let (mut child, urls) = start(&[]);
    let urls = urls.as_object().unwrap();
    assert_eq!(urls.keys().collect::<Vec<_>>(), ["activation", "billing", "catalogue", "device_inventory", "element", "inventory", "profiles"]);
    for url in urls.values() {
        TcpStream::connect(url.as_str().unwrap().strip_prefix("http://").unwrap()).unwrap();
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn it_goes_when_it_is_told_to() {
    let (mut child, _) = start(&["--activation-ms", "0"]);
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success() && child.wait().unwrap().success());
}

#[test]
fn what_it_cannot_use_it_names() {
    let run = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_lab")).args(arguments).stdin(Stdio::null()).output().unwrap();
    let output = run(&["--catalogue", "/nowhere/c.json"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("the catalogue /nowhere/c.json cannot be read"));
    let output = run(&["--ports", "0,0,0,0,0,0,0,0"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("at most seven ports"), "{output:?}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["--ports", &format!("0,0,0,{port},0")]);
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("the billing cannot listen on 127.0.0.1:{port}")));
}

#[test]
fn devices_say_what_they_see_and_do_what_they_are_told() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let acs = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let arguments = ["devices", "--acs", &acs, "--tr181", "1", "--tr098", "1", "--liar", "1", "--retry-ms", "60000"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_lab")).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = |key: &str| loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if line.get(key).is_some() {
            return line;
        }
    };
    assert_eq!(next("serial")["device"], "0AF0CC-FN%2D100G-F0000001");
    assert_eq!(next("serial")["device"], "0A11CE-NR%2D2200-R0000001");
    let session = next("session")["session"].clone();
    assert_eq!((&session["events"], session["ended"]["lost"].is_string()), (&serde_json::json!(["0 BOOTSTRAP", "1 BOOT"]), true), "{session}");
    writeln!(input, "change R0000001 Device.WiFi.SSID.1.SSID My own").unwrap();
    writeln!(input, "value R0000001 Device.WiFi.SSID.1.SSID").unwrap();
    assert_eq!(next("value")["value"], "My own");
    writeln!(input, "explode R0000001").unwrap();
    assert!(next("error")["error"].as_str().unwrap().starts_with("expected `reboot SERIAL`"));
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_device_that_cannot_live_ends_the_program_and_is_named() {
    let arguments = ["devices", "--acs", "ftp://acs/", "--tr181", "1"];
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_lab")).args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // Its standard input stays open.
    let _input = child.stdin.take().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("Error: the device 0A11CE-NR%2D2200-R0000001 cannot begin a session: \"ftp://acs/\" is no address"), "{said}");
}

#[test]
fn a_storm_is_one_line() {
    let arguments = ["storm", "--acs", "http://127.0.0.1:1/", "--count", "3", "--attempts", "1"];
    let output = Command::new(env!("CARGO_BIN_EXE_lab")).args(arguments).output().unwrap();
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&line["report"]["unfinished"], &line["report"]["lost"]), (&3.into(), &3.into()), "{line}");
}
