//! The servers that tests start, and what asks them: where Debian's packages have them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{preflight::Need, workspace};

/// One file that tells that a package is installed or unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Server {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    /// The package that provides it.
    pub(crate) package: &'static str,
    /// The file, relative to the root. A `*` stands for the name of one folder.
    file: &'static str,
}

/// Every one of them.
pub(crate) const SERVERS: [Need; 9] = [
    need("PostgreSQL", "postgresql", "usr/lib/postgresql/*/bin/postgres"),
    need("PowerDNS", "pdns-server", "usr/sbin/pdns_server"),
    need("the LMDB back end of PowerDNS", "pdns-backend-lmdb", "usr/lib/*/pdns/liblmdbbackend.so"),
    need("the SQLite back end of PowerDNS", "pdns-backend-sqlite3", "usr/lib/*/pdns/libgsqlite3backend.so"),
    need("sqlite3", "sqlite3", "usr/bin/sqlite3"),
    need("BIND", "bind9", "usr/sbin/named"),
    need("dig", "bind9-dnsutils", "usr/bin/dig"),
    need("Pebble", "pebble", "usr/bin/pebble"),
    need("lego", "lego", "usr/bin/lego"),
];

const fn need(name: &'static str, package: &'static str, file: &'static str) -> Need {
    Need::Server(Server { name, package, file })
}

impl Server {
    /// Whether it is installed, or was unpacked.
    pub(crate) fn is_there(self) -> bool {
        [PathBuf::from("/"), workspace::target().join("debian")].iter().any(|root| exists(root, self.file))
    }
}

fn exists(root: &Path, file: &str) -> bool {
    let Some((before, after)) = file.split_once("/*/") else {
        return root.join(file).exists();
    };
    let folders = fs::read_dir(root.join(before)).into_iter().flatten().flatten();
    folders.into_iter().any(|folder| folder.path().join(after).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_folder() {
        let root = workspace::target().join(format!("xtask-servers-{}", std::process::id()));
        fs::create_dir_all(root.join("usr/lib/p/15/bin")).unwrap();
        fs::create_dir_all(root.join("usr/lib/p/16")).unwrap();
        let found = ["usr/lib/p/*/bin", "usr/lib/p", "usr/lib/p/*/sbin", "usr/lib/q/*/bin"].map(|file| exists(&root, file));
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, [true, true, false, false]);
    }
}
