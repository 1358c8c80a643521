//! The mail server.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
};

use servers::{SmtpOptions, SmtpSink};

/// Sends a message and returns the first letters of the last answer, which is empty when the connection was closed.
fn send(sink: &SmtpSink, to: &str) -> String {
    let stream = TcpStream::connect(sink.address()).unwrap();
    let (mut input, mut output) = (BufReader::new(stream.try_clone().unwrap()), stream);
    let mut ask = |text: &str| {
        output.write_all(text.as_bytes()).unwrap();
        let mut line = String::new();
        // A connection that is reset says as little as one that is closed.
        let _end = input.read_line(&mut line);
        line.chars().take(3).collect::<String>()
    };
    let message = "Message-ID: <run.step@host>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello\r\n..\r\n.\r\n";
    for (text, good) in [("", "220"), ("HELO test\r\n", "250"), ("MAIL FROM:<host@example.test>\r\n", "250")] {
        assert_eq!(ask(text), good);
    }
    for (text, good) in [(format!("RCPT TO:<{to}>\r\n").as_str(), "250"), ("DATA\r\n", "354")] {
        let answer = ask(text);
        if answer != good {
            return answer;
        }
    }
    ask(message)
}

#[test]
fn what_was_received_survives_and_each_failure_is_as_asked() {
    let mut sink = SmtpSink::start().unwrap();
    assert!(sink.received().unwrap().is_empty());
    let sent = [("ann", "250"), ("bounce", "550"), ("greylist", "451"), ("greylist1", "451"), ("greylist1", "250"), ("lost", "")];
    for (name, answer) in sent {
        assert_eq!(send(&sink, &format!("{name}@example.test")), answer, "{name}");
    }
    sink.kill9();
    assert!(TcpStream::connect(sink.address()).is_err());
    sink.restart().unwrap();
    assert_eq!(send(&sink, "bob@example.test"), "250");
    let received = sink.received().unwrap();
    let found: Vec<_> = received.iter().map(|received| (received.to[0].as_str(), received.answer)).collect();
    let expected = [("ann", 250), ("bounce", 550), ("greylist", 451), ("greylist1", 451), ("greylist1", 250), ("lost", 0), ("bob", 250)];
    assert_eq!(
        found,
        expected.map(|(name, answer)| (format!("{name}@example.test"), answer)).iter().map(|(to, answer)| (to.as_str(), *answer)).collect::<Vec<_>>()
    );
    let first = &received[0];
    assert_eq!((first.from.as_str(), first.text.trim_end().replace('\r', "")), ("host@example.test", "Hello\n.".to_owned()));
    assert_eq!((first.header("Message-ID"), first.header("Subject")), (Some("<run.step@host>"), Some("Grüße")));
}

/// Python's own client, which trusts the server's root only.
const CLIENT: &str = "
import smtplib, ssl, sys
port, root, name, password = sys.argv[1:]
with smtplib.SMTP('127.0.0.1', int(port), timeout=30) as client:
    if root:
        client.starttls(context=ssl.create_default_context(cadata=root))
    if name:
        client.login(name, password)
    client.sendmail('host@example.test', ['ann@example.test'], 'Subject: a\\n\\nb')
";

#[test]
fn a_client_needs_tls_and_the_password_where_they_are_asked_for() {
    let login = ("host".to_owned(), "s3cret".to_owned());
    let sink = SmtpSink::start_with(&SmtpOptions { tls: true, login: Some(login) }).unwrap();
    let other = SmtpSink::start().unwrap();
    for (root, name, password, failure) in [
        (sink.server_root(), "host", "s3cret", ""),
        (sink.server_root(), "host", "wrong", "535"),
        (sink.server_root(), "", "", "530"),
        ("", "", "", "530"),
        (other.server_root(), "host", "s3cret", "CERTIFICATE_VERIFY_FAILED"),
    ] {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/bin/python");
        let output = Command::new(python).args(["-c", CLIENT, &sink.address().port().to_string(), root, name, password]).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() == failure.is_empty() && error.contains(failure), "{name} {password}: {error}");
    }
    assert_eq!(sink.received().unwrap().len(), 1);
}

#[test]
fn two_are_two() {
    let (one, other) = (SmtpSink::start().unwrap(), SmtpSink::start().unwrap());
    send(&one, "ann@example.test");
    assert_eq!((one.received().unwrap().len(), other.received().unwrap().len()), (1, 0));
}
