//! Rules: what is allowed, what is refused and what an operator is told.

use super::*;
use crate::host::net::Scripted;

fn outside() -> Outside {
    Outside::with(Arc::new(Scripted::new(&[])))
}

fn check(request: &str, expected: &str) {
    let mut rule = HttpRule::to("https://olt.example:8443/base/");
    rule.path = "/restconf/data".to_owned();
    let rules = Rules::new("p".to_owned(), [("olt".to_owned(), Rule::parse(&rule, &outside()).unwrap())].into());
    let (method, uri) = request.split_once(' ').unwrap();
    let found = match rules.check(&method.parse().unwrap(), &uri.parse().unwrap()) {
        Ok(allowed) => allowed.target.to_string(),
        Err(Denial { what, allow }) => format!("{what} / {}", allow.as_deref().unwrap_or("-")),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_request_is_allowed_by_name_method_and_path() {
    check("GET http://olt/restconf/data/x?a=1", "https://olt.example:8443/base/restconf/data/x?a=1");
    check("GET http://olt/restconf//data/./y/../x", "https://olt.example:8443/base/restconf/data/x");
    check("GET http://evil/restconf/data", "GET http://evil/restconf/data was denied: `evil` is not one of the endpoints that are granted: olt / -");
    check(
        "GET http://olt:80/restconf/data",
        "GET http://olt:80/restconf/data was denied: `olt:80` is not one of the endpoints that are granted: olt / -",
    );
    check("GET http://admin:hunter2@olt/restconf/data", "GET http://olt/restconf/data was denied: a user or password in a URL is not sent / -");
    check("GET http://olt/restconf/data#/../../operations", "https://olt.example:8443/base/restconf/data");
    for other in ["olt.", "OLT", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let what = format!("GET http://{other}/ was denied: `{other}` is not one of the endpoints that are granted: olt / -");
        check(&format!("GET http://{other}/"), &what);
    }
    check(
        "PUT http://olt/restconf/data",
        "PUT http://olt/restconf/data was denied: the method is not allowed / http.olt.methods = [\"GET\", \"HEAD\", \"PUT\"]",
    );
    check(
        "GET http://olt/restconf/data/%2e%2e/operations",
        "GET http://olt/restconf/data/%2e%2e/operations was denied: `/restconf/operations` is not below `/restconf/data` / http.olt.path = \"/restconf/operations\"",
    );
}

#[test]
fn an_endpoint_has_one_name_however_its_url_is_written() {
    for (url, origin) in [
        ("http://OLT.example/base", "http://olt.example:80"),
        ("http://olt.example:80/other", "http://olt.example:80"),
        ("https://olt.example", "https://olt.example:443"),
        ("HTTP://[::1]", "http://[::1]:80"),
    ] {
        assert_eq!(*Rule::parse(&HttpRule::to(url), &outside()).unwrap().origin, *origin, "{url}");
    }
}

#[test]
fn a_rule_that_cannot_work_is_refused() {
    let parse = |edit: fn(&mut HttpRule)| {
        let mut rule = HttpRule::to("http://127.0.0.1:1");
        edit(&mut rule);
        Rule::parse(&rule, &outside()).unwrap_err()
    };
    assert_eq!(parse(|r| r.url = "ftp://x".into()), "url: `ftp://x`: expected http:// or https://");
    assert_eq!(parse(|r| r.url = "http://u:p@x/".into()), "url: expected no user or password: use `auth`");
    assert_eq!(parse(|r| r.methods = vec!["get".into()]), "methods: `get` is not a method: expected for example GET, in upper case");
    assert_eq!(parse(|r| r.path = "data".into()), "path: the path does not begin with a slash");
    assert_eq!(parse(|r| r.url = "http://x/?k=s3cret".into()), "url: `http://x/`: expected no query and no fragment");
    assert_eq!(parse(|r| r.url = "http://x/#a".into()), "url: `http://x/`: expected no query and no fragment");
    assert_eq!(
        parse(|r| r.url = "http://2130706433/".into()),
        "url: `2130706433` is no name, and no address as addresses are written: expected for example 192.0.2.1"
    );
    assert_eq!(parse(|r| r.url = "http://x:99999/".into()), "url: `99999` is not a port");
    assert_eq!(parse(|r| r.burst = 3.try_into().ok()), "burst: expected `rate` beside it");
    assert_eq!(
        parse(|r| r.headers = [("Host".to_owned(), Secret::new("evil"))].into()),
        "headers: `Host` belongs to the connection and is set by the host"
    );
    assert_eq!(parse(|r| r.ca = Some("roots.pem".into())), "ca: expected certificates in PEM text, for example by the reference `file:roots.pem`");
}
