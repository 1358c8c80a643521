//! The mail server.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use servers::SmtpSink;

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

#[test]
fn two_are_two() {
    let (one, other) = (SmtpSink::start().unwrap(), SmtpSink::start().unwrap());
    send(&one, "ann@example.test");
    assert_eq!((one.received().unwrap().len(), other.received().unwrap().len()), (1, 0));
}
