//! Secrets that this plugin uses without knowing them. Needs their names in the manifest.
//!
//! A [`Handle`] stands for a secret in the value of a header, in the query of a URL and in a body; the host puts the secret in when the request leaves it:
//!
//! ```no_run
//! # use jackfield_plugin_sdk::{Failure, http::Request, secrets};
//! # fn order() -> Result<(), Failure> {
//! let token = secrets::get("token")?;
//! Request::post("http://billing/accounts").header("x-api-key", token.as_str()).json(&serde_json::json!({ "pin": secrets::get("pin")? })).send()?;
//! # Ok(()) }
//! ```
//!
//! What this plugin comes to know itself, such as the password of an account that it made, can be sealed; that handle may be kept in a receipt.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Failure;

/// The failure code of this module; every plugin that asks for secrets declares it.
pub const CODE: &str = "secret";

/// Stands for a secret. The text of a handle says nothing about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(String);

/// Why there is no handle or signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The operator granted no secret of this name, or the text is no handle of this call.
    #[error("{0}")]
    Unknown(String),
    /// A limit was exceeded.
    #[error("{0}")]
    Limit(String),
    /// The secret is no key for the algorithm.
    #[error("{0}")]
    Unfit(String),
    /// The operator set no key to seal with.
    #[error("{0}")]
    Unavailable(String),
}

/// How to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC over SHA-256; the key is the secret's bytes, or those in base64 behind `base64:`.
    HmacSha256,
    /// HMAC over SHA-512; the key is the secret's bytes, or those in base64 behind `base64:`.
    HmacSha512,
    /// Ed25519; the key is PKCS #8 in PEM, or a seed of 64 hexadecimal digits.
    Ed25519,
}

impl Handle {
    /// The text that the host replaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A sealed handle that was kept as text.
    pub fn kept(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        if crate::http::effects_possible() {
            return Self::unknown_outcome(CODE, message);
        }
        match error {
            Error::Unknown(_) | Error::Limit(_) | Error::Unfit(_) => Self::rejected(CODE, message),
            Error::Unavailable(_) => Self::unavailable(CODE, message),
        }
    }
}

/// A handle for a secret of the manifest. It is valid during this call.
///
/// # Errors
/// See [`Error`].
pub fn get(name: &str) -> Result<Handle, Error> {
    host::get(name).map(Handle)
}

/// Encrypts a text and returns a handle for plugins of this name in the same run; read from a key, it is one of the run that reads it.
///
/// # Errors
/// See [`Error`].
pub fn seal(text: &str) -> Result<Handle, Error> {
    host::seal(text).map(Handle)
}

/// Signs bytes with a secret.
///
/// # Errors
/// See [`Error`].
pub fn sign(handle: &Handle, algorithm: Algorithm, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    host::sign(&handle.0, algorithm, bytes)
}

#[cfg(target_family = "wasm")]
use crate::bindings::imports::jackfield::host::secrets as host;

#[cfg(not(target_family = "wasm"))]
use crate::testing::secrets as host;
