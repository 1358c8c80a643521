//! Configurations that cannot be used stop the start before anything is opened.

use crate::support::Place;

fn check(config: impl AsRef<[u8]>, expected: &[&str]) {
    let place = Place::of("");
    place.write("jackfield.toml", &config);
    place.run(&["serve"]).bad(1, expected);
    assert!(!place.path("jackfield-data").exists(), "something was opened: {}", String::from_utf8_lossy(config.as_ref()));
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
    check("<config/>", &["jackfield.toml: line 1:"]);
    check(b"[http]\n# caf\xe9\n", &["jackfield.toml: line 2: byte 12 of the file is not UTF-8: expected TOML"]);
    check("[http]\nlisten = \"127.0.0.1:0\"\nlisten = \"127.0.0.1:1\"", &["jackfield.toml: line 3: duplicate key"]);
    check("[http]\nmax_connections = 0", &["http.max_connections is 0: expected a number from 1 to 1000000"]);
    check("[http]\nreceive_ms = 0", &["http.receive_ms is 0: expected a number from 1 to 86400000"]);
    check("[http]\ndrain_ms = -1", &["line 2: invalid value: integer `-1`, expected u64"]);
    check("[engine]\nmax_driven = 0", &["engine.max_driven is 0: expected a number from 1 to 1000000"]);
    check("[runtime.limits]\ncpu = 5", &["unknown field `cpu`", "the nearest known key is `cpu_ms`"]);
    check("[orders.billing]\ntimeout_ms = 5", &["unknown field `billing`", "the nearest known key is `billing_setup`"]);
    check("[plugins.x]\npaht = \"x.wasm\"", &["unknown field `paht`", "the nearest known key is `path`"]);
    check(format!("[tokens]\nadmin = \"{}\"", "0".repeat(64)), &["tokens.admin: the name is the administrator's", "expected another name"]);
}

#[test]
fn a_grant_that_cannot_be_used_is_refused_before_anything_is_opened() {
    let check = |grant: &str, expected: &str| {
        check(format!("[plugins.tester]\npath = \"plugin.wasm\"\n[plugins.tester.grant]\n{grant}"), &["plugins.tester: ", expected]);
    };
    check(
        "htp = {}",
        "grant: unknown field `htp`, expected one of `http`, `tcp`, `secrets`, `keyvalue`, `config`, `limits`; the nearest known key is `http`",
    );
    check("http.element = { url = \"http://127.0.0.1:1\", method = [\"GET\"] }", "grant.http.element: unknown field `method`");
    check("http.element = {}", "grant.http.element: missing field `url`");
    check("keyvalue = \"yes\"", "grant: invalid type: string \"yes\", expected a boolean");
    check("http.element = { url = \"http://h\", auth = { bearer = \"env:JACKFIELD_TEST_NO_SUCH_SECRET\" } }", "the environment has no variable");
    check("http.element = { url = \"http://h\", headers = { key = \"file:absent\" } }", "grant.http.element.headers.key: ");
    check("http.element = { url = \"http://h\", headers = { key = \"file:absent\" } }", "absent cannot be read: No such file");
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let place = Place::new();
    place.run(&["serve", "--config", "other.toml"]).bad(1, &["other.toml cannot be read: No such file"]);
    place.run(&["order", "list", "--config", "other.toml"]).bad(1, &["other.toml cannot be read: No such file"]);
    place.run(&["serve", "--config", "."]).bad(1, &[". cannot be read: Is a directory"]);
    std::fs::remove_file(place.path("jackfield.toml")).unwrap();
    place.run(&["serve"]).bad(1, &["jackfield.toml cannot be read: No such file"]);
}

#[test]
fn a_port_that_is_taken_is_named_before_the_store_is_touched() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let place = Place::of(&format!("[http]\nlisten = \"{address}\""));
    place.run(&["serve"]).bad(1, &[&format!("http.listen: cannot listen on {address}: Address already in use")]);
    assert!(!place.path("jackfield-data").exists());
}

#[test]
fn without_an_address_nobody_but_this_machine_is_listened_to() {
    // Whoever has the port, this test or somebody else: the host is told the address that it would have taken.
    let _taken = std::net::TcpListener::bind("127.0.0.1:8640");
    Place::of("").run(&["serve"]).bad(1, &["http.listen: cannot listen on 127.0.0.1:8640: Address already in use"]);
}
