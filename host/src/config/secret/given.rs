//! What a grant may refer to that comes in over the interface: what the configuration itself refers to, and what `[secrets] allow` names. The configuration's
//! own grants are its operator's and are not judged.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    path::{Component, Path, PathBuf},
};

use serde_json::Value;

use super::{
    SecretError, UNREFERENCED,
    places::{Kind, Spot, is_reference, visit},
};
use crate::config::Config;

/// What is no secret and may be given by reference all the same.
const OPEN_REFERENCES: [&str; 2] = [".auth.basic.user", ".ca"];

/// One entry of `[secrets] allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// `env:NAME`.
    Variable(String),
    /// `env:PREFIX*`.
    Variables(String),
    /// `file:PATH`.
    File(PathBuf),
    /// `file:FOLDER/`.
    Below(PathBuf),
}

/// What references may be given over the interface.
#[derive(Debug)]
pub(crate) struct Given {
    /// What paths are relative to.
    directory: PathBuf,
    /// References of the configuration's own grants.
    configured: BTreeSet<String>,
    entries: Vec<Entry>,
    /// As they are written, for the line that would allow one more.
    written: Vec<String>,
    /// The secrets of the host itself, which no plugin may be given.
    of_the_host: Vec<String>,
    /// The directory of the host's own files, which no plugin may be given either.
    own: PathBuf,
}

impl Entry {
    fn parse(text: &str, directory: &Path) -> Result<Self, String> {
        let wrong = || format!("secrets.allow: `{text}`: expected `env:NAME`, `env:PREFIX*`, `file:PATH` or `file:FOLDER/`");
        if let Some(name) = text.strip_prefix("env:") {
            return match name.split_once('*') {
                None if !name.is_empty() => Ok(Self::Variable(name.to_owned())),
                Some((prefix, "")) => Ok(Self::Variables(prefix.to_owned())),
                None | Some(_) => Err(wrong()),
            };
        }
        let path = text.strip_prefix("file:").filter(|path| !path.is_empty() && !path.ends_with('*')).ok_or_else(wrong)?;
        if climbs(Path::new(path)) {
            return Err(format!("secrets.allow: `{text}`: expected a path without `..`"));
        }
        let full = directory.join(path);
        Ok(if path.ends_with('/') { Self::Below(full) } else { Self::File(full) })
    }
}

/// Looks at the entries when a configuration is read.
pub(in crate::config) fn check_entries(entries: &[String]) -> Result<(), String> {
    entries.iter().try_for_each(|entry| Entry::parse(entry, Path::new("/")).map(drop))
}

impl Given {
    /// What a configuration allows, whose paths are relative to `directory`.
    pub(crate) fn of(config: &Config, directory: &Path) -> Result<Self, String> {
        let entries = config.secrets.allow.iter().map(|entry| Entry::parse(entry, directory)).collect::<Result<_, _>>()?;
        let mut configured = BTreeSet::new();
        for plugin in config.plugins.values() {
            let outcome: Result<(), Infallible> = visit(&mut plugin.grant.clone(), &mut |Spot { value, .. }| {
                configured.extend(value.as_str().filter(|text| is_reference(text)).map(str::to_owned));
                Ok(())
            });
            match outcome {
                Ok(()) => {}
                Err(never) => match never {},
            }
        }
        let (written, of_the_host) = (config.secrets.allow.clone(), of_the_host(config));
        Ok(Self { directory: directory.to_owned(), configured, entries, written, of_the_host, own: config.data_directory().to_owned() })
    }

    /// Looks at a grant before anything that it refers to is touched.
    pub(crate) fn check(&self, grant: &Value) -> Result<(), SecretError> {
        visit(&mut grant.clone(), &mut |Spot { place, kind, value }| {
            let refused = |detail: String| SecretError { place: place.to_owned(), detail };
            match value.as_str().filter(|text| is_reference(text)) {
                // The name of a header is repeated in errors.
                Some(_) if kind == Kind::Open && !OPEN_REFERENCES.iter().any(|key| place.ends_with(key)) => {
                    Err(refused("expected the text itself: a reference may stand here in a configuration only".to_owned()))
                }
                Some(reference) => self.allows(reference).map_err(refused),
                None if kind == Kind::Secret => Err(refused(UNREFERENCED.to_owned())),
                None => Ok(()),
            }
        })
    }

    fn allows(&self, reference: &str) -> Result<(), String> {
        if self.configured.contains(reference) {
            return Ok(());
        }
        if self.of_the_host.iter().any(|secret| secret == reference) {
            return Err(own(reference));
        }
        match reference.strip_prefix("file:") {
            Some(path) => self.allows_file(reference, &self.directory.join(path)),
            None => {
                let name = reference.strip_prefix("env:").unwrap_or_default();
                let fits = self.entries.iter().any(|entry| match entry {
                    Entry::Variable(known) => known == name,
                    Entry::Variables(prefix) => name.starts_with(prefix.as_str()),
                    Entry::File(_) | Entry::Below(_) => false,
                });
                if fits { Ok(()) } else { Err(self.not_allowed(reference)) }
            }
        }
    }

    /// The path as it is written must be allowed, which touches no file, and then the file that it leads to: links lead out of no folder.
    fn allows_file(&self, reference: &str, path: &Path) -> Result<(), String> {
        if climbs(path) {
            return Err(format!("`{reference}`: expected a path without `..`"));
        }
        let fitting: Vec<&Entry> = self.entries.iter().filter(|entry| fits(entry, path)).collect();
        if fitting.is_empty() {
            return Err(self.not_allowed(reference));
        }
        let real = path.canonicalize().map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let stays = |entry: &&Entry| match entry {
            Entry::File(_) => true,
            Entry::Below(folder) => folder.canonicalize().is_ok_and(|folder| real.starts_with(folder)),
            Entry::Variable(_) | Entry::Variables(_) => false,
        };
        if !fitting.iter().any(stays) {
            return Err(format!("`{reference}` leads out of what `allow` in [secrets] names, over a link"));
        }
        let files = self.of_the_host.iter().filter_map(|secret| self.directory.join(secret.strip_prefix("file:")?).canonicalize().ok());
        let of_the_host = files.into_iter().any(|file| file == real) || self.own.canonicalize().is_ok_and(|own| real.starts_with(own));
        if of_the_host { Err(own(reference)) } else { Ok(()) }
    }

    fn not_allowed(&self, reference: &str) -> String {
        let allow: Vec<String> = self.written.iter().map(String::as_str).chain([reference]).map(|entry| format!("{entry:?}")).collect();
        format!(
            "`{reference}` may not be given over the interface; the line that allows it, after a restart:\n[secrets]\nallow = [{}]",
            allow.join(", ")
        )
    }
}

/// Every secret that the configuration gives to the host itself: whoever adds one adds it here.
fn of_the_host(config: &Config) -> Vec<String> {
    let seal_key = config.secrets.seal_key.clone();
    let certificate_key = config.cpe.tls.as_ref().map(|tls| tls.key.clone());
    [seal_key, certificate_key].into_iter().flatten().collect()
}

fn own(reference: &str) -> String {
    format!("`{reference}` is of the host's own and is given to no plugin")
}

fn climbs(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

fn fits(entry: &Entry, path: &Path) -> bool {
    match entry {
        Entry::File(file) => path == file,
        Entry::Below(folder) => path != folder && path.starts_with(folder),
        Entry::Variable(_) | Entry::Variables(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use serde_json::json;

    use super::*;

    fn given(directory: &Path, configuration: &str) -> Given {
        let mut config: Config = toml::from_str(configuration).unwrap();
        config.store.path = directory.join(&config.store.path);
        Given::of(&config, directory).unwrap()
    }

    #[test]
    fn a_reference_is_allowed_by_the_configuration_s_own_grants_or_by_name() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        ["secrets/deep", "jackfield-data"].iter().for_each(|folder| fs::create_dir_all(at(folder)).unwrap());
        for file in ["secrets/a", "secrets/deep/b", "secrets/seal", "secrets/acs.key", "beside", "one", "jackfield-data/admin-token", "secretsnot"] {
            fs::write(at(file), "text").unwrap();
        }
        symlink(at("beside"), at("secrets/out")).unwrap();
        symlink(at("secrets/deep/b"), at("secrets/in")).unwrap();
        symlink(at("jackfield-data"), at("data")).unwrap();
        symlink(at("secrets/acs.key"), at("secrets/innocent")).unwrap();
        let given = given(
            place.path(),
            "[cpe.tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"acs.pem\"\nkey = \"file:secrets/acs.key\"\n\
             [secrets]\nseal_key = \"file:secrets/seal\"\nallow = [\"env:JACKFIELD_*\", \"env:ONE\", \"file:secrets/\", \"file:one\", \"file:data/\"]\n\
             [plugins.p]\npath = \"p\"\ngrant = { secrets = { own = \"env:OWN\" }, http.e = { url = \"http://h\", ca = \"file:../ca.pem\" } }",
        );
        let (fine, closed, leads, climbs, own) = ("", "may not be given over the interface", "over a link", "without `..`", "of the host's own");
        let absolute = format!("file:{}", at("secrets/a").display());
        for (reference, expected) in [
            ("env:OWN", fine),
            ("file:../ca.pem", fine),
            ("env:JACKFIELD_X", fine),
            ("env:ONE", fine),
            ("file:secrets/a", fine),
            (absolute.as_str(), fine),
            ("file:secrets/./deep//b", fine),
            ("file:secrets/in", fine),
            ("file:one", fine),
            ("env:OWNER", closed),
            ("env:ONE_MORE", closed),
            ("env:PATH", closed),
            ("file:beside", closed),
            ("file:secretsnot", closed),
            ("file:secrets", closed),
            ("file:secrets/", closed),
            ("file:/etc/passwd", closed),
            ("file:/no/such/file", closed),
            ("file:one/", "cannot be read"),
            ("file:secrets/none", "none cannot be read"),
            ("file:secrets/out", leads),
            ("file:secrets/../beside", climbs),
            ("file:secrets/deep/../../beside", climbs),
            ("file:../other/ca.pem", climbs),
            ("file:secrets/seal", own),
            ("file:secrets/acs.key", own),
            ("file:secrets/innocent", own),
            ("file:data/admin-token", own),
        ] {
            for grant in [
                json!({"secrets": {"s": reference}}),
                json!({"http": {"e": {"auth": {"basic": {"user": reference}}}}}),
                json!({"http": {"e": {"ca": reference}}}),
            ] {
                let found = given.check(&grant).err().map(|error| error.to_string()).unwrap_or_default();
                assert!(
                    if expected.is_empty() { found.is_empty() } else { found.contains(expected) },
                    "{grant}\n  gave: {found}\n  expected: {expected}"
                );
            }
        }
        let refused = given.check(&json!({"secrets": {"s": "env:PATH"}})).unwrap_err().to_string();
        assert!(refused.starts_with("grant.secrets.s: `env:PATH` may not be"), "{refused}");
        assert!(
            refused.ends_with("[secrets]\nallow = [\"env:JACKFIELD_*\", \"env:ONE\", \"file:secrets/\", \"file:one\", \"file:data/\", \"env:PATH\"]")
        );
    }

    #[test]
    fn what_the_environment_gives_to_the_host_itself_is_given_to_no_plugin() {
        let place = tempfile::tempdir().unwrap();
        let given = given(
            place.path(),
            "[cpe.tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"acs.pem\"\nkey = \"env:ACS_KEY\"\n[secrets]\nseal_key = \"env:SEAL\"\nallow = [\"env:*\"]",
        );
        for (reference, expected) in [("env:ACS_KEY", false), ("env:SEAL", false), ("env:OTHER", true)] {
            let found = given.check(&json!({"secrets": {"s": reference}})).map_err(|error| error.to_string());
            assert_eq!(found.is_ok(), expected, "{reference}: {found:?}");
            assert!(found.err().is_none_or(|error| error.contains("of the host's own")), "{reference}");
        }
    }

    #[test]
    fn a_secret_that_is_written_out_is_refused_with_its_place_and_not_repeated() {
        let place = tempfile::tempdir().unwrap();
        let given = given(place.path(), "");
        for (rule, expected) in [
            (json!({"auth": {"bearer": "hunter2"}}), "grant.http.e.auth.bearer: "),
            (json!({"auth": {"bearer": {"secret": "hunter2"}}}), "grant.http.e.auth.bearer.secret: "),
            (json!({"auth": {"header": {"name": "x-k", "value": "hunter2"}}}), "grant.http.e.auth.header.value: "),
            (json!({"auth": {"bearer": 7}}), "grant.http.e.auth.bearer: "),
            (json!({"auth": {"header": {"name": "env:PATH", "value": "env:PATH"}}}), "grant.http.e.auth.header.name: expected the text itself"),
            (json!({"headers": {"authorization": "hunter2"}}), "grant.http.e.headers.authorization: "),
            (json!({"headers": {"accept": "a/b"}, "ca": "-----BEGIN"}), ""),
        ] {
            let found = given.check(&json!({"http": {"e": rule}})).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(found.starts_with(expected) && found.is_empty() == expected.is_empty() && !found.contains("hunter2"), "{rule}: {found}");
        }
    }

    #[test]
    fn an_entry_is_a_name_a_prefix_a_file_or_a_folder() {
        assert_eq!(check_entries(&["env:A", "env:A*", "env:*", "file:a", "file:/a/"].map(str::to_owned)), Ok(()));
        for wrong in ["", "A", "env:", "env:A*B", "file:", "file:/a/*", "/etc/", "file:/a/../b/"] {
            assert!(check_entries(&[wrong.to_owned()]).unwrap_err().starts_with(&format!("secrets.allow: `{wrong}`: expected ")), "{wrong}");
        }
    }
}
