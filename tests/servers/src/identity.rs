//! Certificates that servers show to their clients, each under a root of its own.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::{
    error::{Error, write},
    process::Process,
};

/// A certificate for `localhost` and `127.0.0.1`.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The root, in PEM.
    pub(crate) root: String,
    pub(crate) root_file: PathBuf,
    pub(crate) certificate_file: PathBuf,
    pub(crate) key_file: PathBuf,
}

impl Identity {
    /// Makes one in the folder of a server.
    pub(crate) fn new(process: &Process) -> Result<Self, Error> {
        let [root, certificate, key] = issue().map_err(|error| Error::refused("a certificate for a server", error.to_string()))?;
        let [root_file, certificate_file, key_file] = ["root.pem", "certificate.pem", "key.pem"].map(|name| process.file(name));
        for (file, content) in [(&root_file, &root), (&certificate_file, &certificate), (&key_file, &key)] {
            write(file, content)?;
        }
        Ok(Self { root, root_file, certificate_file, key_file })
    }
}

/// A root, a certificate under it and the key of that.
fn issue() -> Result<[String; 3], rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "root of a test");
    let root_key = KeyPair::generate()?;
    let root = params.self_signed(&root_key)?.pem();
    let key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let certificate = CertificateParams::new(names)?.signed_by(&key, &Issuer::new(params, root_key))?.pem();
    Ok([root, certificate, key.serialize_pem()])
}
