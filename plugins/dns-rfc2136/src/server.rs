//! The primary server of a zone: looking with queries, writing with updates, and what its answers mean.

use std::{collections::BTreeSet, net::SocketAddr, ops::RangeInclusive};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, Record, RecordType},
};
use jackfield_plugin_sdk::{
    Failure, config, http, secrets,
    zone::{self, BAD_CONFIG, BAD_REQUEST, CHANGED_MEANWHILE, Change, DNS_FAILED, NOT_AUTHORISED, RecordSet, UNKNOWN_ZONE, Vendor},
};

use crate::{
    connection::Connection,
    records::{dotted, name, sets},
    tsig::Key,
    update::{unused, update},
};

/// What is asked for at every name. Not every server answers `ANY` with everything.
const ASKED: [RecordType; 6] = [RecordType::A, RecordType::AAAA, RecordType::CNAME, RecordType::TXT, RecordType::CAA, RecordType::ANY];

/// The server and what it said in this call.
pub(crate) struct Server {
    address: SocketAddr,
    key: String,
    ttls: RangeInclusive<u32>,
    connection: Option<Connection>,
    seen: Vec<Record>,
}

impl Server {
    pub(crate) fn configured() -> Result<Self, Failure> {
        let setting = |key: &str| config::get(key).ok_or_else(|| Failure::rejected(BAD_CONFIG, format!("the setting {key} is missing")));
        let (server, key) = (setting("server")?, setting("key")?);
        let address = server.trim().parse().map_err(|_| {
            let message = format!("the setting server is {server:?}; expected an address with a port, such as 192.0.2.53:53");
            Failure::rejected(BAD_CONFIG, message)
        })?;
        let key = key.trim().trim_end_matches('.').to_owned();
        Ok(Self { address, key, ttls: zone::ttl_settings(0..=zone::MAX_TTL)?, connection: None, seen: Vec::new() })
    }

    /// The connection of this call. The first thing it is asked for is the zone.
    fn connected(&mut self, zone: &Name) -> Result<&mut Connection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let name = name(&self.key)
                    .ok_or_else(|| Failure::rejected(BAD_CONFIG, format!("the setting key is {:?}; expected the name of a TSIG key", self.key)))?;
                let key = Key { name, handle: secrets::get("tsig")? };
                let mut connection = Connection::open(self.address, key)?;
                serves(&mut connection, zone)?;
                connection
            }
        };
        Ok(self.connection.insert(connection))
    }
}

impl Vendor for Server {
    const PROVIDER: &'static str = "rfc2136";

    fn ttls(&self) -> RangeInclusive<u32> {
        self.ttls.clone()
    }

    fn look(&mut self, zone: &str, names: &BTreeSet<String>) -> Result<Vec<RecordSet>, Failure> {
        let zone = checked(zone)?;
        let connection = self.connected(&zone)?;
        let mut queries = Vec::new();
        for name in names {
            let name = checked(name)?;
            queries.extend(ASKED.map(|kind| query(connection.next_id(), name.clone(), kind)));
        }
        let mut seen: Vec<Record> = Vec::new();
        for answer in connection.exchange(queries)? {
            read(&answer)?;
            for record in answer.answers {
                let known = seen.iter().any(|it| it.name == record.name && it.data == record.data);
                if !known && names.contains(&dotted(&record.name)) {
                    seen.push(record);
                }
            }
        }
        let found: BTreeSet<Name> = seen.iter().map(|record| record.name.to_lowercase()).collect();
        let probes = found.iter().map(|name| unused(connection.next_id(), &zone, name.clone())).collect();
        for (name, answer) in found.iter().zip(connection.exchange(probes)?) {
            let code = answer.metadata.response_code;
            if code == ResponseCode::NoError {
                // A wildcard answered.
                seen.retain(|record| record.name.to_lowercase() != *name);
            } else if code != ResponseCode::YXDomain {
                return Err(unwritten(refused(code)));
            }
        }
        self.seen = seen;
        Ok(sets(&self.seen))
    }

    fn change(&mut self, zone: &str, changes: &[Change]) -> Result<(), Failure> {
        let zone = checked(zone)?;
        let seen = std::mem::take(&mut self.seen);
        let connection = self.connected(&zone)?;
        let unreadable = || Failure::rejected(BAD_REQUEST, "a name or a value cannot be written as a DNS record");
        let message = update(connection.next_id(), &zone, changes, &seen).ok_or_else(unreadable)?;
        let answers = connection.exchange(vec![message]).map_err(sent)?;
        match answers.first().map(|answer| answer.metadata.response_code) {
            Some(ResponseCode::NoError) => Ok(()),
            Some(code) => Err(refused(code)),
            None => Err(Failure::unknown_outcome(http::NO_ANSWER, "the server did not answer an update")),
        }
    }
}

/// A failure of an update: what says that the server is in the way may have come after the update.
fn sent(failure: Failure) -> Failure {
    match failure {
        Failure::Unavailable(it) => Failure::UnknownOutcome(it.reason),
        known @ (Failure::Rejected(_) | Failure::UnknownOutcome(_)) => known,
    }
}

/// A failure of an update that changes nothing.
fn unwritten(failure: Failure) -> Failure {
    match failure {
        Failure::UnknownOutcome(reason) => Failure::unavailable(reason.code, reason.message),
        known @ (Failure::Rejected(_) | Failure::Unavailable(_)) => known,
    }
}

/// What the answer to an update or its prerequisites says. Nothing was written, unless it says nothing.
#[expect(clippy::wildcard_enum_match_arm, reason = "codes that say nothing about an update are one case")]
fn refused(code: ResponseCode) -> Failure {
    let message = format!("the server answered an update with {code}");
    match code {
        ResponseCode::YXDomain | ResponseCode::YXRRSet | ResponseCode::NXDomain | ResponseCode::NXRRSet => {
            Failure::unavailable(CHANGED_MEANWHILE, message)
        }
        ResponseCode::Refused => Failure::rejected(NOT_AUTHORISED, format!("{message}: expected that the key may update the zone")),
        ResponseCode::NotAuth => Failure::rejected(UNKNOWN_ZONE, format!("{message}: expected the primary server of the zone")),
        ResponseCode::NotZone => Failure::rejected(BAD_REQUEST, message),
        ResponseCode::FormErr | ResponseCode::NotImp => Failure::rejected(DNS_FAILED, message),
        _ => Failure::unknown_outcome(DNS_FAILED, message),
    }
}

/// Whether an answer to a query can be relied on.
#[expect(clippy::wildcard_enum_match_arm, reason = "codes that say nothing about a zone are one case")]
fn read(answer: &Message) -> Result<(), Failure> {
    let code = answer.metadata.response_code;
    match code {
        ResponseCode::NoError | ResponseCode::NXDomain if answer.metadata.authoritative => Ok(()),
        ResponseCode::NoError | ResponseCode::NXDomain => Err(unknown("it answers, but it is not authoritative")),
        ResponseCode::Refused | ResponseCode::NotAuth => Err(unknown(&code.to_string())),
        ResponseCode::FormErr | ResponseCode::NotImp => Err(Failure::rejected(DNS_FAILED, format!("the server answered a query with {code}"))),
        _ => Err(Failure::unavailable(DNS_FAILED, format!("the server answered a query with {code}"))),
    }
}

fn unknown(why: &str) -> Failure {
    Failure::rejected(UNKNOWN_ZONE, format!("the server does not serve the zone: {why}"))
}

/// Asks for the beginning of the zone.
fn serves(connection: &mut Connection, zone: &Name) -> Result<(), Failure> {
    let question = query(connection.next_id(), zone.clone(), RecordType::SOA);
    for answer in connection.exchange(vec![question])? {
        read(&answer)?;
        if !answer.answers.iter().any(|record| record.record_type() == RecordType::SOA && record.name == *zone) {
            return Err(unknown(&format!("no zone begins at {zone}")));
        }
    }
    Ok(())
}

fn query(id: u16, name: Name, kind: RecordType) -> Message {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(name, kind));
    message
}

fn checked(text: &str) -> Result<Name, Failure> {
    name(text).ok_or_else(|| Failure::rejected(BAD_REQUEST, format!("{text:?} is no name")))
}
