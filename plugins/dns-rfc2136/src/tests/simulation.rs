//! A primary server in memory, on a port of its own: wildcards, prerequisites and updates as RFC 1034 and 2136 have them, TSIG verified and made.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use hickory_proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{DNSClass, Name, RData, Record, RecordType, rdata::SOA},
};
use jackfield_plugin_sdk::{
    Dns as _, Failure,
    dns::{Observed, Outcome, Receipt, Request},
    testing::{
        self, Config, Secrets,
        dns_conformance::{Subject, Trouble},
    },
    zone::{RecordSet, canonical},
};

use super::tsig;
use crate::{
    Plugin,
    records::{data, dotted, kind, name, sets},
};

const ZONE: &str = "app.example.test";

#[derive(Default)]
struct Zone {
    records: Vec<Record>,
    writes: u64,
    trouble: Option<Trouble>,
    /// What is written before the next update, as another would.
    race: Vec<Record>,
}

/// The plugin with the server.
pub(super) struct Simulation {
    zone: Arc<Mutex<Zone>>,
    address: SocketAddr,
    told: String,
}

impl Simulation {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let zone = Arc::new(Mutex::new(Zone::default()));
        let served = Arc::clone(&zone);
        // The threads end with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = Arc::clone(&served);
                thread::spawn(move || serve(stream, &served));
            }
        });
        Config::set("server", &address.to_string());
        Config::set("key", "Tenantd-Key.");
        Secrets::grant_signer("tsig", tsig::mac);
        Self { zone, address, told: String::new() }
    }

    /// Has another write this just before the next update.
    pub(super) fn race(&self, set: &RecordSet) {
        self.zone.lock().unwrap().race = records(set);
    }

    fn tell<T: std::fmt::Debug>(&mut self, answer: Result<T, Failure>) -> Result<T, Failure> {
        self.told.push_str(&format!("{answer:?}"));
        answer
    }
}

fn records(set: &RecordSet) -> Vec<Record> {
    let data = |value: &String| data(&set.kind, &canonical(&set.kind, value)).unwrap();
    set.values.iter().map(|value| Record::from_rdata(name(&set.name).unwrap(), set.ttl, data(value))).collect()
}

/// Until the other side, or a trouble, ends the connection.
fn serve(mut stream: TcpStream, zone: &Mutex<Zone>) -> Option<()> {
    stream.set_nodelay(true).unwrap();
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut bytes = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut bytes).ok()?;
        let answer = zone.lock().unwrap().answer(&bytes)?;
        let length = u16::try_from(answer.len()).unwrap();
        stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).ok()?;
    }
}

impl Zone {
    /// The answer, if there is one.
    fn answer(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mac = tsig::check(bytes);
        let mut request = Message::from_vec(bytes).unwrap();
        request.additionals.clear();
        let mut answer = Message::response(request.metadata.id, request.metadata.op_code);
        answer.metadata.authoritative = true;
        let changing = !request.authorities.is_empty();
        answer.metadata.response_code = match self.trouble {
            Some(Trouble::Unauthorised) => return Some(tsig::refuse(answer)),
            Some(Trouble::Garbage) => return Some([&bytes[..2], &[0xff; 40]].concat()),
            Some(Trouble::Busy) => ResponseCode::ServFail,
            Some(Trouble::Refusing) if changing => ResponseCode::NotImp,
            Some(Trouble::Refusing | Trouble::Lost | Trouble::Unreachable) | None => self.process(&request, &mut answer),
        };
        (self.trouble != Some(Trouble::Lost) || !changing).then(|| tsig::sign(answer, &mac))
    }

    fn process(&mut self, request: &Message, answer: &mut Message) -> ResponseCode {
        let asked = &request.queries[0];
        if !name(ZONE).unwrap().zone_of(&asked.name) {
            return ResponseCode::Refused;
        }
        if request.metadata.op_code == OpCode::Update {
            return self.update(request);
        }
        if asked.query_type == RecordType::SOA {
            let soa = SOA::new(name("ns1.app.example.test").unwrap(), name("hostmaster.app.example.test").unwrap(), 1, 1, 1, 1, 1);
            answer.answers.push(Record::from_rdata(name(ZONE).unwrap(), 60, RData::SOA(soa)));
            return ResponseCode::NoError;
        }
        let source = self.source(&asked.name);
        for record in self.at(&source) {
            if [RecordType::ANY, record.record_type()].contains(&asked.query_type) || record.record_type() == RecordType::CNAME {
                answer.answers.push(Record::from_rdata(asked.name.clone(), record.ttl, record.data.clone()));
            }
        }
        ResponseCode::NoError
    }

    fn at(&self, name: &Name) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.name == *name)
    }

    /// The name itself, or the wildcard that answers for it.
    fn source(&self, name: &Name) -> Name {
        let exists = |name: &Name| self.records.iter().any(|record| name.zone_of(&record.name));
        let mut encloser = name.clone();
        while !exists(&encloser) && encloser.num_labels() > 3 {
            encloser = encloser.base_name();
        }
        if encloser == *name { encloser } else { encloser.prepend_label("*").unwrap() }
    }

    fn update(&mut self, request: &Message) -> ResponseCode {
        if !request.authorities.is_empty() {
            let race = std::mem::take(&mut self.race);
            self.records.extend(race);
        }
        if let Some(code) = request.answers.iter().find_map(|it| self.unmet(it, &request.answers)) {
            return code;
        }
        for change in &request.authorities {
            self.change(change);
        }
        self.writes += u64::from(!request.authorities.is_empty());
        ResponseCode::NoError
    }

    fn unmet(&self, it: &Record, all: &[Record]) -> Option<ResponseCode> {
        let there = |record: &&Record| record.record_type() == it.record_type();
        match (it.dns_class, it.record_type()) {
            (DNSClass::NONE, RecordType::ANY) => self.at(&it.name).next().map(|_| ResponseCode::YXDomain),
            (DNSClass::NONE, _) => self.at(&it.name).find(there).map(|_| ResponseCode::YXRRSet),
            (DNSClass::IN, _) => {
                let text = |record: &Record| record.data.to_string();
                let found: BTreeSet<String> = self.at(&it.name).filter(there).map(text).collect();
                let wanted: BTreeSet<String> = all.iter().filter(|other| other.name == it.name).filter(there).map(text).collect();
                (found != wanted).then_some(ResponseCode::NXRRSet)
            }
            other => panic!("unexpected prerequisite {other:?}"),
        }
    }

    fn change(&mut self, change: &Record) {
        let of_set = |it: &Record| it.name == change.name && it.record_type() == change.record_type();
        if change.dns_class == DNSClass::ANY {
            return self.records.retain(|it| !of_set(it));
        }
        let alias = |record: &Record| record.record_type() == RecordType::CNAME;
        if change.dns_class == DNSClass::IN && self.at(&change.name).any(|it| alias(it) != alias(change)) {
            return;
        }
        self.records.retain(|it| !of_set(it) || it.data != change.data);
        if change.dns_class == DNSClass::IN {
            self.records.push(change.clone());
        }
    }
}

impl Subject for Simulation {
    fn zone(&self) -> String {
        ZONE.into()
    }

    fn apply(&mut self, request: Request) -> Result<Outcome, Failure> {
        self.tell(Plugin::apply(&testing::call("key"), request))
    }

    fn observe(&mut self, request: Request) -> Result<Observed, Failure> {
        self.tell(Plugin::observe(&testing::call("key"), request))
    }

    fn undo(&mut self, receipt: Receipt) -> Result<Outcome, Failure> {
        self.tell(Plugin::undo(&testing::call("undo"), receipt))
    }

    fn present(&mut self, name: &str) -> Vec<RecordSet> {
        let zone = self.zone.lock().unwrap();
        let records: Vec<Record> = zone.records.iter().filter(|record| dotted(&record.name) == name).cloned().collect();
        sets(&records)
    }

    fn put(&mut self, set: &RecordSet) {
        let mut zone = self.zone.lock().unwrap();
        let of_kind = kind(&set.kind).unwrap();
        zone.records.retain(|it| dotted(&it.name) != set.name || it.record_type() != of_kind);
        zone.records.extend(records(set));
    }

    fn writes(&mut self) -> u64 {
        self.zone.lock().unwrap().writes
    }

    fn trouble(&mut self, trouble: Option<Trouble>) -> bool {
        let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
        let address = if trouble == Some(Trouble::Unreachable) { closed } else { self.address };
        Config::set("server", &address.to_string());
        self.zone.lock().unwrap().trouble = trouble;
        true
    }

    fn told(&mut self) -> String {
        format!("{}{}", self.told, testing::calls().join("\n"))
    }

    fn secrets(&self) -> Vec<String> {
        vec![String::from_utf8_lossy(tsig::KEY).into_owned()]
    }
}
