//! The seal of compiled code: a keyed hash under a key that only this directory has, so that nothing is executed but what this host wrote there.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::cache::{private, temporary};

/// Bytes of a seal.
pub(super) const SEAL: usize = blake3::OUT_LEN;
/// The file of the key.
const KEY_FILE: &str = "key";
/// How much is hashed at a time.
const PIECE: usize = 1 << 16;

/// Seals files and recognises the seals.
pub(super) struct Sealer([u8; blake3::KEY_LEN]);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl Sealer {
    /// The key of a directory, made at first use. One that cannot be trusted is replaced, which makes all code be compiled again.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let path = directory.join(KEY_FILE);
        match read(&path) {
            Ok(key) => return Ok(Self(key)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "the key of the compiled code cannot be trusted: a new one is made, and all code compiled again");
                fs::remove_file(&path)?;
            }
        }
        let mut key = [0; blake3::KEY_LEN];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        let whole = temporary(directory, KEY_FILE)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&whole)?;
        file.write_all(&key)?;
        file.sync_all()?;
        // A link is there whole or not at all, and of two processes that make one at the same time the first wins.
        let linked = fs::hard_link(&whole, &path);
        fs::remove_file(&whole)?;
        match linked {
            Ok(()) => Ok(Self(key)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(&path).map(Self),
            Err(error) => Err(error),
        }
    }

    /// The seal of a text under a name.
    pub(super) fn seal(&self, name: &str, code: &[u8]) -> [u8; SEAL] {
        let mut hasher = self.begin(name);
        hasher.update(code);
        *hasher.finalize().as_bytes()
    }

    /// Whether what a file holds, but for its end, is sealed by its end under that name.
    pub(super) fn is_sealed(&self, name: &str, mut file: &File, size: u64) -> io::Result<bool> {
        let mut left = size.checked_sub(SEAL as u64).ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let (mut hasher, mut piece) = (self.begin(name), vec![0; PIECE]);
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            file.read_exact(&mut piece[..wanted])?;
            hasher.update(&piece[..wanted]);
            left -= wanted as u64;
        }
        let mut seal = [0; SEAL];
        file.read_exact(&mut seal)?;
        // This comparison takes the same time wherever the difference is.
        Ok(hasher.finalize() == blake3::Hash::from_bytes(seal))
    }

    fn begin(&self, name: &str) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        hasher
    }
}

fn read(path: &Path) -> io::Result<[u8; blake3::KEY_LEN]> {
    let (mut file, size) = private(path)?;
    let mut key = [0; blake3::KEY_LEN];
    if size != key.len() as u64 {
        return Err(io::Error::other(format!("it has {size} bytes, expected {}", key.len())));
    }
    file.read_exact(&mut key)?;
    Ok(key)
}
