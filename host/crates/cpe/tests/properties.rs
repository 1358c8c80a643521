//! Whatever a device sends, reading ends with an answer; and what is written is read as it was meant.
#![allow(clippy::unwrap_used, reason = "tests")]

mod answered;
mod messages;

use std::{fs, path::Path};

use cpe::soap::{Limits, Message, Style, read, write};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Messages as devices send them, which the fuzz target starts from.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fuzz/corpus/cwmp");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect()
}

/// What came of every file, in one line each: the snapshot is for people to look at.
#[test]
fn the_corpus_is_read() {
    let told = corpus().into_iter().map(|(name, bytes)| {
        answered::envelope(&bytes, None);
        match read(&bytes, None, &Limits::default()) {
            Ok(envelope) => format!("{name}: {} {}\n", envelope.namespace, summary(&envelope.message)),
            Err(error) => format!("{name}: {error}\n"),
        }
    });
    expect_test::expect![[r#"
        add-object-response.xml: cwmp-1-2 AddObjectResponse
        autonomous-transfer-complete.xml: cwmp-1-2 AutonomousTransferComplete
        download-response.xml: cwmp-1-2 DownloadResponse
        du-state-change-complete.xml: cwmp-1-2 DUStateChangeComplete
        fault-nested.xml: cwmp-1-2 Fault 9003 `Invalid arguments`, 1 parameters
        fault-without-code.xml: cwmp-1-2 Fault 0 `No.`, 0 parameters
        fault.xml: cwmp-1-2 Fault 9003 `Invalid arguments`, 1 parameters
        get-parameter-attributes-response.xml: cwmp-1-2 GetParameterAttributesResponse
        get-parameter-names-response.xml: cwmp-1-2 GetParameterNamesResponse
        get-parameter-values-response.xml: cwmp-1-2 GetParameterValuesResponse
        get-rpc-methods.xml: cwmp-1-2 GetRPCMethods
        inform-bootstrap.xml: cwmp-1-2 Inform of 00005E-HG%2D1-SN000001, 0 BOOTSTRAP + 1 BOOT, 5 parameters
        inform-latin-1.xml: cwmp-1-2 Inform of 00005E-B%C3%BCrobox-SN000001, , 0 parameters
        inform-odd.xml: cwmp-1-2 Inform of 00005E-HG%2D1-SN000001, 99 NOBODY KNOWS, 3 parameters
        inform-reboot-by-command.xml: cwmp-1-2 Inform of 00005E-HG%2D1-SN000001, 1 BOOT + M Reboot, 0 parameters
        inform-undeclared-prefix.xml: cwmp-1-0 Inform of 00005E-HG%2D1-SN000001, , 0 parameters
        inform-utf-16.xml: cwmp-1-2 Inform of 00005E-HG%2D1-SN000001, , 0 parameters
        inform-wrong-length.xml: cwmp-1-2 Inform of 00005E-HG%2D1-SN000001, , 0 parameters
        laughs.xml: a document type declaration at byte 105; expected none: messages declare no entities
        request-download.xml: cwmp-1-2 RequestDownload
        set-parameter-values-response.xml: cwmp-1-2 SetParameterValuesResponse
        set-parameter-values.xml: cwmp-1-2 SetParameterValues
        transfer-complete.xml: cwmp-1-2 TransferComplete
        truncated.xml: the body ends within its message at byte 573; expected the rest of the message
        two-envelopes.xml: a second message at byte 745; expected one message in one envelope
        unknown.xml: cwmp-1-2 X_00005E_Strange
    "#]]
    .assert_eq(&told.collect::<String>());
}

fn summary(message: &Message) -> String {
    match message {
        Message::Inform(inform) => {
            let events = inform.events.iter().map(|event| event.code.as_str()).collect::<Vec<_>>().join(" + ");
            format!("Inform of {}, {events}, {} parameters", inform.device.key(), inform.parameters.len())
        }
        Message::Fault(fault) => format!("Fault {} `{}`, {} parameters", fault.code, fault.string, fault.parameters.len()),
        Message::Rpc(_) | Message::Answer(_) | Message::Event(_) | Message::Reply(_) | Message::Unknown { .. } => message.name().to_owned(),
    }
}

/// A message that is cut off is refused, or all of it had come.
#[test]
fn a_message_is_never_half_of_one() {
    for (name, bytes) in corpus() {
        let Ok(whole) = read(&bytes, None, &Limits::default()) else { continue };
        for length in 0..bytes.len() {
            if let Ok(part) = read(&bytes[..length], None, &Limits::default()) {
                assert_eq!(part, whole, "{name}, the first {length} bytes");
            }
        }
    }
}

/// What happens to bytes on their way.
#[derive(Debug, Clone)]
enum Change {
    Cut(Index, Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    const PIECES: [&str; 17] = [
        "<",
        ">",
        "&",
        "</",
        "<![CDATA[",
        "]]>",
        "<!--",
        "<!DOCTYPE a [",
        "<?",
        "&#x0;",
        "&#xFFFFFFFF;",
        "\0",
        "\u{FEFF}",
        " xmlns=''",
        "xsi:type='",
        "<Envelope>",
        "\n",
    ];
    let piece = prop_oneof![proptest::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()), vec(any::<u8>(), 1..6)];
    prop_oneof![
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Cut(from, to)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, by)| Change::Flip(at, by)),
        (any::<Index>(), piece).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let span = |from: &Index, to: &Index| {
            let (from, to) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
            from.min(to)..from.max(to)
        };
        match change {
            Change::Cut(from, to) => drop(bytes.drain(span(from, to))),
            Change::Flip(at, by) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= by;
            }
            Change::Flip(..) => {}
            Change::Insert(at, piece) => {
                let at = at.index(bytes.len() + 1);
                drop(bytes.splice(at..at, piece.iter().copied()));
            }
            Change::Repeat(from, to) => {
                let span = span(from, to);
                let again = bytes[span.clone()].to_vec();
                drop(bytes.splice(span.end..span.end, again));
            }
        }
    }
    bytes
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(bytes in vec(any::<u8>(), 0..400), charset in proptest::option::of("[a-z0-9-]{0,12}")) {
        answered::envelope(&bytes, charset.as_deref());
    }

    #[test]
    fn a_message_that_was_damaged_has_an_answer(which in any::<Index>(), changes in vec(change(), 1..8)) {
        let files = corpus();
        answered::envelope(&changed(files[which.index(files.len())].1.clone(), &changes), None);
    }

    #[test]
    fn what_a_device_says_is_read_as_it_was_meant(envelope in messages::envelope(prop_oneof![messages::of_device(), messages::of_later_device()])) {
        let text = write(&envelope, &Style::default()).unwrap();
        prop_assert_eq!(read(text.as_bytes(), None, &Limits::default()), Ok(envelope), "{}", text);
    }

    #[test]
    fn what_a_server_says_is_read_as_it_was_meant(envelope in messages::envelope(messages::of_server())) {
        if let Ok(text) = write(&envelope, &Style::default()) {
            prop_assert_eq!(read(text.as_bytes(), None, &Limits::default()), Ok(envelope), "{}", text);
        }
    }
}
