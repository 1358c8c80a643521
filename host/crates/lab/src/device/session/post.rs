//! Requests of a session on the wire: who asks, with which cookies, on which connection.

use std::fmt::Write as _;

use tokio::time::Instant;

use super::{MAX_EXCHANGES, Visit};
use crate::{
    device::report::End,
    wire::{Answer, Connection, Credentials, Target, WireError},
};

impl Visit<'_> {
    /// Sends a body and says what came back; answers challenges on the way.
    pub(super) async fn post(&mut self, body: &str) -> Result<Answer, End> {
        let mut challenges = 0;
        loop {
            if self.report.exchanges == MAX_EXCHANGES {
                return Err(End::Unexpected(format!("a session of more than {MAX_EXCHANGES} exchanges")));
            }
            self.write(body);
            let begun = Instant::now();
            let answer = tokio::time::timeout(self.device.options.patience, self.exchange()).await;
            let answer = answer.map_err(|_| End::TimedOut)?.map_err(|error| End::Lost(error.to_string()))?;
            self.report.exchanges += 1;
            self.report.answers.push(begun.elapsed());
            if !self.faults.no_cookies {
                self.keep(&answer.cookies);
            }
            if answer.status == 401 {
                challenges += 1;
                let stale = challenges == 2 && answer.challenges.iter().any(|challenge| challenge.contains("stale=true"));
                let answerable = self.device.state().login.challenged(self.device.options.login, &answer.challenges);
                if answerable && (challenges == 1 || stale) {
                    continue;
                }
                return Err(End::Refused(401));
            }
            self.report.authenticated_exchanges += 1;
            if self.faults.reboot_after == Some(self.report.authenticated_exchanges) {
                return Err(End::Rebooted);
            }
            return match answer.status {
                204 if self.faults.no_204 => Err(End::Unexpected("204".to_owned())),
                200 | 204 => Ok(answer),
                503 => Err(End::Busy(answer.retry_after)),
                status => Err(End::Refused(status)),
            };
        }
    }

    /// The bytes of a request.
    fn write(&mut self, body: &str) {
        let Target { authority, path, .. } = &self.target;
        let request = &mut self.request;
        request.clear();
        let _ = write!(
            request,
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: lab\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: \r\n"
        );
        let credentials = Credentials { username: &self.username, password: &self.password };
        if let Some(authorization) = self.device.state().login.authorize(self.device.options.login, credentials, "POST", path) {
            let _ = write!(request, "Authorization: {authorization}\r\n");
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _ = write!(request, "Cookie: {}\r\n", cookies.join("; "));
        }
        if self.faults.new_connections {
            request.push_str("Connection: close\r\n");
        }
        let length = body.len() - usize::from(self.faults.short_length && !body.is_empty());
        let _ = write!(request, "Content-Length: {length}\r\n\r\n{body}");
    }

    /// One exchange. A connection that the server has closed meanwhile is replaced once.
    async fn exchange(&mut self) -> Result<Answer, WireError> {
        loop {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => Connection::open(&self.target, self.device.options.tls.as_ref()).await?,
            };
            let again = connection.was_used();
            match connection.exchange(self.request.as_bytes()).await {
                Err(WireError::Closed | WireError::Broken(_)) if again => {}
                Err(error) => return Err(error),
                Ok(answer) => {
                    self.connection = Some(connection).filter(|_| !answer.closes && !self.faults.new_connections);
                    return Ok(answer);
                }
            }
        }
    }

    fn keep(&mut self, cookies: &[(String, String)]) {
        for (name, value) in cookies {
            self.cookies.retain(|(kept, _)| kept != name);
            self.cookies.push((name.clone(), value.clone()));
        }
    }
}
