//! Files that a device fetches or delivers, after it was asked to and outside of the session.

use std::time::Duration;

use tokio::time::Instant;

use super::{envelope::Style, options::Login, soap::Message, tree::now};
use crate::wire::{Connection, Credentials, LoginSession, Target, WireError};

/// How long a file server may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A transfer that is to be made.
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub(super) key: String,
    pub(super) url: String,
    pub(super) due: Instant,
    upload: bool,
    firmware: bool,
    username: String,
    password: String,
    size: usize,
}

/// A transfer that was made, and that the server has not been told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Completed {
    pub(super) key: String,
    /// 0 if it worked.
    code: u32,
    started: String,
    completed: String,
    /// The version that runs from now on.
    pub(super) version: Option<String>,
    pub(super) event: &'static str,
}

impl Transfer {
    /// What a Download or an Upload asks for.
    pub(super) fn asked(message: &Message) -> Option<Self> {
        let text = |name| message.text(name).to_owned();
        // What is not said is 0.
        let number = |name| Some(message.text(name).trim()).filter(|text| !text.is_empty()).map_or(Ok(0_u32), str::parse).ok();
        let key = text("CommandKey");
        Some(Self {
            key: Some(key).filter(|key| key.len() <= 32)?,
            url: text("URL"),
            due: Instant::now() + Duration::from_secs(number("DelaySeconds")?.into()),
            upload: message.method == "Upload",
            firmware: message.text("FileType").starts_with("1 "),
            username: text("Username"),
            password: text("Password"),
            size: usize::try_from(number("FileSize")?).ok()?,
        })
    }

    /// Makes it. `fault` is how it ends if it is not meant to work.
    pub(super) async fn make(&self, content: &str, fault: Option<u32>) -> Completed {
        let started = now();
        let made = match fault {
            Some(code) => Err(code),
            None => tokio::time::timeout(PATIENCE, self.exchange(content)).await.unwrap_or(Err(9010)),
        };
        let name = self.url.rsplit('/').next().unwrap_or_default();
        let version = name.split(['?', '#']).next().unwrap_or_default();
        let version = version.rsplit_once('.').map_or(version, |(stem, _)| stem).to_owned();
        Completed {
            key: self.key.clone(),
            code: made.err().unwrap_or(0),
            started,
            completed: now(),
            version: (self.firmware && !self.upload && made.is_ok()).then_some(version),
            event: if self.upload { "M Upload" } else { "M Download" },
        }
    }

    async fn exchange(&self, content: &str) -> Result<(), u32> {
        let target = Target::parse(&self.url).map_err(|_| 9013_u32)?;
        let (mut login, credentials) = (LoginSession::default(), Credentials { username: &self.username, password: &self.password });
        let mut challenged = false;
        loop {
            let authorization = login.authorize(Login::Digest, credentials, self.method(), &target.path);
            let answer = self.once(&target, authorization.as_deref(), content).await.map_err(|_| 9015_u32)?;
            return match answer.status {
                200..=299 if self.upload || self.size == 0 || self.size == answer.body.len() => Ok(()),
                200..=299 => Err(9018),
                401 if !challenged && login.challenged(Login::Digest, &answer.challenges) => {
                    challenged = true;
                    continue;
                }
                401 | 403 => Err(9012),
                _ if self.upload => Err(9011),
                _ => Err(9016),
            };
        }
    }

    fn method(&self) -> &'static str {
        if self.upload { "PUT" } else { "GET" }
    }

    async fn once(&self, target: &Target, authorization: Option<&str>, content: &str) -> Result<crate::wire::Answer, WireError> {
        let Target { authority, path, .. } = target;
        let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        let body = if self.upload { content } else { "" };
        let length = if self.upload { format!("Content-Length: {}\r\n", body.len()) } else { String::new() };
        let head =
            format!("{} {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: lab\r\nConnection: close\r\n{authorization}{length}\r\n", self.method());
        Connection::open(target, None).await?.exchange(format!("{head}{body}").as_bytes()).await
    }
}

impl Completed {
    /// The content of a TransferComplete.
    pub(super) fn content(&self, style: Style<'_>) -> String {
        let Self { key, code, started, completed, .. } = self;
        let text = if *code == 0 { "" } else { super::envelope::meaning(*code) };
        format!(
            "<CommandKey>{}</CommandKey><FaultStruct><FaultCode>{code}</FaultCode><FaultString>{text}</FaultString></FaultStruct>\
             <StartTime>{started}</StartTime><CompleteTime>{completed}</CompleteTime>",
            style.text(key)
        )
    }
}
