//! A disk without room, as it is: a small file system that somebody else fills. It is mounted in a namespace of the host's own, and gone with the host.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use end_to_end_tests::harness::{Lab, not_run, until};
use serde_json::json;

use super::{order, post, setup};

/// Room for the store with its plugins, and some for orders.
const SIZE: &str = "16m";

/// Runs what follows in a mount namespace, as root or as a user who is root in it.
fn namespace() -> &'static [&'static str] {
    if rustix::process::geteuid().is_root() { &["unshare", "--mount"] } else { &["unshare", "--user", "--map-root-user", "--mount"] }
}

/// Why no file system can be mounted here.
fn obstacle() -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let mut words = namespace().iter();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(directory.path());
    match command.output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Some(format!("{} cannot be run: {error}", namespace()[0])),
    }
}

/// Fills what room there is.
fn fill(path: &Path) {
    let mut ballast = File::create(path).unwrap();
    for size in [64 * 1024, 512, 1] {
        while ballast.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

#[test]
fn orders_wait_while_the_file_system_is_full_and_go_on_when_there_is_room() {
    if let Some(reason) = obstacle() {
        return not_run("full-mount", &format!("no small file system can be mounted: {reason}"), "run the tests as root");
    }
    let lab = Lab::start();
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("jackfield-data");
    // The token of the first start is needed outside of the namespace as well, so the store is made outside and moved in.
    let mut host = setup(&lab).start_in(directory);
    assert_eq!(host.terminate(), Some(0));
    let moves_in = format!(
        "mkdir {0}.seed && mv {0}/jackfield.db {0}/admin-token.blake3 {0}.seed && mount -t tmpfs -o size={SIZE} tmpfs {0} && mv {0}.seed/* {0} && exec \"$@\"",
        data.display()
    );
    let within: Vec<&str> = namespace().iter().copied().chain(["sh", "-c", &moves_in, "sh"]).collect();
    host.restart_within(&within);

    lab.switch("activation", "delay", json!({"method": "POST", "ms": 4_000, "count": 3}));
    let mut orders = [(); 3].map(|()| host.submit(&order("fibre-100"))).to_vec();
    until("the three calls", || lab.asked("activation", "POST") == 3);
    let inside = PathBuf::from(format!("/proc/{}/root", host.pid().as_raw_nonzero())).join(data.strip_prefix("/").unwrap());
    fill(&inside.join("ballast"));
    // The last bytes of the log may have room for one more.
    let refused = loop {
        let answer = post(&host, &order("fibre-100"));
        match answer.body["id"].as_str() {
            Some(id) => orders.push(id.to_owned()),
            None => break answer,
        }
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{}", refused.body);
    assert!(refused.body["message"].as_str().unwrap().contains("database or disk is full"), "{}", refused.body);
    until("the three effects", || lab.effects("activation", "created") >= 3);
    until("the wait for room", || host.log().contains("the journal cannot be written to, trying again"));
    assert_eq!((host.request("GET", "/healthz", &[], "").status, host.order(&orders[0])["state"].as_str()), (200, Some("inProgress")));
    assert!(host.is_alive(), "{}", host.log());

    std::fs::remove_file(inside.join("ballast")).unwrap();
    for id in &orders {
        host.wait(id, &["completed"]);
    }
    assert_eq!((lab.asked("activation", "POST"), lab.asked("billing", "POST")), (orders.len(), orders.len()), "no call was made twice");
    assert_eq!(host.terminate(), Some(0));
}
