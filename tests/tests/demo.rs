//! The demo, as people start it: it succeeds, and it fails when a plugin or a fault that it is to show is taken away.

use std::process::{Command, Output};

use end_to_end_tests::harness::binary;

fn demo(arguments: &[&str]) -> Output {
    Command::new(binary("xtask")).arg("demo").args(arguments).output().expect("the demo runs")
}

/// One after the other: they share `target/demo`.
#[test]
fn the_demo_shows_what_happens_and_notices_what_is_missing() {
    let whole = demo(&[]);
    let (out, err) = (String::from_utf8_lossy(&whole.stdout), String::from_utf8_lossy(&whole.stderr));
    assert!(whole.status.success(), "{out}\n{err}");
    assert!(out.contains("all 14 orders came out as expected") && out.contains("plugin.call billing-rest/apply"), "{out}");
    assert!(out.contains("all 5 devices came out as expected") && out.contains("cwmp SetParameterValues"), "{out}");
    assert!(out.contains("all 5 sign-ups came out as expected") && out.contains("tenant.provision.ssl.complete"), "{out}");
    for (left_out, complaint) in [
        (["--without-plugin", "billing-rest"], "state is \"held\", expected \"completed\""),
        (["--without-fault", "flaky"], "flaky: the number of attempts of provision is 1, expected 3"),
        (["--without-fault", "lost-answer"], "lost-answer: the number of attempts of billing_setup is 1, expected 2"),
    ] {
        let partial = demo(&left_out);
        let err = String::from_utf8_lossy(&partial.stderr);
        assert_eq!(partial.status.code(), Some(1), "{left_out:?}: {err}");
        assert!(err.contains(complaint), "{left_out:?}: {err}");
    }
}
