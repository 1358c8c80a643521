//! A build that is taken back while runs are pinned to it: their calls are held, those of new runs go to the build that is there now.

use std::fs;

use end_to_end_tests::harness::{Setup, orders, plugin, until};
use package::{digest_of, sign};
use serde_json::{Value, json};

use crate::{key, publisher};

#[test]
fn a_build_that_was_taken_back_is_not_called_by_runs_that_are_pinned_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("noop.wasm");
    let bare = fs::read(plugin("noop")).unwrap();
    let (first, second) = (sign(&bare, &key(1)).unwrap(), sign(&bare, &key(2)).unwrap());
    fs::write(&file, &first).unwrap();
    let trust =
        publisher(1, "").replace("acme-*", "noop") + &publisher(2, "").replace("acme-*", "noop").replace("publishers.acme", "publishers.other");
    let mut host = Setup::default().trust(&trust).plugin("noop", Value::Null).instead("noop", &file).start();
    let mut order = orders::order("fibre-100");
    order["relatedParty"] = json!([{"id": "waits", "role": "customer", "@referredType": "Individual"}]);
    let waiting = host.submit(&order);
    until("a pending activation", || host.run(&waiting).to_string().contains("job-1"));
    assert_eq!(host.terminate(), Some(0));

    // The same code, signed by somebody else, is another build.
    fs::write(&file, &second).unwrap();
    let config = host.directory().join("jackfield.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replacen("[trust]\n", &format!("[trust]\nrevoked_digests = [\"{}\"]\n", digest_of(&first)), 1)).unwrap();
    host.restart();
    host.wait(&waiting, &["held"]);
    let reason = format!("its digest {} is in [trust] revoked_digests", digest_of(&first));
    assert!(host.run(&waiting).to_string().contains(&reason), "{:#}", host.run(&waiting));
    let new = host.submit(&orders::order("fibre-100"));
    host.wait(&new, &["completed"]);
}
