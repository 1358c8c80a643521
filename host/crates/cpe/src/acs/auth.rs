//! Who a device is: Digest, Basic, certificates.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, Uri, header::AUTHORIZATION};
use pipeline::Timestamp;

use super::{
    AuthMode, Credential, Credentials, Options, Proof,
    failures::Failures,
    nonces::{Nonces, Use},
};
use crate::{
    device::DeviceKey,
    digest::{Algorithm, Exchange, Parameters, Protection, same},
    soap::Inform,
};

/// What a request shows to prove who sent it.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) uri: &'a Uri,
    /// The body as it was sent.
    pub(super) body: &'a [u8],
    /// Whether nobody on the way can read it.
    pub(super) secure: bool,
    /// The names in the certificate of the device.
    pub(super) names: &'a [String],
    /// Where it comes from.
    pub(super) peer: IpAddr,
}

/// What that proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Enough.
    Known(Proof),
    /// Nothing: it is asked to prove itself. `stale`: its secret is right, its nonce is not.
    Challenge { stale: bool },
    /// That it is somebody else.
    Other,
    /// Nobody knows, now.
    Unavailable,
    /// Nothing is looked at: too many wrong secrets came from there.
    Barred,
}

/// How much of a user name is told.
const LONGEST_SHOWN: usize = 64;

/// Checks what devices show.
#[derive(Debug)]
pub(super) struct Gate {
    nonces: Nonces,
    failures: Failures,
}

impl Gate {
    pub(super) fn new(nonces: Nonces, failures: Failures) -> Self {
        Self { nonces, failures }
    }

    /// Whether the sender of an Inform is the device that it says.
    pub(super) async fn check(
        &self,
        shown: &Shown<'_>,
        device: &DeviceKey,
        inform: &Inform,
        options: &Options,
        credentials: &dyn Credentials,
        now: Timestamp,
    ) -> Verdict {
        if shown.names.iter().any(|name| name == device.as_str()) {
            return Verdict::Known(Proof::Certificate);
        }
        if options.auth == AuthMode::None {
            return Verdict::Known(Proof::None);
        }
        let header = shown.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let claim = header.and_then(|header| Claim::read(header, shown, options));
        let Some(claim) = claim else {
            let nothing = !shown.headers.contains_key(AUTHORIZATION) && options.auth == AuthMode::Optional;
            return if nothing { Verdict::Known(Proof::None) } else { Verdict::Challenge { stale: false } };
        };
        if self.failures.too_many(claim.username(), shown.peer, now) {
            return Verdict::Barred;
        }
        let credential = match credentials.of(claim.username()).await {
            Ok(Some(credential)) if claim.holds(&credential, shown, options) => credential,
            Ok(_) => return self.wrong(claim.username(), shown.peer, now),
            Err(_) => return Verdict::Unavailable,
        };
        if claim.nonce().is_some_and(|(nonce, count)| self.nonces.take(nonce, count, now) == Use::Stale) {
            return Verdict::Challenge { stale: true };
        }
        owner(&credential, device, inform).map_or(Verdict::Other, Verdict::Known)
    }

    /// An unknown name counts as a wrong secret, so that nobody learns which names there are.
    fn wrong(&self, username: &str, peer: IpAddr, now: Timestamp) -> Verdict {
        if self.failures.wrong(username, peer, now) {
            let username: String = username.chars().take(LONGEST_SHOWN).collect();
            tracing::warn!("too many wrong secrets for {username:?} from {peer}: no more are looked at for a while");
        }
        Verdict::Challenge { stale: false }
    }

    /// A later request of a session may show the same nonce with a higher count. That count is used up: else whoever reads it on the way could use it.
    pub(super) fn seen(&self, headers: &HeaderMap, now: Timestamp) {
        let Some(header) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else { return };
        if let Some(digest) = Parameters::all(header).first()
            && let Some((nonce, count)) = digest.get("nonce").zip(digest.get("nc").and_then(count))
        {
            self.nonces.take(nonce, count, now);
        }
    }

    /// The challenges of an answer.
    pub(super) fn challenges(&self, options: &Options, secure: bool, stale: bool, now: Timestamp) -> Vec<HeaderValue> {
        let (nonce, realm) = (self.nonces.issue(now), &options.realm);
        let stale = if stale { ", stale=true" } else { "" };
        let digest =
            |algorithm: &Algorithm| format!("Digest realm=\"{realm}\", qop=\"auth\", algorithm={}, nonce=\"{nonce}\"{stale}", algorithm.name());
        let basic = (secure || options.allow_basic_plain).then(|| format!("Basic realm=\"{realm}\""));
        options.algorithms.iter().map(digest).chain(basic).filter_map(|challenge| challenge.try_into().ok()).collect()
    }
}

/// Whose credential it is, and whether it may be this device's.
fn owner(credential: &Credential, device: &DeviceKey, inform: &Inform) -> Option<Proof> {
    match (&credential.device, &credential.oui) {
        (Some(owner), _) => (owner == device).then_some(Proof::Own),
        (None, Some(oui)) => oui.eq_ignore_ascii_case(&inform.device.oui).then_some(Proof::Shared),
        (None, None) => Some(Proof::Shared),
    }
}

/// What a device claims to know.
enum Claim<'a> {
    Basic { username: String, password: String },
    Digest { parameters: Parameters<'a>, username: String, algorithm: Algorithm, count: Option<u32> },
}

impl<'a> Claim<'a> {
    /// Nothing if the header is not of a kind that is accepted here, or not for this request.
    fn read(header: &'a str, shown: &Shown<'_>, options: &Options) -> Option<Self> {
        if let Some(encoded) = basic(header) {
            return (shown.secure || options.allow_basic_plain).then(|| Self::basic(encoded))?;
        }
        let parameters = Parameters::all(header).into_iter().next()?;
        let username = parameters.get("username")?.to_owned();
        let algorithm = Algorithm::named(parameters.get("algorithm")).filter(|algorithm| options.algorithms.contains(algorithm))?;
        let for_this = parameters.get("realm") == Some(&options.realm) && is_target(parameters.get("uri")?, shown.uri);
        let count = match parameters.get("qop") {
            Some(_) => Some(count(parameters.get("nc")?)?),
            None => None,
        };
        for_this.then_some(Self::Digest { parameters, username, algorithm, count })
    }

    fn basic(encoded: &str) -> Option<Self> {
        let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded.trim()).ok()?;
        let (username, password) = str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some(Self::Basic { username: username.to_owned(), password: password.to_owned() })
    }

    fn username(&self) -> &str {
        match self {
            Self::Basic { username, .. } | Self::Digest { username, .. } => username,
        }
    }

    /// The nonce, and how often it was used. Without a count it can be used once.
    fn nonce(&self) -> Option<(&str, u32)> {
        match self {
            Self::Basic { .. } => None,
            Self::Digest { parameters, count, .. } => Some((parameters.get("nonce").unwrap_or_default(), count.unwrap_or(u32::MAX))),
        }
    }

    /// Whether it shows the secret of the credential.
    fn holds(&self, credential: &Credential, shown: &Shown<'_>, options: &Options) -> bool {
        match self {
            Self::Basic { username, password } => {
                let secret = Algorithm::Sha256.secret(username, &options.realm, password);
                same(secret.as_bytes(), credential.sha256.as_bytes())
            }
            Self::Digest { parameters, algorithm, .. } => {
                let secret = match algorithm {
                    Algorithm::Md5 => &credential.md5,
                    Algorithm::Sha256 => &credential.sha256,
                };
                let response = exchange(parameters, shown).map(|exchange| algorithm.response(secret, exchange));
                let said = parameters.get("response").unwrap_or_default().to_ascii_lowercase();
                response.is_some_and(|response| same(response.as_bytes(), said.as_bytes()))
            }
        }
    }
}

fn exchange<'a>(parameters: &'a Parameters<'_>, shown: &Shown<'a>) -> Option<Exchange<'a>> {
    let counted = || Some((parameters.get("nc")?, parameters.get("cnonce")?));
    let protection = match parameters.get("qop").map(str::to_ascii_lowercase).as_deref() {
        None => Protection::None,
        Some("auth") => counted().map(|(count, client)| Protection::Auth { count, client })?,
        Some("auth-int") => counted().map(|(count, client)| Protection::Body { count, client, body: shown.body })?,
        Some(_) => return None,
    };
    Some(Exchange { method: "POST", uri: parameters.get("uri")?, nonce: parameters.get("nonce")?, protection })
}

/// What stands behind the word `Basic`.
fn basic(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim_start().split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(rest)
}

/// Eight hexadecimal digits by the standard; some devices send fewer.
fn count(text: &str) -> Option<u32> {
    let digits = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

/// Whether what a device signed is what it asked for. Some sign the whole address of the server.
fn is_target(signed: &str, target: &Uri) -> bool {
    let path = target.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let of_address = || signed.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.path_and_query().is_some_and(|signed| signed == path));
    signed == path || of_address()
}
