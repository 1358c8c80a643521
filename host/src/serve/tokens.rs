//! API tokens: named, compared by their hashes, each with its roles. The first start makes one called `admin` and says where it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use tracing::{info, warn};

use crate::config::{ADMIN, Role, Token};

/// The tokens that open the API.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    owners: Vec<Owner>,
}

/// Whose token it is.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    hash: blake3::Hash,
    pub(crate) name: String,
    pub(crate) roles: BTreeSet<Role>,
}

/// Where the first start puts the administrator's token.
pub(crate) fn admin_token_file(directory: &Path) -> PathBuf {
    directory.join("admin-token")
}

impl Tokens {
    /// The tokens of the configuration and the administrator's, which is made when there is none.
    pub(crate) fn open(directory: &Path, configured: &BTreeMap<String, Token>) -> anyhow::Result<Self> {
        let mut owners = vec![Owner { hash: admin(directory)?, name: ADMIN.to_owned(), roles: [Role::Admin].into() }];
        for (name, token) in configured {
            if token.roles.is_none() {
                warn!(
                    "tokens.{name} has no roles, so it may do everything: expected {name} = {{ blake3 = \"...\", roles = [\"viewer\"] }}, or other roles"
                );
            }
            let hash = blake3::Hash::from_hex(&token.blake3).with_context(|| format!("tokens.{name}"))?;
            owners.push(Owner { hash, name: name.clone(), roles: token.roles() });
        }
        Ok(Self { owners })
    }

    /// Whose token this is. The comparison takes the same time wherever the first difference is.
    pub(crate) fn owner(&self, token: &str) -> Option<&Owner> {
        let hash = blake3::hash(token.as_bytes());
        self.owners.iter().find(|owner| owner.hash == hash)
    }
}

/// A new token: 32 random bytes in hexadecimal.
pub(crate) fn new_token() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the operating system gives no random bytes: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The hash of the administrator's token. The token itself is written once, for its owner; the host keeps the hash.
fn admin(directory: &Path) -> anyhow::Result<blake3::Hash> {
    let kept = directory.join("admin-token.blake3");
    if let Ok(hash) = std::fs::read_to_string(&kept) {
        return blake3::Hash::from_hex(hash.trim()).with_context(|| format!("{} holds no hash", kept.display()));
    }
    let token = new_token()?;
    let file = admin_token_file(directory);
    write_private(&file, &token)?;
    let hash = blake3::hash(token.as_bytes());
    write_private(&kept, hash.to_hex().as_str())?;
    info!("the administrator's token was written to {}", file.display());
    super::say(&format!("jackfield wrote the administrator's token to {}", file.display()));
    Ok(hash)
}

/// Writes a file that only its owner may read, whole or not at all: a start that was cut short or found no room is simply made again.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let partial = path.with_extension("new");
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_a_private_token_and_later_ones_keep_it() {
        let directory = tempfile::tempdir().unwrap();
        let first = Tokens::open(directory.path(), &BTreeMap::new()).unwrap();
        let file = admin_token_file(directory.path());
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let token = std::fs::read_to_string(&file).unwrap();
        let owner = |tokens: &Tokens, token: &str| tokens.owner(token).map(|owner| (owner.name.clone(), Role::list(owner.roles.clone())));
        let admin = Some(("admin".to_owned(), "admin".to_owned()));
        assert_eq!((owner(&first, &token), owner(&first, "guess")), (admin.clone(), None));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(owner(&Tokens::open(directory.path(), &BTreeMap::new()).unwrap(), &token), admin);
    }
}
