//! Files that a device fetches because an operator says so.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::mpsc::{self, Receiver},
};

use end_to_end_tests::harness::until;
use lab::device::Model;

use super::support::{alive, base, cli, device, import, key, stock};

/// A file server that wants to know who asks: the address, and the heads of the requests.
fn file_server() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (seen, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let head = head.join("\n");
            let answer = if head.to_lowercase().contains("\nauthorization:") {
                "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nfirmware"
            } else {
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"files\", nonce=\"n1\", qop=\"auth\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            };
            let _device_gone = stream.write_all(answer.as_bytes());
            let _test_over = seen.send(head);
        }
    });
    (address, requests)
}

#[test]
fn a_firmware_is_fetched_and_the_command_is_done_when_the_device_says_so() {
    let host = base("", "[cpe.wake]\nreach = [\"127.0.0.1\"]\ninterval_ms = 1").start();
    import(&host, &stock(Model::Tr181Router, "R0000001"));
    let router = alive(device(&host, Model::Tr181Router, "R0000001", |_| {}));
    let key = key(&router.device);
    until("the provisioning", || cli(&host, &["cpe", "list", "--state", "provisioned"]).contains(&key));
    let (address, requests) = file_server();
    std::fs::write(host.directory().join("password"), "file-secret-1\n").unwrap();
    let url = format!("{address}/NR-9.9.bin");
    let arguments = ["cpe", "download", &key, &url, "--size", "8", "--username", "files", "--password-file", "password", "--wait"];
    assert!(cli(&host, &arguments).starts_with(&format!("download of {key} is done")));
    let heads: Vec<String> = requests.try_iter().collect();
    assert!(heads.len() == 2 && heads[1].contains("Digest username=\"files\""), "{heads:?}");
    assert_eq!(router.device.value("Device.DeviceInfo.SoftwareVersion").as_deref(), Some("NR-9.9"));
    until("the new firmware", || cli(&host, &["cpe", "show", &key]).contains("software-version  NR-9.9"));
    let store = std::fs::read(host.database()).unwrap();
    let secret = b"file-secret-1";
    assert!(!store.windows(secret.len()).any(|window| window == secret) && !host.log().contains("file-secret-1"));

    // A file that is not there is a command that has failed.
    let output = host.cli(&["cpe", "download", &key, &url, "--size", "9", "--username", "files", "--password-file", "password", "--wait"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(1) && said.contains(&format!("download of {key}: ")) && said.contains("file corrupted"), "{said}");
}
