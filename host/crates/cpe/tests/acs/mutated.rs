//! Requests with mistakes made at random: each is answered or its connection closed, and a good session beside them goes on.

use cpe::acs::{SessionEnd, Work};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    device::{Device, inform, key, message, request, set_done},
    server::{Server, open},
};

/// One mistake.
#[derive(Debug, Clone)]
enum Mistake {
    Drop { at: prop::sample::Index, length: usize },
    Put { at: prop::sample::Index, bytes: Vec<u8> },
    Repeat { at: prop::sample::Index, length: usize },
    Cut { at: prop::sample::Index },
}

fn mistake() -> impl Strategy<Value = Mistake> {
    let at = any::<prop::sample::Index>;
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..8),
        prop::sample::select(vec![
            &b"\r\n"[..],
            b"\r\n\r\n",
            b"<",
            b">",
            b"&",
            b"\0",
            b"]]>",
            b"<!DOCTYPE x>",
            b"<![CDATA[",
            b"POST / HTTP/1.1\r\n\r\n",
            b"99999999"
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        (at(), 1_usize..64).prop_map(|(at, length)| Mistake::Drop { at, length }),
        (at(), bytes).prop_map(|(at, bytes)| Mistake::Put { at, bytes }),
        (at(), 1_usize..64).prop_map(|(at, length)| Mistake::Repeat { at, length }),
        at().prop_map(|at| Mistake::Cut { at }),
    ]
}

impl Mistake {
    fn make(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Drop { at, length } => {
                let at = at.index(bytes.len());
                bytes.drain(at..bytes.len().min(at + length));
            }
            Self::Put { at, bytes: more } => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Repeat { at, length } => {
                let at = at.index(bytes.len());
                let piece = bytes[at..bytes.len().min(at + length)].to_vec();
                bytes.splice(at..at, piece);
            }
            Self::Cut { at } => bytes.truncate(at.index(bytes.len())),
        }
    }
}

#[test]
fn mistakes_harm_nobody() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(open(), Work::None));
    let mut bystander = runtime.block_on(Device::connect(server.address));
    let cookie = runtime.block_on(bystander.post("", inform("bystander"))).cookie();
    let good = vec![
        request("Content-Type: text/xml\r\nSOAPAction: \r\n", inform("1")),
        [request("", inform("1")), request("", "")].concat(),
        [
            request("", inform("1")),
            request("", set_done("1")),
            request("", message("2", cpe::soap::Message::Event(cpe::soap::DeviceRpc::GetRpcMethods))),
        ]
        .concat(),
    ];
    let requests = (prop::sample::select(good), prop::collection::vec(mistake(), 1..4));
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig { cases: 400, ..ProptestConfig::default() },
        prop::test_runner::TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha),
    );
    runner
        .run(&requests, |(mut bytes, mistakes)| {
            mistakes.iter().for_each(|mistake| mistake.make(&mut bytes));
            runtime.block_on(async {
                let mut device = Device::connect(server.address).await;
                // Whatever comes is an answer, until the server has closed the connection too.
                device.send_and_end(&bytes).await;
                while let Some(reply) = device.try_reply().await {
                    prop_assert!([200, 204, 400, 405, 408, 413, 415, 431, 503, 505].contains(&reply.status), "{reply:?}");
                }
                prop_assert!(server.acs.in_session(&key("bystander")).is_some());
                Ok(())
            })
        })
        .unwrap();
    assert_eq!(runtime.block_on(bystander.post(&cookie, "")).status, 204);
    let ended = std::iter::repeat_with(|| runtime.block_on(server.ended())).find(|(device, _)| *device == key("bystander"));
    assert_eq!(ended.map(|(_, end)| end), Some(SessionEnd::Done));
}
