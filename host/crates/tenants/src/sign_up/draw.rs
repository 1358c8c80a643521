//! What is made for a tenant before anything else: its id, its passwords, and the key and signing request of its certificate.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::port::Secrets;
use pipeline::TenantName;
use zeroize::Zeroizing;

use super::SignUpError;
use crate::{
    input::Sealed,
    providers::{SigningMaterial, signing_material},
};

/// How many bytes a password has.
const PASSWORD_BYTES: usize = 32;

/// The digits of ids: every name that is made of one may have them.
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// What was drawn for a tenant, sealed.
pub(super) struct Drawn {
    pub(super) sealed: Sealed,
    pub(super) signing_request: Option<String>,
}

/// The id of the tenant that a caller's key stands for; a new one without a key.
pub(super) fn id(caller: &str, key: Option<&str>) -> Result<String, SignUpError> {
    let mut bytes = [0; 16];
    match key {
        Some(key) => {
            let mut hasher = blake3::Hasher::new_derive_key("jackfield tenants: the id that a caller's idempotency key stands for");
            hasher.update(&(caller.len() as u64).to_le_bytes()).update(caller.as_bytes()).update(key.as_bytes());
            hasher.finalize_xof().fill(&mut bytes);
        }
        None => random(&mut bytes)?,
    }
    let number = u128::from_le_bytes(bytes);
    let digits = (0..20).map(|place| char::from(DIGITS[usize::try_from(number >> (place * 5) & 31).unwrap_or(0)]));
    Ok(format!("t-{}", digits.collect::<String>()))
}

/// Draws and seals everything. A tenant without a certificate has no key.
pub(super) fn draw(secrets: &dyn Secrets, service: &TenantName, certificate_for: Option<&str>) -> Result<Drawn, SignUpError> {
    let database = secrets.seal(service, &password()?)?;
    let admin = secrets.seal(service, &password()?)?;
    let Some(domain) = certificate_for else {
        return Ok(Drawn { sealed: Sealed { database, admin, certificate_key: None }, signing_request: None });
    };
    let SigningMaterial { key, request } = signing_material(&[domain.to_owned()]).map_err(|error| SignUpError::Material(error.to_string()))?;
    let certificate_key = Some(secrets.seal(service, &key)?);
    Ok(Drawn { sealed: Sealed { database, admin, certificate_key }, signing_request: Some(request) })
}

/// A password that nobody guesses: 256 bits in characters that need no escaping anywhere.
pub(crate) fn password() -> Result<Zeroizing<String>, SignUpError> {
    let mut bytes = Zeroizing::new([0; PASSWORD_BYTES]);
    random(bytes.as_mut())?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref())))
}

fn random(bytes: &mut [u8]) -> Result<(), SignUpError> {
    getrandom::fill(bytes).map_err(|error| SignUpError::Material(format!("the system gives no random numbers: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_callers_keys_or_new() {
        let of = |caller, key| id(caller, key).unwrap();
        assert_eq!(of("web", Some("k1")), of("web", Some("k1")));
        assert_ne!(of("web", Some("k1")), of("web", Some("k2")));
        assert_ne!(of("web", Some("k1")), of("we", Some("bk1")), "what is a name and what is a key is told apart");
        assert_ne!(of("web", None), of("web", None));
        let id = of("web", Some("k1"));
        assert!(id.len() == 22 && id.starts_with("t-") && id[2..].bytes().all(|byte| DIGITS.contains(&byte)), "{id}");
    }

    #[test]
    fn passwords_are_long_and_need_no_escaping() {
        let password = password().unwrap();
        assert!(password.len() == 43 && password.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
}
