//! Secrets of a native test. Handles are readable here, and requests are recorded with them: a plugin cannot see more than that in a host either.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::secrets::{Algorithm, Error};

/// What signs with a secret.
type Signer = Rc<dyn Fn(&[u8]) -> Vec<u8>>;

#[derive(Default)]
struct Granted {
    by_name: BTreeMap<String, Option<Signer>>,
    sealed: Vec<String>,
    unsealable: bool,
}

thread_local! {
    static GRANTED: RefCell<Granted> = RefCell::default();
}

/// The secrets of the plugin under test.
#[derive(Debug)]
pub struct Secrets;

impl Secrets {
    /// Grants a secret. Its handle is `jackfield-secret.NAME.`.
    pub fn grant(name: &str) {
        GRANTED.with_borrow_mut(|it| it.by_name.insert(name.into(), None));
    }

    /// Grants a secret with which every signature is these bytes.
    pub fn grant_signing(name: &str, signature: &[u8]) {
        let signature = signature.to_vec();
        Self::grant_signer(name, move |_| signature.clone());
    }

    /// Grants a secret with which signatures are made so.
    pub fn grant_signer(name: &str, sign: impl Fn(&[u8]) -> Vec<u8> + 'static) {
        GRANTED.with_borrow_mut(|it| it.by_name.insert(name.into(), Some(Rc::new(sign))));
    }

    /// The texts that were sealed, in order. The handle of the first is `jackfield-sealed.0.`.
    pub fn sealed() -> Vec<String> {
        GRANTED.with_borrow(|it| it.sealed.clone())
    }

    /// From now on nothing can be sealed, as in a host without a key.
    pub fn without_seal_key() {
        GRANTED.with_borrow_mut(|it| it.unsealable = true);
    }
}

pub(crate) fn get(name: &str) -> Result<String, Error> {
    super::note(format!("secrets get {name}"));
    let granted = GRANTED.with_borrow(|it| it.by_name.contains_key(name));
    if granted { Ok(format!("jackfield-secret.{name}.")) } else { Err(Error::Unknown(format!("no secret `{name}` is granted"))) }
}

pub(crate) fn seal(text: &str) -> Result<String, Error> {
    super::note("secrets seal".into());
    GRANTED.with_borrow_mut(|it| {
        if it.unsealable {
            return Err(Error::Unavailable("the operator set no key to seal with".into()));
        }
        it.sealed.push(text.into());
        Ok(format!("jackfield-sealed.{}.", it.sealed.len() - 1))
    })
}

pub(crate) fn sign(handle: &str, algorithm: Algorithm, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    super::note(format!("secrets sign {algorithm:?} {} bytes", bytes.len()));
    let name = handle.strip_prefix("jackfield-secret.").and_then(|rest| rest.strip_suffix('.')).unwrap_or_default();
    let found = GRANTED.with_borrow(|it| it.by_name.get(name).cloned());
    let signer = found.ok_or_else(|| Error::Unknown("the text is no handle of this call".into()))?;
    let signer = signer.ok_or_else(|| Error::Unfit(format!("`{name}` signs nothing in this test: grant it with Secrets::grant_signing")))?;
    Ok(signer(bytes))
}

pub(super) fn reset() {
    GRANTED.take();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, secrets};

    #[test]
    fn secrets_are_granted_sealed_and_signed_with() {
        super::super::reset();
        Secrets::grant("token");
        Secrets::grant_signing("key", b"signature");
        assert_eq!(secrets::get("token").unwrap().as_str(), "jackfield-secret.token.");
        assert_eq!(secrets::seal("password").unwrap().to_string(), "jackfield-sealed.0.");
        assert_eq!(Secrets::sealed(), ["password"]);
        let key = secrets::get("key").unwrap();
        assert_eq!(secrets::sign(&key, Algorithm::Ed25519, b"abc").unwrap(), b"signature");
        assert!(matches!(secrets::sign(&secrets::get("token").unwrap(), Algorithm::Ed25519, b"abc"), Err(Error::Unfit(_))));
        assert_eq!(Failure::from(secrets::get("other").unwrap_err()), Failure::rejected(secrets::CODE, "no secret `other` is granted"));
        Secrets::without_seal_key();
        assert!(matches!(Failure::from(secrets::seal("password").unwrap_err()), Failure::Unavailable(_)));
    }
}
