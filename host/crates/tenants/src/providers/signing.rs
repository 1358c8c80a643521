//! Private keys and signing requests. The key is made here, sealed by whoever asked, and no authority sees it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use zeroize::Zeroizing;

/// A private key with the request to certify its public half.
pub struct SigningMaterial {
    /// The private key (P-256), PKCS#8 in PEM form: to be sealed.
    pub key: Zeroizing<String>,
    /// The signing request (RFC 2986): DER in base64.
    pub request: String,
}

impl std::fmt::Debug for SigningMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningMaterial").field("request", &self.request).finish_non_exhaustive()
    }
}

/// There is no signing request for these names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningError(String);

impl std::fmt::Display for SigningError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no signing request can be made: {}", self.0)
    }
}

impl std::error::Error for SigningError {}

impl From<rcgen::Error> for SigningError {
    fn from(error: rcgen::Error) -> Self {
        Self(error.to_string())
    }
}

/// The longest common name (RFC 5280, appendix A).
const LONGEST_COMMON_NAME: usize = 64;

/// The largest signing request, in base64.
const LARGEST_REQUEST: usize = 32 << 10;

/// Makes a key and a request for these names. The first is the subject, where it is short enough to be one.
///
/// # Errors
///
/// Without names, or with one that is none.
pub fn signing_material(names: &[String]) -> Result<SigningMaterial, SigningError> {
    let first = names.first().ok_or_else(|| SigningError("there are no names".to_owned()))?;
    if let Some(name) = names.iter().find(|name| !super::names::is_name(name, true)) {
        return Err(SigningError(format!("`{}` is no name", super::names::shown(name))));
    }
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    if first.len() <= LONGEST_COMMON_NAME {
        params.distinguished_name.push(DnType::CommonName, first.as_str());
    }
    let request = STANDARD.encode(params.serialize_request(&key)?.der());
    Ok(SigningMaterial { key: Zeroizing::new(key.serialize_pem()), request })
}

/// The bytes of a signing request from outside.
pub(crate) fn request_der(text: &str) -> Result<Vec<u8>, String> {
    if text.len() > LARGEST_REQUEST {
        return Err(format!("it has more than the {LARGEST_REQUEST} bytes allowed"));
    }
    STANDARD.decode(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use x509_parser::{certification_request::X509CertificationRequest, prelude::FromDer as _};

    use super::*;

    #[test]
    fn a_request_names_what_it_is_for_and_is_signed_by_its_key() {
        let names = ["app.example.test".to_owned(), "*.app.example.test".to_owned()];
        let made = signing_material(&names).unwrap();
        let der = STANDARD.decode(&made.request).unwrap();
        let (rest, request) = X509CertificationRequest::from_der(&der).unwrap();
        assert!(rest.is_empty());
        request.verify_signature().unwrap();
        let key = KeyPair::from_pem(&made.key).unwrap();
        assert_eq!(request.certification_request_info.subject_pki.subject_public_key.data.as_ref(), key.public_key_raw());
        assert_eq!(request.certification_request_info.subject.to_string(), "CN=app.example.test");
        assert!(!format!("{made:?}").contains("PRIVATE"));
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for names in [vec![], vec!["a b"], vec!["app.test", "x\r\n"]] {
            let names: Vec<_> = names.into_iter().map(str::to_owned).collect();
            assert!(signing_material(&names).is_err(), "{names:?}");
        }
        let long = format!("{}.{}.test", "a".repeat(60), "b".repeat(60));
        assert!(signing_material(&[long]).is_ok());
    }
}
