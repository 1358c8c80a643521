//! A conversation with a mail server, up to the point from which its outcome is open, and beyond it.

use std::{net::IpAddr, time::Duration};

use lettre::{
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};
use pipeline::Failure;
use tokio::time::{Instant, timeout_at};

use super::{LONGEST_ANSWER, SmtpLogin, SmtpOptions, SmtpTls, Stop, held, rejected, unavailable};

/// How mechanisms of logging in are tried.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// A mail server that can be spoken with.
pub(super) struct Server {
    host: String,
    port: u16,
    mode: SmtpTls,
    tls: Option<TlsParameters>,
    hello: ClientId,
    credentials: Option<Credentials>,
    pub(super) timeout: Duration,
}

/// A conversation in which the server has taken sender and recipient.
pub(super) struct Session(AsyncSmtpConnection);

impl Server {
    pub(super) fn new(options: &SmtpOptions, login: Option<SmtpLogin>) -> Result<Self, String> {
        let SmtpOptions { host, port, tls: mode, roots, hello, timeout_ms, .. } = options;
        let is_near = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if login.is_some() && *mode == SmtpTls::None && !is_near {
            return Err(format!("a password would go to {host} in clear text: expected `tls` to be `starttls` or `tls`"));
        }
        let hello = hello.as_deref().unwrap_or("localhost");
        if !hello.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-[]:".contains(&byte)) {
            return Err("`hello` is no name of a host".to_owned());
        }
        let default_port = match mode {
            SmtpTls::None => 25,
            SmtpTls::Starttls => 587,
            SmtpTls::Tls => 465,
        };
        let tls = match mode {
            SmtpTls::None => None,
            SmtpTls::Starttls | SmtpTls::Tls => Some(parameters(host, roots.as_deref())?),
        };
        Ok(Self {
            host: host.clone(),
            port: port.unwrap_or(default_port),
            mode: *mode,
            tls,
            hello: ClientId::Domain(hello.to_owned()),
            credentials: login.map(|login| Credentials::new(login.name, login.password.as_str().to_owned())),
            timeout: Duration::from_millis(*timeout_ms),
        })
    }

    /// Speaks with the server until it has taken sender and recipient. Whatever fails here, nothing was sent.
    pub(super) async fn session(&self, envelope: &Envelope, deadline: Instant) -> Result<Session, Failure> {
        let opened = timeout_at(deadline, async {
            let mut session = Session(self.connect().await.map_err(|error| failure("the connection", &error))?);
            if let Some(credentials) = &self.credentials {
                session.0.auth(&MECHANISMS, credentials).await.map_err(|error| login_failure(&error))?;
            }
            session.address(envelope).await?;
            Ok(session)
        });
        opened.await.unwrap_or_else(|_| Err(unavailable("mail_timeout", "the mail server did not answer in time; nothing was sent")))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let at_once = self.tls.clone().filter(|_| self.mode == SmtpTls::Tls);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1((self.host.as_str(), self.port), Some(self.timeout), &self.hello, at_once, None).await?;
        if let Some(tls) = self.tls.clone().filter(|_| self.mode == SmtpTls::Starttls) {
            connection.starttls(tls, &self.hello).await?;
        }
        Ok(connection)
    }
}

impl Session {
    /// Says who sends to whom.
    async fn address(&mut self, envelope: &Envelope) -> Result<(), Failure> {
        let mut parameters = Vec::new();
        let mut addresses = envelope.to().iter().chain(envelope.from()).map(AsRef::<str>::as_ref);
        if addresses.any(|address| !address.is_ascii()) {
            if !self.0.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(rejected("bad_address", "the mail server takes no addresses beyond ASCII"));
            }
            parameters.extend([MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)]);
        }
        self.0.command(Mail::new(envelope.from().cloned(), parameters)).await.map_err(|error| failure("the sender", &error))?;
        for to in envelope.to() {
            self.0.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(|error| failure("the recipient", &error))?;
        }
        Ok(())
    }

    /// Hands the message over and returns the server's answer.
    pub(super) async fn hand_over(&mut self, text: &[u8], deadline: Instant) -> Result<String, Stop> {
        // The message itself follows only what the server answers to this.
        match timeout_at(deadline, self.0.command(Data)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(Stop::NotTaken(failure("the message", &error))),
            Err(_) => return Err(Stop::NotTaken(unavailable("mail_timeout", "the mail server did not answer in time; nothing was sent"))),
        }
        match timeout_at(deadline, self.0.message(text)).await {
            Ok(Ok(answer)) => Ok(said(&answer)),
            Ok(Err(error)) if error.status().is_some() => Err(Stop::NotTaken(failure("the message", &error))),
            Ok(Err(error)) => Err(Stop::InDoubt(described(&error))),
            Err(_) => Err(Stop::InDoubt("it did not answer in time".to_owned())),
        }
    }

    /// Says goodbye, for which nobody waits long.
    pub(super) async fn end(&mut self, deadline: Instant) {
        let soon = deadline.min(Instant::now() + Duration::from_secs(1));
        let _it_was_told = timeout_at(soon, self.0.abort()).await;
    }
}

fn parameters(host: &str, roots: Option<&str>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(roots) = roots {
        let unfit = |error: &dyn std::fmt::Display| format!("`roots` cannot be read: {error}; expected certificates in PEM form");
        builder = builder.add_root_certificate(Certificate::from_pem(roots.as_bytes()).map_err(|error| unfit(&error))?);
    }
    builder.build_rustls().map_err(|error| format!("TLS cannot be set up for {host}: {error}"))
}

/// Why a server that was reached, or not, did not take something. Nothing was sent.
fn failure(what: &str, error: &Error) -> Failure {
    if error.is_permanent() {
        return rejected("mail_refused", format!("the mail server refuses {what}: {}", described(error)));
    }
    let code = if error.is_transient() { "mail_deferred" } else { "mail_unreachable" };
    unavailable(code, format!("the mail server does not take {what} now: {}", described(error)))
}

/// A password that is refused is refused again: the operator has to look.
fn login_failure(error: &Error) -> Failure {
    if error.is_permanent() || error.is_client() {
        return held("mail_login", format!("the mail server refuses the login: {}", described(error)));
    }
    failure("the login", error)
}

/// The code of an answer, or what went wrong with the connection. Texts of servers quote addresses, so they are left out.
fn described(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("it answered {code}"),
        None => error.to_string().chars().take(LONGEST_ANSWER).collect(),
    }
}

/// The answer to a message that was taken: one line without control characters.
fn said(answer: &Response) -> String {
    let text = format!("{} {}", answer.code(), answer.first_line().unwrap_or_default());
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST_ANSWER).collect()
}
