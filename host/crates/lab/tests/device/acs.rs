//! A server that follows a script: it answers an Inform, then asks one thing after another, and writes down everything that it hears.

use std::sync::{Arc, Mutex};

use lab::device::{Device, DeviceOptions, Faults, Model, SessionReport};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// The number of its connection.
    pub(crate) connection: usize,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// What the server does.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// The requests to the device, each the content of the body.
    pub(crate) asks: Vec<String>,
    /// What it demands before it listens: the value of `WWW-Authenticate`.
    pub(crate) challenge: Option<String>,
    /// What answers an Inform instead of an InformResponse: the status line and fields.
    pub(crate) refusal: Option<String>,
    /// Whether it tells devices apart by their connections; else it follows its script with one device at a time.
    pub(crate) by_connection: bool,
    /// Whether the device is to keep silent.
    pub(crate) hold: bool,
    /// How often a TransferComplete is to be sent again.
    pub(crate) again: u32,
    /// A parameter that changes by itself between an Inform and its answer.
    pub(crate) meanwhile: Option<(Device, &'static str, &'static str)>,
    pub(crate) heard: Vec<Heard>,
    pub(crate) connections: usize,
}

/// The server, for as long as it lives.
pub(crate) struct Acs {
    script: Arc<Mutex<Script>>,
    pub(crate) url: String,
    _task: JoinSet<()>,
}

impl Acs {
    /// A server that asks these things, in every session from the start.
    pub(crate) async fn asking(asks: &[&str]) -> Self {
        Self::new(Script { asks: asks.iter().map(|ask| (*ask).to_owned()).collect(), ..Script::default() }).await
    }

    pub(crate) async fn new(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/acs", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(script));
        let mut task = JoinSet::new();
        task.spawn(accept(listener, script.clone()));
        Self { script, url, _task: task }
    }

    /// What it has heard since it was last asked.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.script.lock().unwrap().heard)
    }

    /// What it asks from now on.
    pub(crate) fn asks(&self, asks: &[&str]) {
        self.script.lock().unwrap().asks = asks.iter().map(|ask| (*ask).to_owned()).collect();
    }

    /// What it answers to an Inform from now on, if not an InformResponse.
    pub(crate) fn refuses(&self, refusal: Option<&str>) {
        self.script.lock().unwrap().refusal = refusal.map(str::to_owned);
    }

    /// What happens between the next Inform and its answer.
    pub(crate) fn meanwhile(&self, device: &Device, name: &'static str, value: &'static str) {
        self.script.lock().unwrap().meanwhile = Some((device.clone(), name, value));
    }

    /// A device that knows this server.
    pub(crate) fn device(&self, model: Model, faults: Faults) -> Device {
        Device::new(DeviceOptions { acs_url: self.url.clone(), faults, ..DeviceOptions::of(model, "R0000001") })
    }
}

/// A router without faults that is asked these things in one session; the server and the answers come along.
pub(crate) async fn asked(faults: Faults, asks: &[&str]) -> (Device, SessionReport, Vec<Heard>) {
    let acs = Acs::asking(asks).await;
    let device = acs.device(Model::Tr181Router, faults);
    let report = device.session(&["1 BOOT"]).await.unwrap();
    // The Inform and the empty request come first.
    let heard = acs.heard();
    (device, report, heard)
}

async fn accept(listener: TcpListener, script: Arc<Mutex<Script>>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let number = {
            let mut script = script.lock().unwrap();
            script.connections += 1;
            script.connections
        };
        connections.spawn(connection(stream, number, script.clone()));
    }
}

async fn connection(mut stream: TcpStream, number: usize, script: Arc<Mutex<Script>>) {
    let mut buffer = Vec::new();
    loop {
        let Some(heard) = request(&mut stream, &mut buffer, number).await else { return };
        let answer = answer(&script, &heard);
        script.lock().unwrap().heard.push(heard);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// One request, with a length that is taken as it is said.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>, connection: usize) -> Option<Heard> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
            let length: usize = field(&head, "content-length")?.parse().unwrap();
            if buffer.len() >= end + 4 + length {
                let body = String::from_utf8(buffer[end + 4..end + 4 + length].to_vec()).unwrap();
                buffer.drain(..end + 4 + length);
                return Some(Heard { connection, head, body });
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// A field of a head.
pub(crate) fn field(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()))
}

/// The text of the first element of this local name.
pub(crate) fn element(body: &str, name: &str) -> Option<String> {
    let opens = |tag: &str| !tag.starts_with('/') && tag.split([' ', '/']).next().unwrap().rsplit(':').next() == Some(name);
    let (_, text) = body.split('<').filter_map(|part| part.split_once('>')).find(|(tag, _)| opens(tag))?;
    Some(text.to_owned())
}

fn answer(script: &Mutex<Script>, heard: &Heard) -> String {
    let mut script = script.lock().unwrap();
    if let Some(challenge) = &script.challenge
        && field(&heard.head, "authorization").is_none()
    {
        return format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n");
    }
    if heard.body.contains("Inform>") {
        if let Some((device, name, value)) = script.meanwhile.take() {
            device.change(name, value);
        }
        if let Some(refusal) = &script.refusal {
            return format!("HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n");
        }
        let content = "<cwmp:InformResponse><MaxEnvelopes>1</MaxEnvelopes></cwmp:InformResponse>";
        return ok(&element(&heard.body, "ID").unwrap_or_default(), content, "Set-Cookie: session=abc; Path=/\r\nSet-Cookie: lb=7\r\n", script.hold);
    }
    if heard.body.contains("TransferComplete>") {
        let id = element(&heard.body, "ID").unwrap_or_default();
        if script.again > 0 {
            script.again -= 1;
            return ok(&id, "<soap-env:Fault><detail><cwmp:Fault><FaultCode>8005</FaultCode></cwmp:Fault></detail></soap-env:Fault>", "", false);
        }
        return ok(&id, "<cwmp:TransferCompleteResponse/>", "", script.hold);
    }
    // What the device has answered since its Inform says where the script is, on whatever connection.
    let answered = script
        .heard
        .iter()
        .rev()
        .filter(|other| !script.by_connection || other.connection == heard.connection)
        .take_while(|other| !other.body.contains("Inform>"))
        .filter(|other| !other.body.is_empty() && !other.body.contains("TransferComplete>"))
        .count();
    let next = answered + usize::from(!heard.body.is_empty());
    match script.asks.get(next) {
        Some(ask) => ok(&format!("acs-{next}"), ask, "", script.hold),
        None => "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned(),
    }
}

fn ok(id: &str, content: &str, fields: &str, hold: bool) -> String {
    let body = format!(
        "<?xml version=\"1.0\"?><soap-env:Envelope xmlns:soap-env=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:cwmp=\"urn:dslforum-org:cwmp-1-2\">\
         <soap-env:Header><cwmp:ID soap-env:mustUnderstand=\"1\">{id}</cwmp:ID></soap-env:Header><soap-env:Body>{content}</soap-env:Body></soap-env:Envelope>"
    );
    let body = if hold { body.replace("</soap-env:Header>", "<cwmp:HoldRequests>1</cwmp:HoldRequests></soap-env:Header>") } else { body };
    format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// A SetParameterValues with these names, types and values.
pub(crate) fn set(values: &[(&str, &str, &str)], key: &str) -> String {
    let list: String = values
        .iter()
        .map(|(name, kind, value)| {
            format!("<ParameterValueStruct><Name>{name}</Name><Value xsi:type=\"xsd:{kind}\">{value}</Value></ParameterValueStruct>")
        })
        .collect();
    format!("<cwmp:SetParameterValues><ParameterList>{list}</ParameterList><ParameterKey>{key}</ParameterKey></cwmp:SetParameterValues>")
}

/// A GetParameterValues with these names.
pub(crate) fn get(names: &[&str]) -> String {
    let list: String = names.iter().map(|name| format!("<string>{name}</string>")).collect();
    format!("<cwmp:GetParameterValues><ParameterNames>{list}</ParameterNames></cwmp:GetParameterValues>")
}

/// The values of an answer, by name.
pub(crate) fn values(body: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in body.split("<ParameterValueStruct>").skip(1) {
        found.push((element(part, "Name").unwrap(), element(part, "Value").unwrap()));
    }
    found
}
