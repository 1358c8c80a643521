//! The other end of TSIG, written from RFC 8945 on bytes, so that it does not share the mistakes of the plugin.

use hickory_proto::{op::Message, op::ResponseCode};
use ring::hmac::{self, HMAC_SHA256};

/// The key, and its name and the algorithm's on the wire.
pub(super) const KEY: &[u8] = b"a key of thirty-two bytes, or so";
const KEY_NAME: &[u8] = b"\x0btenantd-key\x00";
const ALGORITHM: &[u8] = b"\x0bhmac-sha256\x00";
/// Bytes of a MAC.
const MAC: usize = 32;

/// What the host does.
pub(super) fn mac(bytes: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(HMAC_SHA256, KEY), bytes).as_ref().to_vec()
}

/// Fails unless a request is signed; returns its MAC.
pub(super) fn check(bytes: &[u8]) -> Vec<u8> {
    // Behind the name: type, class, TTL, length; algorithm, time, fudge, length, MAC, number, error, length.
    let start = bytes.len() - (KEY_NAME.len() + 10 + ALGORITHM.len() + 6 + 2 + 2 + MAC + 6);
    let record = &bytes[start..];
    assert!(record[..KEY_NAME.len()].eq_ignore_ascii_case(KEY_NAME), "another key: {record:?}");
    assert_eq!(record[KEY_NAME.len()..KEY_NAME.len() + 8], [0, 250, 0, 255, 0, 0, 0, 0]);
    let data = &record[KEY_NAME.len() + 10..];
    assert_eq!(&data[..ALGORITHM.len()], ALGORITHM);
    let (time, rest) = data[ALGORITHM.len()..].split_at(8);
    let (size, rest) = rest.split_at(2);
    let (found, rest) = rest.split_at(MAC);
    assert_eq!((size, &rest[..2], &rest[2..]), (&[0, 32][..], &bytes[..2], &[0; 4][..]));
    let mut unsigned = bytes[..start].to_vec();
    unsigned[11] -= 1;
    assert_eq!(found, mac(&[&unsigned[..], &variables(time)].concat()), "the request is signed wrongly");
    found.to_vec()
}

/// Signs an answer to a request with that MAC.
pub(super) fn sign(answer: Message, request: &[u8]) -> Vec<u8> {
    let bytes = answer.to_vec().unwrap();
    let time = [0, 0, 0x60, 0, 0, 0, 0x01, 0x2c];
    let signed = mac(&[&[0, 32], request, &bytes, &variables(&time)].concat());
    finish(bytes, &time, &signed, 0)
}

/// Answers that the key is none, which cannot be signed.
pub(super) fn refuse(mut answer: Message) -> Vec<u8> {
    answer.metadata.response_code = ResponseCode::NotAuth;
    finish(answer.to_vec().unwrap(), &[0; 8], &[], 17)
}

/// Key name, class, TTL, algorithm, time and fudge, error, other data.
fn variables(time: &[u8]) -> Vec<u8> {
    [KEY_NAME, &[0, 255, 0, 0, 0, 0], ALGORITHM, time, &[0; 4]].concat()
}

fn finish(mut bytes: Vec<u8>, time: &[u8], mac: &[u8], error: u8) -> Vec<u8> {
    let number = [bytes[0], bytes[1]];
    let size = u8::try_from(mac.len()).unwrap();
    let data = [ALGORITHM, time, &[0, size], mac, &number, &[0, error], &[0, 0]].concat();
    bytes[11] += 1;
    bytes.extend(KEY_NAME);
    bytes.extend([0, 250, 0, 255, 0, 0, 0, 0, 0, u8::try_from(data.len()).unwrap()]);
    bytes.extend(data);
    bytes
}
