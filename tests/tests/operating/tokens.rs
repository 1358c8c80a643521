//! Tokens: what opens the interface, where it is kept, and how it is taken away.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use end_to_end_tests::harness::{self, Setup};
use serde_json::json;

use super::held;

const RUNS: &str = "/api/v1/runs";

/// Whether any file below a directory holds a text, but for one.
fn holds(directory: &Path, text: &str, except: &str) -> bool {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, text, except);
        }
        !path.ends_with(except) && fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn the_first_start_makes_the_administrator_s_token_and_says_where_it_is() {
    let mut host = Setup::default().start();
    let data = host.directory().join("jackfield-data");
    let file = data.join("admin-token");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&data)), (0o600, 0o700));
    assert!(host.log().contains(&format!("the administrator's token was written to {}", file.display())), "{}", host.log());
    let token = host.token();
    assert!(token.len() == 64 && !host.log().contains(&token) && !holds(host.directory(), &token, "admin-token"));

    // Later starts keep it, also when its owner has taken the file away.
    host.terminate();
    fs::rename(&file, host.directory().join("kept")).unwrap();
    host.restart();
    assert!(!file.exists() && host.log().matches("token was written").count() == 1, "{}", host.log());
    host.type_in(&["run", "list", "--token-file", "kept"]).good(&["RUN"]);
    host.type_in(&["run", "list"]).bad(1, &["admin-token cannot be read", "expected a file with a token"]);
    // A new one is made when both files are gone; the old one is worth nothing then.
    host.terminate();
    fs::remove_file(data.join("admin-token.blake3")).unwrap();
    host.restart();
    host.type_in(&["run", "list"]).good(&["RUN"]);
    host.type_in(&["run", "list", "--token-file", "kept"]).bad(5, &["the host does not know the token"]);
}

#[test]
fn a_request_needs_a_token_that_the_host_knows() {
    let host = Setup::default().start();
    let token = host.token();
    let status = |header: &str| {
        let answer = host.send(format!("GET {RUNS} HTTP/1.1\r\nhost: h\r\n{header}connection: close\r\n\r\n").as_bytes());
        let challenged = answer.to_ascii_lowercase().contains("www-authenticate: bearer");
        assert_eq!(challenged, answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(!challenged || answer.contains(r#""reason":"unauthorized""#), "{answer}");
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let longer = format!("{token}0");
    for header in ["", "authorization: \r\n", "authorization: Bearer\r\n", "authorization: Bearer \r\n", "authorization: Basic YWRtaW46\r\n"] {
        assert_eq!(status(header), "401", "{header}");
    }
    for wrong in [&token[1..], longer.as_str(), "\u{e9}", &token.to_ascii_uppercase()] {
        assert_eq!(status(&format!("authorization: Bearer {wrong}\r\n")), "401", "{wrong}");
    }
    assert_eq!(
        (status(&format!("authorization: Bearer {token}\r\n")), status(&format!("Authorization: bearer {token}\r\n"))),
        ("200".into(), "200".into())
    );
    // Without one: health and metrics, which hold no business data, and callbacks, whose path is their token.
    let open = |path: &str| host.send(format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").as_bytes());
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert!(open(path).starts_with("HTTP/1.1 200 "), "{path}");
    }
    for path in [RUNS, "/api/v1/runs/x/summary", "/api/v1/runs/x/trace", "/api/v1/backup", "/tmf-api/productOrderingManagement/v4/productOrder"] {
        assert!(open(path).starts_with("HTTP/1.1 401 "), "{path}");
    }
}

#[test]
fn a_named_token_is_hashed_signs_decisions_and_can_be_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let made = harness::jackfield(directory.path(), &["token", "new", "ann", "--json"]).json();
    let (token, hash) = (made["token"].as_str().unwrap().to_owned(), made["blake3"].as_str().unwrap().to_owned());
    let mut host = Setup::default().config(&format!("[tokens]\nann = \"{hash}\"")).start();
    fs::write(host.directory().join("ann"), &token).unwrap();
    host.type_in(&["run", "list", "--token-file", "ann"]).good(&["RUN"]);
    assert!(!holds(host.directory(), &token, "ann"));

    let by = |id: &str| host.run(id)["records"].as_array().unwrap().last().unwrap().clone();
    let resolve = |id: &str, words: &[&str]| host.type_in(&[&["run", "resolve", id, "fail", "--note", "n", "--by"], words].concat());
    let [own, other] = [(); 2].map(|()| held(&host, "a"));
    resolve(&own, &["ann", "--token-file", "ann"]).good(&[]);
    resolve(&other, &["bob", "--token-file", "ann"]).good(&[]);
    let signed = |id: &str| by(id)["event"]["by"].clone();
    assert_eq!((signed(&own), signed(&other)), (json!("ann"), json!("bob (token of ann)")));

    // Revoked: its line is taken out, and the host is started again.
    host.terminate();
    let config = host.directory().join("jackfield.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace(&format!("ann = \"{hash}\""), "")).unwrap();
    host.restart();
    host.type_in(&["run", "list", "--token-file", "ann"]).bad(5, &["the host does not know the token"]);
    host.type_in(&["run", "list"]).good(&["RUN"]);
}
