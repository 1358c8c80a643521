//! Configurations that cannot be used stop the start before anything is opened.

use crate::support::Place;

fn check(config: &str, expected: &[&str]) {
    let place = Place::of(config);
    place.run(&["serve"]).bad(1, expected);
    assert!(!place.path("jackfield-data").exists(), "something was opened: {config}");
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused_with_its_place() {
    check("[http]\nlissten = \"127.0.0.1:0\"", &["jackfield.toml: line 2: unknown field `lissten`", "the nearest known key is `listen`"]);
    check("[htp]\nlisten = \"127.0.0.1:0\"", &["unknown field `htp`", "the nearest known key is `http`"]);
    check("[http]\nlisten = 8640", &["line 2: invalid type: integer `8640`, expected socket address"]);
    check("[http]\ndrain_ms = \"soon\"", &["line 2: invalid type: string \"soon\", expected u64"]);
    check("[http\n", &["jackfield.toml: line 1:"]);
    check("[tokens]\nann = \"s3cret\"", &["tokens.ann: expected the blake3 hash of the token", "jackfield token new NAME"]);
    check("[bindings]\n\"jackfield:order/billing@1\" = \"b\"", &["there is no [plugins.b]"]);
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let place = Place::new();
    place.run(&["serve", "--config", "other.toml"]).bad(1, &["other.toml cannot be read: No such file"]);
    place.run(&["order", "list", "--config", "other.toml"]).bad(1, &["other.toml cannot be read: No such file"]);
}

#[test]
fn a_port_that_is_taken_is_named_before_the_store_is_touched() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let place = Place::of(&format!("[http]\nlisten = \"{address}\""));
    place.run(&["serve"]).bad(1, &[&format!("http.listen: cannot listen on {address}: Address already in use")]);
    assert!(!place.path("jackfield-data").exists());
}
