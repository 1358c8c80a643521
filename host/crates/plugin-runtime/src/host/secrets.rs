//! `jackfield:host/secrets`: secrets that a plugin uses without knowing them.

mod handles;
mod host_secrets;
mod mask;
mod masked;
mod seal;
mod sign;
mod substitute;

pub(crate) use self::{
    handles::{CallSecrets, Caller, Secrets},
    mask::{MIN_SECRET, Mask, MaskStream},
    masked::MaskedSpan,
    substitute::Place,
};
pub use self::{
    host_secrets::HostSecrets,
    seal::{SealKey, SealKeyError},
};
use super::bindings::secrets::{Algorithm, Error, Host};
use crate::call::CallState;

impl Host for &mut CallState {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        Ok(self.context.secrets().handle(&name))
    }

    fn seal(&mut self, text: String) -> wasmtime::Result<Result<String, Error>> {
        Ok(self.context.secrets().seal(&text))
    }

    fn sign(&mut self, handle: String, alg: Algorithm, bytes: Vec<u8>) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        let secret = self.context.secrets().reveal(&handle);
        Ok(secret.and_then(|secret| sign::sign(&secret, alg, &bytes)))
    }
}
