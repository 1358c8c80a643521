//! Texts that leave the host encrypted and come back: ChaCha20-Poly1305 under a key of their own each.
//!
//! A sealed text names whose it is, in clear and authenticated, so that the host can open what any plugin sealed and no plugin what another did.
//! The key of a text is the keyed BLAKE3 of 32 random bytes, so that no nonce is ever used twice under one key, however many texts are sealed.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::grant::Secret;

/// What stands before the encrypted part of a handle.
pub(super) const SEALED: &str = "jackfield-sealed.";
/// The most bytes of a text that is sealed.
pub(super) const MAX_SEALED: usize = 16_384;
/// The most bytes of a handle: what the longest text becomes, with room for its owner.
const MAX_HANDLE: usize = 2 * MAX_SEALED;
/// Random bytes in front of what is encrypted.
const SALT: usize = 32;
/// Of the form below; another form gets another number.
const VERSION: u8 = 2;

/// The key that the operator set.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey(Zeroizing<[u8; 32]>);

/// Whose texts they are and where they may be: what was sealed for one is not opened for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// A plugin's name; empty: the host's own.
    owner: String,
    /// What is authenticated with the text.
    authenticated: Vec<u8>,
}

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits, 32 random bytes: `openssl rand -hex 32` makes them")]
pub struct SealKeyError;

/// Why a text was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotSealed {
    /// It is longer than a text may be.
    #[error("a sealed text has {found} bytes, expected at most {MAX_SEALED}")]
    TooLong {
        /// How long it is, in bytes.
        found: usize,
    },
    /// Without random bytes no text is safe.
    #[error("the system has no random bytes: {0}")]
    NoRandomness(getrandom::Error),
}

impl SealKey {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// Where it is something else.
    pub fn parse(text: &str) -> Result<Self, SealKeyError> {
        let text = text.trim().as_bytes();
        let mut key = Zeroizing::new([0; 32]);
        if text.len() != 64 {
            return Err(SealKeyError);
        }
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(SealKeyError);
        for (byte, pair) in key.iter_mut().zip(text.chunks(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(key))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// The handle of a text: version, owner, salt, encrypted text and tag in letters, digits, `-` and `_`.
    pub(super) fn seal(&self, scope: &Scope, text: &str) -> Result<String, NotSealed> {
        if text.len() > MAX_SEALED {
            return Err(NotSealed::TooLong { found: text.len() });
        }
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(NotSealed::NoRandomness)?;
        let mut sealed = text.as_bytes().to_vec();
        let key = self.of(&salt);
        key.seal_in_place_append_tag(nonce(), Aad::from(&scope.authenticated), &mut sealed).expect("the text is far shorter than the cipher allows");
        let mut bytes = vec![VERSION, u8::try_from(scope.owner.len()).expect("names of plugins are short")];
        bytes.extend_from_slice(scope.owner.as_bytes());
        bytes.extend_from_slice(&salt);
        bytes.extend_from_slice(&sealed);
        Ok(format!("{SEALED}{}.", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text of a handle. `scope` says where the handle of whom it names would be valid, if it is for whoever asks. `None`: it is no handle, was sealed for
    /// another or with another key, or is damaged.
    pub(super) fn open(&self, handle: &str, scope: impl FnOnce(&str) -> Option<Scope>) -> Option<Secret> {
        let sealed = handle.strip_prefix(SEALED)?.strip_suffix('.').filter(|_| handle.len() <= MAX_HANDLE)?;
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (version, rest) = bytes.split_first_mut()?;
        let (owner, rest) = named(rest)?;
        let scope = scope(owner).filter(|scope| *version == VERSION && owner == scope.owner)?;
        let (salt, sealed) = rest.split_first_chunk_mut::<SALT>()?;
        let text = self.of(salt).open_in_place(nonce(), Aad::from(&scope.authenticated), sealed).ok()?;
        let secret = str::from_utf8(text).ok().map(Secret::new);
        text.fill(0);
        secret
    }

    /// The key of one text.
    fn of(&self, salt: &[u8; SALT]) -> LessSafeKey {
        let key = Zeroizing::new(*blake3::keyed_hash(&self.0, salt).as_bytes());
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &*key).expect("a hash is as long as a key"))
    }
}

/// The owner and what comes after it.
fn named(bytes: &mut [u8]) -> Option<(&str, &mut [u8])> {
    let (length, rest) = bytes.split_first_mut()?;
    let (owner, rest) = rest.split_at_mut_checked(usize::from(*length))?;
    Some((str::from_utf8(owner).ok()?, rest))
}

/// Each key is used once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

impl Scope {
    /// A handle that a plugin has in a run.
    pub(super) fn run(plugin: &str, tenant: &str, run: &str) -> Self {
        Self { owner: plugin.to_owned(), authenticated: format!("jackfield sealed text\0run\0{plugin}\0{tenant}\0{run}").into_bytes() }
    }

    /// A handle in the value of a key of the plugin, where no plugin sees it.
    pub(super) fn key(plugin: &str, tenant: &str, key: &str) -> Self {
        Self { owner: plugin.to_owned(), authenticated: format!("jackfield sealed text\0key\0{plugin}\0{tenant}\0{key}").into_bytes() }
    }

    /// A handle of the host itself, in any run of the tenant: no plugin has an empty name.
    pub(super) fn host(tenant: &str) -> Self {
        Self { owner: String::new(), authenticated: format!("jackfield sealed text\0host\0{tenant}").into_bytes() }
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_digits() {
        assert!(SealKey::parse(&format!("{}\n", "aF".repeat(32))).is_ok());
        for wrong in ["", "aF", &"zz".repeat(32), &"ab".repeat(33)] {
            assert_eq!(SealKey::parse(wrong), Err(SealKeyError), "{wrong}");
        }
    }

    #[test]
    fn no_byte_of_a_sealed_text_can_be_changed() {
        let (key, scope) = (SealKey::parse(&"07".repeat(32)).unwrap(), Scope::run("worker", "default", "r1"));
        let open = |key: &SealKey, handle: &str| key.open(handle, |_| Some(scope.clone()));
        let handle = key.seal(&scope, "correct horse").unwrap();
        assert_eq!(open(&key, &handle).unwrap().reveal(), "correct horse");
        let sealed = handle.strip_prefix(SEALED).unwrap().strip_suffix('.').unwrap();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key, &format!("{SEALED}{}.", BASE64_URL_SAFE_NO_PAD.encode(changed))), None, "byte {at}");
        }
        assert_eq!(open(&SealKey::parse(&"08".repeat(32)).unwrap(), &handle), None);
        for text in ["", sealed, &handle[..handle.len() - 1], "jackfield-sealed.", "jackfield-sealed.."] {
            assert_eq!(open(&key, text), None, "{text}");
        }
        // Whose it is says the handle, not who opens it.
        assert_eq!(key.open(&handle, |owner| Some(Scope::run(owner, "default", "r1"))).unwrap().reveal(), "correct horse");
        assert_eq!(key.open(&handle, |_| Some(Scope::host("default"))), None);
    }
}
