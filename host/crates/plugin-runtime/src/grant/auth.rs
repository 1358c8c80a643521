//! How the host authenticates itself at an endpoint.

use serde::Deserialize;

use super::Secret;

/// How the host authenticates itself. The plugin sees none of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Auth {
    /// RFC 6750: `authorization: Bearer ...`.
    Bearer(Secret),
    /// RFC 7617: `authorization: Basic ...`.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A header of the endpoint's own: `x-api-key`.
    Header {
        /// The name of the header.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// AWS Signature Version 4 in the header `authorization`. The host hashes the body, so it is held until it is whole.
    Sigv4 {
        /// The id of the access key.
        access_key: Secret,
        /// The secret access key.
        secret_key: Secret,
        /// The token of a session, for temporary keys.
        #[serde(default)]
        session_token: Option<Secret>,
        /// `eu-central-1`.
        region: String,
        /// `s3`, `execute-api`.
        service: String,
    },
    /// A keyed hash (RFC 2104) in a header. The body is held until it is whole.
    Hmac(HmacAuth),
}

/// A keyed hash over the body, or over the time and the body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HmacAuth {
    /// The key, its bytes as they are.
    pub key: Secret,
    /// The header that carries the hash.
    #[serde(default = "HmacAuth::default_header")]
    pub header: String,
    /// The hash.
    #[serde(default)]
    pub algorithm: HmacAlgorithm,
    /// What is hashed.
    #[serde(default)]
    pub over: HmacOver,
    /// The header that carries the time, in seconds since 1970, where it is part of what is hashed.
    #[serde(default = "HmacAuth::default_timestamp_header")]
    pub timestamp_header: String,
    /// How the hash is written.
    #[serde(default)]
    pub encoding: HmacEncoding,
    /// What stands before the hash in the header: `sha256=`.
    #[serde(default)]
    pub prefix: String,
}

/// The hash of [`HmacAuth`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HmacAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// What [`HmacAuth`] hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HmacOver {
    /// The time, a dot and the body, so that what was sent once cannot be sent again later.
    #[default]
    TimestampBody,
    /// The body alone.
    Body,
}

/// How [`HmacAuth`] writes the hash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HmacEncoding {
    /// Lower-case hexadecimal digits.
    #[default]
    Hex,
    /// RFC 4648 with padding.
    Base64,
}

impl HmacAuth {
    fn default_header() -> String {
        "x-signature".to_owned()
    }

    fn default_timestamp_header() -> String {
        "x-timestamp".to_owned()
    }
}
