//! Signatures with secrets.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    hmac::{self, HMAC_SHA256, HMAC_SHA512, Key},
    signature::Ed25519KeyPair,
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use super::super::bindings::secrets::{Algorithm, Error};
use crate::{grant::Secret, host::secrets::SealKey};

const MAX_BYTES: usize = 1 << 20;

/// Stands before the base64 of a key that is no text, such as those that `tsig-keygen` makes.
const BASE64: &str = "base64:";

pub(super) fn sign(secret: &Secret, algorithm: Algorithm, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::Limit(format!("{} bytes to sign, expected at most {MAX_BYTES}", bytes.len())));
    }
    let keyed = |algorithm| Ok(hmac::sign(&Key::new(algorithm, &key(secret)?), bytes).as_ref().to_vec());
    match algorithm {
        Algorithm::HmacSha256 => keyed(HMAC_SHA256),
        Algorithm::HmacSha512 => keyed(HMAC_SHA512),
        Algorithm::Ed25519 => Ok(ed25519(secret)?.sign(bytes).as_ref().to_vec()),
    }
}

/// The bytes of a key of HMAC.
fn key(secret: &Secret) -> Result<Zeroizing<Vec<u8>>, Error> {
    let Some(encoded) = secret.reveal().strip_prefix(BASE64) else {
        return Ok(Zeroizing::new(secret.reveal().as_bytes().to_vec()));
    };
    let unfit = |_| Error::Unfit("what follows `base64:` is no base64 with padding".to_owned());
    STANDARD.decode(encoded.trim()).map(Zeroizing::new).map_err(unfit)
}

fn ed25519(secret: &Secret) -> Result<Ed25519KeyPair, Error> {
    let unfit = || Error::Unfit("it is no ed25519 key: expected PKCS #8 in PEM or a seed of 64 hexadecimal digits".to_owned());
    if let Ok(seed) = SealKey::parse(secret.reveal()) {
        return Ed25519KeyPair::from_seed_unchecked(seed.bytes()).map_err(|_| unfit());
    }
    let der = PrivatePkcs8KeyDer::from_pem_slice(secret.reveal().as_bytes()).map_err(|_| unfit())?;
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map_err(|_| unfit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &str, algorithm: Algorithm, text: &[u8], expected: &str) {
        let found = match sign(&Secret::new(secret), algorithm, text) {
            Ok(signature) => signature.iter().map(|byte| format!("{byte:02x}")).collect(),
            Err(Error::Unfit(why) | Error::Limit(why) | Error::Unknown(why) | Error::Unavailable(why)) => why,
        };
        assert!(found.starts_with(expected), "{found}");
    }

    /// The first test of RFC 8032, section 7.1, and the second of RFC 4231.
    #[test]
    fn signatures_are_those_of_the_rfcs() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        check(
            seed,
            Algorithm::Ed25519,
            b"",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        );
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
        check(pem, Algorithm::Ed25519, b"", "e5564300c360ac729086e2cc806e828a");
        let text = b"what do ya want for nothing?";
        check("Jefe", Algorithm::HmacSha256, text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        check("base64:SmVmZQ==", Algorithm::HmacSha256, text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        check("base64:Jefe!", Algorithm::HmacSha256, text, "what follows `base64:` is no base64 with padding");
        check("Jefe", Algorithm::HmacSha512, text, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554");
        check("Jefe", Algorithm::Ed25519, text, "it is no ed25519 key");
        check("Jefe", Algorithm::HmacSha256, &vec![0; MAX_BYTES + 1], "1048577 bytes to sign, expected at most 1048576");
    }
}
