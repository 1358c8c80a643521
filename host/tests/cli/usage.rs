//! Wrong usage, tokens, and hosts that cannot be reached.

use crate::support::Place;

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = Place::new().run(&["--help"]).good();
    for line in [
        "0  done",
        "1  failed",
        "2  wrong usage",
        "3  a drain ran out of time",
        "4  what was named does not exist",
        "5  refused",
        "6  the host cannot be reached",
    ] {
        assert!(help.contains(line), "{help}");
    }
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let place = Place::new();
    place.run(&["fly"]).bad(2, &["unrecognized subcommand 'fly'"]);
    place.run(&["run", "list", "--state", "tired"]).bad(2, &["invalid value 'tired'", "active, waiting, held, stuck, ended"]);
    place.run(&["run", "resolve", "x", "retry"]).bad(2, &["--by <NAME>", "--note <TEXT>"]);
    place.run(&["run", "resolve", "x", "skip-with", "--by", "ann", "--note", "n"]).bad(2, &["skip-with needs a file with the JSON to use"]);
    place.run(&["order", "list", "--url", "http://127.0.0.1:1"]).bad(2, &["--token-file <FILE>"]);
    place.run(&["token", "new", "a b"]).bad(2, &["`a b` cannot be the name of a token"]);
    place.run(&["plugin", "new", "Upper", "--contract", "billing"]).bad(2, &["`Upper` cannot be the name of a plugin"]);
}

#[test]
fn a_host_that_does_not_run_is_told_apart_from_one_that_refuses() {
    let place = Place::new();
    place
        .run(&["order", "list"])
        .bad(6, &["no host serves from ", "there is no file `endpoint`; start one with `jackfield serve --config jackfield.toml`"]);
    place.write("data/endpoint", "http://127.0.0.1:1\n");
    place.run(&["order", "list"]).bad(1, &["data/admin-token cannot be read", "expected a file with a token"]);
    place.write("data/admin-token", "abc");
    place.run(&["order", "list"]).bad(6, &["http://127.0.0.1:1 cannot be reached: ", "expected a running host"]);
    let token = place.write("token", "abc");
    let token = token.to_str().unwrap();
    place.run(&["run", "list", "--url", "https://127.0.0.1:1", "--token-file", token]).bad(2, &["this command speaks plain http only"]);
    place.run(&["run", "list", "--url", "http://127.0.0.1:1", "--token-file", token]).bad(6, &["http://127.0.0.1:1 cannot be reached"]);
}
