//! TSIG (RFC 8945): what is signed, in which order. The MAC itself is the host's.

use hickory_proto::{
    op::{Header, Message},
    rr::{
        DNSClass, Name, RData, Record,
        rdata::{
            TSIG,
            tsig::{TsigAlgorithm, TsigError},
        },
    },
    serialize::binary::{BinDecodable as _, BinDecoder, BinEncoder},
};
use jackfield_plugin_sdk::{
    Failure, http,
    secrets::{self, Algorithm, Handle},
    zone::{BAD_CONFIG, BAD_REQUEST, NOT_AUTHORISED},
};

/// Seconds that the clocks may differ (RFC 8945, section 10).
const FUDGE: u16 = 300;
/// The bit in the third byte of a message that says that something was left out.
const TRUNCATED: u8 = 0x02;
/// Where a message says how many records its last section has.
const ADDITIONALS: std::ops::Range<usize> = 10..12;

/// A key that the host has.
pub(crate) struct Key {
    pub(crate) name: Name,
    pub(crate) handle: Handle,
}

/// A message on its way.
pub(crate) struct Signed {
    pub(crate) bytes: Vec<u8>,
    /// The answer's MAC is over this one too.
    pub(crate) mac: Vec<u8>,
}

impl Key {
    /// Signs a message.
    pub(crate) fn sign(&self, mut message: Message, now: u64) -> Result<Signed, Failure> {
        let unsent = |error: hickory_proto::ProtoError| Failure::rejected(BAD_CONFIG, format!("the message cannot be written: {error}"));
        let tsig = TSIG::new(TsigAlgorithm::HmacSha256, now, FUDGE, Vec::new(), message.metadata.id, None, Vec::new());
        let mut signed = message.to_vec().map_err(unsent)?;
        whole(&signed)?;
        signed.extend(self.variables(&tsig).map_err(unsent)?);
        let mac = secrets::sign(&self.handle, Algorithm::HmacSha256, &signed)?;
        let mut record = Record::from_rdata(self.name.clone(), 0, tsig.set_mac(mac.clone()));
        record.dns_class = DNSClass::ANY;
        message.signature = Some(Box::new(record));
        let bytes = message.to_vec().map_err(unsent)?;
        whole(&bytes)?;
        Ok(Signed { bytes, mac })
    }

    /// Reads an answer to a message with that MAC. One that is not signed as it must be is an error, unless it says that the request could not be verified.
    pub(crate) fn verify(&self, bytes: &[u8], request_mac: &[u8]) -> Result<Message, Failure> {
        let bad = |why: &str| Failure::unavailable(http::BAD_ANSWER, format!("an answer of the server {why}"));
        let message = Message::from_vec(bytes).map_err(|error| bad(&format!("cannot be read: {error}")))?;
        let Some((start, name, tsig)) = last(bytes) else {
            return Err(bad("is not signed"));
        };
        let unsigned = tsig.mac.is_empty();
        if let (Some(error), true) = (&tsig.error, unsigned || tsig.error == Some(TsigError::BadTime)) {
            let message =
                format!("the server does not accept the TSIG key {}: {error:?}; expected the name and key that it has, and the same time", self.name);
            return Err(Failure::rejected(NOT_AUTHORISED, message));
        }
        let mut signed = u16::try_from(request_mac.len()).unwrap_or_default().to_be_bytes().to_vec();
        signed.extend(request_mac);
        let at = signed.len();
        signed.extend(&bytes[..start]);
        signed[at..at + 2].copy_from_slice(&tsig.oid.to_be_bytes());
        let others = u16::from_be_bytes([bytes[ADDITIONALS.start], bytes[ADDITIONALS.start + 1]]) - 1;
        signed[at + ADDITIONALS.start..at + ADDITIONALS.end].copy_from_slice(&others.to_be_bytes());
        signed.extend(self.variables(&tsig).map_err(|error| bad(&format!("cannot be verified: {error}")))?);
        let expected = secrets::sign(&self.handle, Algorithm::HmacSha256, &signed).map_err(|error| bad(&format!("cannot be verified: {error}")))?;
        let same = expected.len() == tsig.mac.len() && expected.iter().zip(&tsig.mac).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0;
        if same && name == self.name && tsig.algorithm == TsigAlgorithm::HmacSha256 { Ok(message) } else { Err(bad("is signed wrongly")) }
    }

    fn variables(&self, tsig: &TSIG) -> Result<Vec<u8>, hickory_proto::ProtoError> {
        let mut bytes = Vec::new();
        tsig.emit_tsig_for_mac(&mut BinEncoder::new(&mut bytes), &self.name)?;
        Ok(bytes)
    }
}

/// Refuses a message of which the encoder left something out, as it does where there is no more room. It says so in the message.
fn whole(bytes: &[u8]) -> Result<(), Failure> {
    if bytes.get(2).is_some_and(|flags| flags & TRUNCATED == 0) { Ok(()) } else { Err(too_long()) }
}

/// The failure of what does not fit into a message.
pub(crate) fn too_long() -> Failure {
    Failure::rejected(BAD_REQUEST, format!("the changes do not fit into a message of {} bytes: ask for less at once", u16::MAX))
}

/// The TSIG record at the end of a message, its name and where it begins.
fn last(bytes: &[u8]) -> Option<(usize, Name, TSIG)> {
    let mut decoder = BinDecoder::new(bytes);
    let counts = Header::read(&mut decoder).ok()?.counts;
    Message::read_queries(&mut decoder, counts.queries.into()).ok()?;
    let others = usize::from(counts.answers) + usize::from(counts.authorities) + usize::from(counts.additionals.checked_sub(1)?);
    for _ in 0..others {
        Record::<RData>::read(&mut decoder).ok()?;
    }
    let start = decoder.index();
    let record = Record::<RData>::read(&mut decoder).ok()?;
    let RData::TSIG(tsig) = record.data else { return None };
    decoder.is_empty().then_some((start, record.name, tsig))
}
