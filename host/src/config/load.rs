//! Reading the file: place and expectation in every error.

use std::{
    fmt::Display,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use super::{BindingSettings, Config, secret, tokens};
use crate::registry::Natives;

/// More of anything at a time is a mistake.
const MAX_PLACES: usize = 1_000_000;

/// A day: no limit of a request is meant to be longer.
const MAX_MS: u64 = 86_400_000;

/// Why a configuration cannot be used. Nothing has been opened then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}: {detail}")]
    Invalid { path: PathBuf, detail: String },
}

/// Reads a configuration file.
pub(crate) fn load(path: &Path) -> Result<Config, ConfigError> {
    let bytes = std::fs::read(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let invalid = |detail: String| ConfigError::Invalid { path: path.to_owned(), detail };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        invalid(format!("line {line}: byte {} of the file is not UTF-8: expected TOML", error.valid_up_to()))
    })?;
    let mut config = parse(text).map_err(invalid)?;
    let directory = path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default();
    config.anchor(&directory);
    check(&config).map_err(invalid)?;
    Ok(config)
}

fn parse(text: &str) -> Result<Config, String> {
    toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(String::new, |span| {
            let line = text[..span.start].lines().count().max(1) + usize::from(text[..span.start].ends_with('\n'));
            format!("line {line}: ")
        });
        format!("{place}{}", with_nearest(error.message()))
    })
}

/// A message of serde, with the nearest known key where one is not known.
pub(crate) fn with_nearest(message: &str) -> String {
    nearest(message).map_or_else(|| message.to_owned(), |known| format!("{message}; the nearest known key is `{known}`"))
}

/// The known key nearest to an unknown one, both taken from serde's message.
fn nearest(message: &str) -> Option<String> {
    let (unknown, known) = message.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    let known = known.split('`').skip(1).step_by(2);
    // A name that was cut short is near, however much is missing.
    let near = |distance: usize, name: &str| distance <= unknown.len() / 2 + 1 || name.starts_with(unknown);
    known.map(|name| (distance(unknown, name), name)).filter(|(distance, name)| near(*distance, name)).min().map(|(_, name)| name.to_owned())
}

/// The Levenshtein distance of two short names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// A number outside of its range would be found out much later, by a host that does nothing.
fn in_range<T: PartialOrd + Display>(key: &str, given: T, range: RangeInclusive<T>) -> Result<(), String> {
    let expected = || format!("{key} is {given}: expected a number from {} to {}", range.start(), range.end());
    if range.contains(&given) { Ok(()) } else { Err(expected()) }
}

/// What the types do not say.
fn check(config: &Config) -> Result<(), String> {
    pipeline::TenantName::new(&config.engine.tenant).map_err(|error| format!("engine.tenant: {error}"))?;
    check_bindings(config)?;
    package::TrustList::new(config.trust.clone()).map_err(|error| error.to_string())?;
    in_range("http.max_connections", config.http.max_connections, 1..=MAX_PLACES)?;
    in_range("http.receive_ms", config.http.receive_ms, 1..=MAX_MS)?;
    in_range("engine.max_driven", config.engine.max_driven, 1..=MAX_PLACES)?;
    in_range("runtime.max_calls", config.runtime.max_calls, 1..=100_000)?;
    check_cpe(config)?;
    if let Some(tenants) = &config.tenants {
        tenants.options.check().map_err(|error| format!("tenants: {error}"))?;
    }
    in_range("runtime.max_calls_per_plugin", config.runtime.max_calls_per_plugin, 1..=100_000)?;
    tokens::check(&config.tokens)?;
    secret::check_entries(&config.secrets.allow)?;
    let labels = telemetry::Labels::new(config.telemetry.labels.clone()).map_err(|error| format!("telemetry.labels: {error}"))?;
    let limit = telemetry::DeliveryOptions::default().max_series;
    labels.series(&orders::initial_series(&config.orders.categories), limit).map_err(|error| format!("telemetry.labels: {error}"))?;
    for (pipeline, share) in &config.telemetry.sampling {
        if !(0.0..=1.0).contains(share) {
            return Err(format!("telemetry.sampling.{pipeline} is {share}: expected a number from 0.0 to 1.0"));
        }
    }
    Ok(())
}

/// The server that devices contact.
fn check_cpe(config: &Config) -> Result<(), String> {
    let settings = &config.cpe;
    settings.acs.check().map_err(|error| format!("cpe.acs.{error}"))?;
    settings.wake.check().map_err(|error| format!("cpe.wake.{error}"))?;
    settings.provisioning.check().map_err(|error| format!("cpe.provisioning.{error}"))?;
    cpe::quirks::QuirkTable::new(settings.quirks.clone()).map_err(|error| format!("cpe.quirks: {error}"))?;
    let zeros = cpe::flow::initial_series(&settings.provisioning);
    let limit = telemetry::DeliveryOptions::default().max_series;
    telemetry::Labels::default().series(&zeros, limit).map(drop).map_err(|error| format!("cpe.provisioning.models: {error}"))
}

/// Bindings of the configuration name plugins of the configuration, which come in one version each.
fn check_bindings(config: &Config) -> Result<(), String> {
    let settings = BindingSettings::read(&config.bindings).map_err(|problem| format!("bindings: {problem}"))?;
    Natives::of(config).check(&settings)?;
    for (contract, plugin) in settings.named() {
        if !config.plugins.contains_key(plugin) {
            return Err(format!("bindings.\"{contract}\" names plugin `{plugin}`, but there is no [plugins.{plugin}]"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public key of RFC 8032, section 7.1, test 1.
    const KEY: &str = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    /// The error that a text gives, or `fine`.
    fn check_text(text: &str, expected: &str) {
        let found = parse(text).and_then(|config| check(&config)).err().unwrap_or_else(|| "fine".to_owned());
        assert!(found.contains(expected), "{text}\n  gave: {found}\n  expected: {expected}");
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        check_text("", "fine");
        check_text("[http]\nlisten = \"127.0.0.1:0\"", "fine");
        check_text("[http]\nlissten = \"127.0.0.1:0\"", "line 2: unknown field `lissten`");
        check_text("[http]\nlissten = \"127.0.0.1:0\"", "the nearest known key is `listen`");
        check_text("[stor]\npath = \"x\"", "the nearest known key is `store`");
        check_text("[http]\nlisten = 8080", "line 2: invalid type: integer `8080`, expected socket address");
        check_text("[http\n", "line 1:");
        check_text("[bindings]\n\"jackfield:order/inventory@1\" = \"x\"", "there is no [plugins.x]");
        check_text("[bindings]\ninventory = \"x\"", "contract `inventory` is not valid");
        check_text("[tokens]\nann = \"secret\"", "tokens.ann: expected the blake3 hash");
        check_text("[telemetry.sampling]\norder = 2.0", "telemetry.sampling.order is 2");
        check_text("[telemetry]\nprotocol = \"udp\"", "line 2: unknown variant `udp`, expected `http/protobuf` or `grpc`");
        check_text("[telemetry]\nunits = \"miles\"", "line 2: unknown variant `miles`, expected `seed` or `semconv`");
        check_text("[telemetry]\npii = \"sell\"", "line 2: unknown variant `sell`");
        check_text("[telemetry]\nnames = \"semconv\"", "line 2: unknown variant `semconv`, expected `seed` or `seed+semconv`");
        check_text("[telemetry.labels]\nchannel = [\"web\"]", "fine");
        check_text("[telemetry.labels]\ncustomer = [\"C-1\"]", "telemetry.labels: no metric has a label `customer` for the asking");
        let many = (0..200).map(|number| format!("\"offering-{number}\"")).collect::<Vec<_>>().join(",");
        check_text(&format!("[telemetry.labels]\nproduct_offering = [{many}]"), "`bss.order.count` would begin with more than 2000 series");
        check_text("[trust]\nallow_unsinged = true", "line 2: unknown field `allow_unsinged`");
        check_text("[trust]\nallow_unsinged = true", "the nearest known key is `allow_unsigned`");
        check_text("[trust.publishers.acme]\nkey = \"abc\"\nplugins = [\"*\"]", "line 2: this is no public key: expected `ed25519:`");
        check_text(&format!("[trust.publishers.acme]\nkey = \"{}\"\nplugins = []", KEY), "trust.publishers.acme.plugins is empty");
        check_text(&format!("[trust.publishers.acme]\nkey = \"{}\"\nplugins = [\"acme-*\"]\nexpires = \"2027-06-30\"", KEY), "fine");
        check_text("[cpe]\nlisten = \"127.0.0.1:7547\"\n[cpe.acs]\nauth = \"optional\"\n[cpe.provisioning]\nmodels = [\"RX\"]", "fine");
        check_text("[cpe]\nlissten = \"127.0.0.1:7547\"", "the nearest known key is `listen`");
        check_text("[cpe.acs]\nauth = \"maybe\"", "line 2: unknown variant `maybe`, expected one of `required`, `optional`, `none`");
        check_text("[cpe.provisioning]\npatience = 1", "the nearest known key is `patience_s`");
        check_text("[cpe]\nlisten = \"127.0.0.1:1\"\n[cpe.acs]\nalgorithms = []", "cpe.acs.algorithms is empty");
        check_text("[cpe.acs]\nsessions = 0", "cpe.acs.sessions is 0: expected a number from 1 to 1000000");
        check_text("[cpe.acs]\nsession_max_ms = 1", "cpe.acs.session_max_ms is 1: expected a number from 30000 to 86400000");
        check_text("[cpe.wake]\ntimeout_ms = 0", "cpe.wake.timeout_ms is 0: expected a number from 1 to 86400000");
        check_text("[cpe.provisioning]\npoll_s = 0", "cpe.provisioning.poll_s is 0: expected a number from 1 to");
        check_text("[cpe.tls]\nlisten = \"127.0.0.1:1\"", "line 1: missing field `certificate`");
        check_text("[bindings]\n\"jackfield:cpe/profile@1\" = \"native:embedded-profile\"", "nothing inside the host does");
        check_text("[engine]\nmax_driven = 0", "engine.max_driven is 0: expected a number from 1 to 1000000");
        check_text("[http]\nmax_connections = 0", "http.max_connections is 0: expected a number from 1 to 1000000");
        check_text("[runtime]\nmax_calls = 0", "runtime.max_calls is 0: expected a number from 1 to 100000");
        check_text(&format!("[tokens]\nadmin = \"{}\"", "0".repeat(64)), "tokens.admin: the name is the administrator's");
        check_text("[secrets]\nallow = [\"env:JACKFIELD_*\", \"file:secrets/\"]", "fine");
        check_text("[secrets]\nallow = [\"/etc\"]", "secrets.allow: `/etc`: expected `env:NAME`, `env:PREFIX*`, `file:PATH` or `file:FOLDER/`");
        let hash = "0".repeat(64);
        let token = |rest: &str| format!("[tokens]\nann = {{ blake3 = \"{hash}\"{rest} }}");
        check_text(&token(", roles = [\"viewer\", \"orders\"]"), "fine");
        check_text(&format!("[tokens]\nann = \"{hash}\""), "fine");
        check_text(&token(""), "missing field `roles`");
        check_text(&token(", roles = []"), "tokens.ann.roles is empty: expected one or more of viewer, orders, operator, tenants, publisher, admin");
        check_text(
            &token(", roles = [\"root\"]"),
            "unknown variant `root`, expected one of `viewer`, `orders`, `operator`, `tenants`, `publisher`, `admin`",
        );
        check_text(&token(", role = [\"viewer\"]"), "the nearest known key is `roles`");
        check_text("[tokens]\nann = 7", "expected { blake3 = \"HASH\", roles = [\"viewer\"] }");
        check_text(&format!("{}\nbob = \"{hash}\"", token(", roles = [\"viewer\"]")), "tokens.bob has the hash of tokens.ann");
        check_text("[engine]\ntenant = \"A B\"", "engine.tenant: tenant name `A B` is not valid");
    }
}
