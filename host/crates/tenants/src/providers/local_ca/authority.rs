//! The key of the private authority, and what is signed with it.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pipeline::{Failure, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rcgen::{ExtendedKeyUsagePurpose, SerialNumber};
use time::OffsetDateTime;

use crate::{contract::CertificateReceipt, providers::effect::held};

/// The file with the key and the certificate of the authority, which are made together.
const FILE: &str = "authority.pem";

/// The file with the certificate alone, for those who are to believe it.
const ROOT_FILE: &str = "root.pem";

/// What the authority is called, and the year in which its own certificate ends.
const NAME: &str = "Jackfield local authority";
const LAST_YEAR: i32 = 2099;

/// So much before their issue certificates are valid, for clocks that are behind.
const BEFORE: Duration = Duration::from_secs(300);

/// The authority cannot be opened or made.
#[derive(Debug)]
pub struct LocalCaError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for LocalCaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate authority in {} cannot be used: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for LocalCaError {}

/// A key that signs.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
    /// What proofs are made with.
    secret: [u8; 32],
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    pub(super) fn open(folder: &Path, now: Timestamp) -> Result<Self, LocalCaError> {
        let path = folder.join(FILE);
        let fails = |why: String| LocalCaError { path: path.clone(), why };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = make(now).map_err(|error| fails(error.to_string()))?;
                write(folder, &text).map_err(|error| fails(error.to_string()))?;
                text
            }
            Err(error) => return Err(fails(error.to_string())),
        };
        let mode = fs::metadata(&path).map_err(|error| fails(error.to_string()))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(fails(format!("its mode is {:o}: expected 600, because it is a private key", mode & 0o777)));
        }
        let (_, root) = split(&text).ok_or_else(|| fails("there is no certificate in it".to_owned()))?;
        let key = KeyPair::from_pem(&text).map_err(|error| fails(error.to_string()))?;
        let secret = blake3::derive_key("jackfield 2026 proofs of names", key.serialized_der());
        let issuer = Issuer::from_ca_cert_pem(root, key).map_err(|error| fails(error.to_string()))?;
        Ok(Self { issuer, root: root.to_owned(), secret })
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// What proves a name for an order: nobody knows it before the order is placed.
    pub(super) fn proof(&self, order: &str, name: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(order.as_bytes()).update(&[0]).update(name.as_bytes());
        URL_SAFE_NO_PAD.encode(hasher.finalize().as_bytes())
    }

    /// Signs what was requested, as a certificate of a server.
    pub(super) fn issue(
        &self,
        mut wanted: CertificateSigningRequestParams,
        now: Timestamp,
        validity: Duration,
    ) -> Result<CertificateReceipt, Failure> {
        let mut serial = [0; 16];
        getrandom(&mut serial)?;
        // Positive, and never shorter.
        serial[0] = serial[0] & 0x3f | 0x40;
        let not_after = now.plus(validity).0 / 1_000_000;
        let params = &mut wanted.params;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = at(now.0.saturating_sub(micros(BEFORE)) / 1_000_000);
        params.not_after = at(not_after);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let signed = wanted.signed_by(&self.issuer).map_err(|error| held("host.internal", format!("a certificate cannot be signed: {error}")))?;
        Ok(CertificateReceipt {
            status: "issued".to_owned(),
            issuer: format!("CN={NAME}"),
            serial: serial.iter().map(|byte| format!("{byte:02x}")).collect(),
            not_after,
            chain: format!("{}{}", signed.pem(), self.root),
        })
    }
}

fn getrandom(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|error| held("host.internal", error.to_string()))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn at(seconds: u64) -> OffsetDateTime {
    i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn make(now: Timestamp) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = at(now.0.saturating_sub(micros(BEFORE)) / 1_000_000);
    params.not_after = rcgen::date_time_ymd(LAST_YEAR, 12, 31);
    Ok(key.serialize_pem() + &params.self_signed(&key)?.pem())
}

/// The key and the certificate.
fn split(text: &str) -> Option<(&str, &str)> {
    text.find("-----BEGIN CERTIFICATE-----").map(|at| text.split_at(at))
}

/// Writes under another name first: a file that is there is complete.
fn write(folder: &Path, text: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for (name, mode, text) in [(ROOT_FILE, 0o644, split(text).map_or("", |(_, root)| root)), (FILE, 0o600, text)] {
        let draft = folder.join(format!(".{name}"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, folder.join(name))?;
    }
    File::open(folder)?.sync_all()
}
