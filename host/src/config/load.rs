//! Reading the file: place and expectation in every error.

use std::path::{Path, PathBuf};

use super::Config;

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
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let invalid = |detail: String| ConfigError::Invalid { path: path.to_owned(), detail };
    let mut config = parse(&text).map_err(invalid)?;
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
        let message = error.message().to_owned();
        match nearest(&message) {
            Some(known) => format!("{place}{message}; the nearest known key is `{known}`"),
            None => format!("{place}{message}"),
        }
    })
}

/// The known key nearest to an unknown one, both taken from serde's message.
fn nearest(message: &str) -> Option<String> {
    let (unknown, known) = message.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    let known = known.split('`').skip(1).step_by(2);
    known
        .map(|name| (distance(unknown, name), name))
        .filter(|(distance, _)| *distance <= unknown.len() / 2 + 1)
        .min()
        .map(|(_, name)| name.to_owned())
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

/// What the types do not say.
fn check(config: &Config) -> Result<(), String> {
    pipeline::TenantName::new(&config.engine.tenant).map_err(|error| format!("engine.tenant: {error}"))?;
    for (contract, plugin) in &config.bindings {
        contract.parse::<pipeline::ContractTrack>().map_err(|error| format!("bindings: {error}"))?;
        if !config.plugins.contains_key(plugin) {
            return Err(format!("bindings.\"{contract}\" names plugin `{plugin}`, but there is no [plugins.{plugin}]"));
        }
    }
    for (name, hash) in &config.tokens {
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!(
                "tokens.{name}: expected the blake3 hash of the token, 64 hexadecimal digits (`jackfield token new NAME` prints it)"
            ));
        }
    }
    for (pipeline, share) in &config.telemetry.sampling {
        if !(0.0..=1.0).contains(share) {
            return Err(format!("telemetry.sampling.{pipeline} is {share}: expected a number from 0.0 to 1.0"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        check_text("[engine]\ntenant = \"A B\"", "engine.tenant: tenant name `A B` is not valid");
    }
}
