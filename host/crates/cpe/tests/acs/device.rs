//! A device that sends what it is told to, byte by byte.

use std::{collections::VecDeque, net::SocketAddr};

use cpe::{
    acs::Algorithm,
    device::DeviceKey,
    soap::{Answer, Envelope, EventCode, Inform, Limits, Message, Namespace, ParameterValue, Style, read, write},
};
use sha2::Digest as _;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

/// An answer of the server.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The names of the headers as they came.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// The message in the body.
    pub(crate) fn envelope(&self) -> Envelope {
        read(self.body.as_bytes(), None, &Limits::default()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The name of the message in the body.
    pub(crate) fn message(&self) -> String {
        self.envelope().message.name().to_owned()
    }

    /// The cookie, as an honest device sends it back.
    pub(crate) fn cookie(&self) -> String {
        let set = self.header("set-cookie").expect("a cookie");
        format!("Cookie: {}\r\n", set.split(';').next().unwrap())
    }
}

/// A connection.
pub(crate) struct Device<S = TcpStream> {
    stream: S,
    read: VecDeque<u8>,
}

impl Device {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Device<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, read: VecDeque::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends bytes, of which the server may not want all: then it has closed the connection.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Sends bytes and nothing after them.
    pub(crate) async fn send_and_end(&mut self, bytes: &[u8]) {
        if self.try_send(bytes).await {
            let _ = self.stream.shutdown().await;
        }
    }

    /// Posts a body with more lines for the head.
    pub(crate) async fn post(&mut self, lines: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send(request(lines, body)).await;
        self.reply().await
    }

    /// The next answer.
    pub(crate) async fn reply(&mut self) -> Reply {
        self.try_reply().await.expect("an answer")
    }

    /// The next answer; nothing if the connection is closed before.
    pub(crate) async fn try_reply(&mut self) -> Option<Reply> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.byte().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut reply = Reply { status, headers, body: String::new() };
        let length: usize = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = Vec::new();
        while body.len() < length {
            body.push(self.byte().await?);
        }
        reply.body = String::from_utf8(body).unwrap();
        if status == 100 { Box::pin(self.try_reply()).await } else { Some(reply) }
    }

    /// Whether the server closed the connection, which it must have by now.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.byte().await.is_none()
    }

    async fn byte(&mut self) -> Option<u8> {
        if self.read.is_empty() {
            let mut buffer = [0; 4096];
            // A reset is an end too.
            let read = self.stream.read(&mut buffer).await.unwrap_or(0);
            self.read.extend(&buffer[..read]);
        }
        self.read.pop_front()
    }
}

/// A POST.
pub(crate) fn request(lines: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut request = format!("POST /acs HTTP/1.1\r\nHost: acs\r\n{lines}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(body);
    request
}

pub(crate) const OUI: &str = "00D09E";
pub(crate) const CLASS: &str = "Box";

pub(crate) fn key(serial: &str) -> DeviceKey {
    DeviceKey::new(OUI, CLASS, serial)
}

/// An Inform with one event and a few parameters.
pub(crate) fn inform(serial: &str) -> String {
    let device = cpe::device::DeviceId { manufacturer: "Maker".into(), oui: OUI.into(), product_class: CLASS.into(), serial: serial.into() };
    let parameter = |name: &str, value: &str| ParameterValue { name: name.into(), value: value.into(), xsd: "string".into() };
    let inform = Inform {
        device,
        events: vec![EventCode { code: "1 BOOT".into(), command_key: String::new() }],
        current_time: "2026-01-01T00:00:00Z".into(),
        retry_count: 0,
        parameters: vec![parameter("Device.DeviceInfo.SoftwareVersion", "1.0"), parameter("Device.ManagementServer.ParameterKey", "")],
    };
    message("inform-id", Message::Inform(Box::new(inform)))
}

/// An envelope as a device sends it.
pub(crate) fn message(id: &str, message: Message) -> String {
    write(&Envelope::new(Namespace::V1_2, id, message), &Style::default()).unwrap()
}

/// The answer to `SetParameterValues`.
pub(crate) fn set_done(id: &str) -> String {
    message(id, Message::Answer(Answer::SetParameterValues { status: 0 }))
}

/// A value of a challenge.
pub(crate) fn parameter<'a>(challenge: &'a str, name: &str) -> &'a str {
    let (_, rest) = challenge.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("{name} in {challenge}"));
    rest.trim_start_matches('"').split(['"', ',']).next().unwrap()
}

/// The line with a Digest.
pub(crate) struct Digest<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) count: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) realm: &'a str,
}

impl Digest<'_> {
    pub(crate) fn line(&self) -> String {
        let Self { algorithm, username, password, nonce, count, uri, realm } = self;
        let name = if *algorithm == Algorithm::Md5 { "MD5" } else { "SHA-256" };
        let hash = |text: String| match algorithm {
            Algorithm::Md5 => format!("{:x}", md5::Md5::digest(text)),
            Algorithm::Sha256 => format!("{:x}", sha2::Sha256::digest(text)),
        };
        let (secret, request) = (hash(format!("{username}:{realm}:{password}")), hash(format!("POST:{uri}")));
        let response = hash(format!("{secret}:{nonce}:{count}:client:auth:{request}"));
        format!(
            "Authorization: Digest username=\"{username}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm={name}, qop=auth, nc={count}, cnonce=\"client\", response=\"{response}\"\r\n"
        )
    }
}
