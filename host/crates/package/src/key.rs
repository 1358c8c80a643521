//! Keys of publishers: Ed25519, each with one text form.

use std::{fmt, str::FromStr};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

const PUBLIC: &str = "ed25519:";
const PRIVATE: &str = "ed25519-private:";
/// Bytes of a public key and of the seed that a private one is made of (RFC 8032).
const KEY: usize = 32;
/// Bytes of a signature.
pub(crate) const SIGNATURE: usize = 64;

/// The public key of a publisher: `ed25519:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; KEY]);

/// The private key of a publisher. It is never printed.
pub struct PrivateKey {
    seed: [u8; KEY],
    pair: Ed25519KeyPair,
}

/// A text that is no key. The text itself is not repeated: it may be a private key in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no public key.
    #[error("this is no public key: expected `ed25519:` and 64 hexadecimal digits, as `jackfield plugin keygen` writes it to NAME.pub")]
    Public,
    /// It is a private key where a public one is expected.
    #[error("this is a private key, which belongs nowhere but in its own file: expected the public key, which is in NAME.pub beside it")]
    Exposed,
    /// It is no private key.
    #[error("this is no private key: expected `ed25519-private:` and 64 hexadecimal digits, as `jackfield plugin keygen` writes it to NAME.key")]
    Private,
}

impl PublicKey {
    /// The key of these bytes.
    pub(crate) fn from_bytes(bytes: [u8; KEY]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// Whether the signature is this key's over the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

impl PrivateKey {
    /// The key that a seed of random bytes makes.
    pub fn from_seed(seed: [u8; KEY]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed has 32 bytes");
        Self { seed, pair }
    }

    /// Reads the text form, with or without a line break at its end.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        text.trim_end().strip_prefix(PRIVATE).and_then(unhex).map(Self::from_seed).ok_or(KeyError::Private)
    }

    /// The text form, for the file of its owner and nothing else.
    pub fn to_text(&self) -> String {
        format!("{PRIVATE}{}", hex(&self.seed))
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.pair.public_key().as_ref().try_into().expect("a public key has 32 bytes"))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        self.pair.sign(message).as_ref().try_into().expect("a signature has 64 bytes")
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {})", self.public())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text.trim_end() {
            text if text.starts_with(PRIVATE) => Err(KeyError::Exposed),
            text => text.strip_prefix(PUBLIC).and_then(unhex).map(Self).ok_or(KeyError::Public),
        }
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;
    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all text");
        text
    })
}

/// 32 bytes from 64 lower-case hexadecimal digits: each key has one text form only.
fn unhex(text: &str) -> Option<[u8; KEY]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; KEY];
    if text.len() != 2 * KEY {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_text_form_and_a_private_one_is_never_shown() {
        let private = PrivateKey::from_seed([7; 32]);
        let (public, text) = (private.public(), private.to_text());
        assert_eq!(public.to_string().parse::<PublicKey>().unwrap(), public);
        assert_eq!(PrivateKey::parse(&format!("{text}\n")).unwrap().public(), public);
        assert!(!format!("{private:?}").contains(&"07".repeat(32)));
        assert_eq!(text.parse::<PublicKey>(), Err(KeyError::Exposed));
        assert!(!KeyError::Exposed.to_string().contains("0707"));
        for wrong in ["", "ed25519:", "ed25519:00", "ED25519:00", &public.to_string().to_uppercase(), &format!("{public}00")] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(KeyError::Public), "{wrong}");
            assert!(PrivateKey::parse(wrong).is_err());
        }
    }

    /// RFC 8032, section 7.1, test 1: the empty message.
    #[test]
    fn keys_are_those_of_the_standard() {
        let seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let private = PrivateKey::from_seed(seed);
        assert_eq!(private.public().to_string(), "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let signature = private.sign(b"");
        assert_eq!(
            hex(&signature),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        );
        assert!(private.public().verifies(b"", &signature));
        assert!(!private.public().verifies(b"x", &signature));
    }
}
