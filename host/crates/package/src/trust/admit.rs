//! The question whether a file is taken, and the answer with its reason.

use std::fmt;

use pipeline::Digest;
use semver::Version;

use super::{Instant, Pattern, PublisherOptions, TrustList};
use crate::{error::PackageError, key::PublicKey, read::Package};

/// A file that is to be installed or activated.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The file.
    pub package: &'a Package,
    /// The time. `None` where it does not count: what was installed and activated before may be so again after its key has expired, as at a restart.
    pub now: Option<Instant>,
    /// The newest version of that name that was ever installed; nothing older is taken. `None` where there is none, or the operator allows a step back.
    pub newest: Option<&'a Version>,
}

/// Why a file is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Who vouches for it; `None`: nobody, it is taken because unsigned plugins are.
    pub publisher: Option<String>,
    /// Everybody who has signed it.
    pub signers: Vec<Signer>,
}

/// Somebody who has signed a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub key: PublicKey,
    /// The publishers of the trust list that have this key, and why that does not do, if it does not.
    pub standing: Result<String, SignerProblem>,
}

/// Why a signature that fits does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerProblem {
    /// No publisher has the key.
    Unknown,
    /// The key was taken back.
    Revoked,
    /// The publisher is not trusted yet.
    NotYet {
        /// Who.
        publisher: String,
        /// From when on.
        from: Instant,
    },
    /// The publisher is not trusted any more.
    Expired {
        /// Who.
        publisher: String,
        /// Since when.
        since: Instant,
    },
    /// The publisher may not sign plugins of that name.
    Plugin {
        /// Who.
        publisher: String,
        /// Which it may sign.
        allowed: Vec<Pattern>,
    },
    /// The publisher's plugins may not answer that contract.
    Contract {
        /// Who.
        publisher: String,
        /// The contract.
        contract: String,
        /// Which they may answer.
        allowed: Vec<Pattern>,
    },
}

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The file is not what was signed.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The build was taken back.
    #[error("its digest {digest} is in [trust] revoked_digests")]
    RevokedDigest {
        /// The digest that is listed.
        digest: Digest,
    },
    /// Nobody vouches for it.
    #[error("{}", not_trusted(.name, .signers))]
    NotTrusted {
        /// The name in the manifest.
        name: String,
        /// Those who have signed it; none, if it is not signed.
        signers: Vec<Signer>,
    },
    /// Every key that vouched for it was taken back.
    #[error("it was signed by {key}, which is in [trust] revoked_keys, and by nobody else who is trusted")]
    RevokedKey {
        /// The key.
        key: PublicKey,
    },
    /// Something newer was there.
    #[error(
        "{name} {version} is older than {newest}, the newest version that was installed: an old version may have known holes; \
         if you want to go back, say so with {}",
        .step_back.text(.name)
    )]
    Downgrade {
        /// The plugin.
        name: String,
        /// Its version.
        version: Version,
        /// The newest one.
        newest: Version,
        /// How to say that it is meant.
        step_back: StepBack,
    },
}

/// How an operator says that an older version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepBack {
    /// By a setting: the configuration names the file.
    Setting,
    /// By an option of the command that brings the file.
    Option,
}

impl StepBack {
    fn text(self, name: &str) -> String {
        match self {
            Self::Setting => format!("`allow_downgrade = true` in [plugins.{name}]"),
            Self::Option => "`jackfield plugin install --allow-downgrade` (at the API: `allow_downgrade=true`)".to_owned(),
        }
    }
}

impl Refusal {
    /// The same for somebody who brings the file by a command, not by the configuration.
    #[must_use]
    pub fn of_command(mut self) -> Self {
        if let Self::Downgrade { step_back, .. } = &mut self {
            *step_back = StepBack::Option;
        }
        self
    }

    /// What kind of refusal it is, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Package(error) => error.code(),
            Self::RevokedDigest { .. } => "revoked_digest",
            Self::RevokedKey { .. } => "revoked_key",
            Self::Downgrade { .. } => "downgrade",
            Self::NotTrusted { signers, .. } => match signers.first().map(|signer| &signer.standing) {
                None | Some(Ok(_)) => "unsigned",
                Some(Err(problem)) => problem.code(),
            },
        }
    }
}

impl SignerProblem {
    /// What kind of problem it is, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_key",
            Self::Revoked => "revoked_key",
            Self::NotYet { .. } => "key_not_valid_yet",
            Self::Expired { .. } => "expired_key",
            Self::Plugin { .. } => "plugin_not_allowed",
            Self::Contract { .. } => "contract_not_allowed",
        }
    }
}

impl fmt::Display for SignerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |patterns: &[Pattern]| patterns.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Unknown => f.write_str("no publisher in [trust.publishers] has this key"),
            Self::Revoked => f.write_str("the key is in [trust] revoked_keys"),
            Self::NotYet { publisher, from } => write!(f, "publisher `{publisher}` is trusted from {from} on"),
            Self::Expired { publisher, since } => write!(f, "the key of publisher `{publisher}` expired at {since}"),
            Self::Plugin { publisher, allowed } => write!(f, "publisher `{publisher}` may sign plugins named {} only", joined(allowed)),
            Self::Contract { publisher, contract, allowed } => {
                write!(f, "plugins of publisher `{publisher}` may answer contracts {} only, not `{contract}`", joined(allowed))
            }
        }
    }
}

fn not_trusted(name: &str, signers: &[Signer]) -> String {
    if signers.is_empty() {
        return "it is not signed: expected the signature of a publisher in [trust.publishers]; for development, `allow_unsigned = true` in [trust] takes it"
            .to_owned();
    }
    let mut lines = vec!["nobody who is trusted has signed it:".to_owned()];
    for Signer { key, standing } in signers {
        if let Err(problem) = standing {
            lines.push(format!("  {key}: {problem}"));
        }
    }
    if let Some(unknown) = signers.iter().find(|signer| signer.standing == Err(SignerProblem::Unknown)) {
        lines.push(format!(
            "to trust this key, add to the configuration:\n[trust.publishers.NAME]\nkey = \"{}\"\nplugins = [\"{name}\"]",
            unknown.key
        ));
    }
    lines.join("\n")
}

impl TrustList {
    /// Whether a file may be installed or activated.
    ///
    /// # Errors
    ///
    /// [`Refusal`] says why not, and where there is something that the operator can do about it, what.
    pub fn admit(&self, question: &Question<'_>) -> Result<Admission, Refusal> {
        let package = question.package;
        self.check_revoked_digest(package)?;
        package.check_signatures()?;
        let manifest = &package.manifest;
        let version = manifest.semver();
        if let Some(newest) = question.newest
            && version.cmp_precedence(newest).is_lt()
        {
            return Err(Refusal::Downgrade { name: manifest.name.clone(), version, newest: newest.clone(), step_back: StepBack::Setting });
        }
        let signers = self.signers(package, question.now);
        if let Some(publisher) = signers.iter().find_map(|signer| signer.standing.as_ref().ok()) {
            return Ok(Admission { publisher: Some(publisher.clone()), signers });
        }
        self.check_revoked_keys(&signers)?;
        if self.options.allow_unsigned {
            return Ok(Admission { publisher: None, signers });
        }
        Err(Refusal::NotTrusted { name: manifest.name.clone(), signers })
    }

    /// Whether a file that was installed before, and that runs are pinned to, may be loaded. Only what was taken back since counts.
    ///
    /// # Errors
    ///
    /// [`Refusal::RevokedDigest`] and [`Refusal::RevokedKey`].
    pub fn admit_pinned(&self, package: &Package) -> Result<(), Refusal> {
        self.check_revoked_digest(package)?;
        let signers = self.signers(package, None);
        if signers.iter().any(|signer| signer.standing.is_ok()) { Ok(()) } else { self.check_revoked_keys(&signers) }
    }

    fn check_revoked_digest(&self, package: &Package) -> Result<(), Refusal> {
        let revoked = [&package.digest, &package.content_digest].into_iter().find(|digest| self.options.revoked_digests.contains(*digest));
        revoked.map_or(Ok(()), |digest| Err(Refusal::RevokedDigest { digest: digest.clone() }))
    }

    /// Nobody who is trusted vouches for it; a key that was taken back is then worse than none.
    fn check_revoked_keys(&self, signers: &[Signer]) -> Result<(), Refusal> {
        let revoked = signers.iter().find(|signer| signer.standing == Err(SignerProblem::Revoked));
        revoked.map_or(Ok(()), |signer| Err(Refusal::RevokedKey { key: signer.key }))
    }

    fn signers(&self, package: &Package, now: Option<Instant>) -> Vec<Signer> {
        let signer = |key: PublicKey| Signer { key, standing: self.standing(package, key, now) };
        package.signatures.iter().map(|signature| signer(signature.key)).collect()
    }

    /// Which publisher with this key vouches for the file; otherwise why the first one with this key does not.
    fn standing(&self, package: &Package, key: PublicKey, now: Option<Instant>) -> Result<String, SignerProblem> {
        if self.options.revoked_keys.contains(&key) {
            return Err(SignerProblem::Revoked);
        }
        let mut first = None;
        for (name, publisher) in self.options.publishers.iter().filter(|(_, publisher)| publisher.key == key) {
            match vouches(name, publisher, package, now) {
                Ok(()) => return Ok(name.clone()),
                Err(problem) => first = first.or(Some(problem)),
            }
        }
        Err(first.unwrap_or(SignerProblem::Unknown))
    }
}

fn vouches(name: &str, publisher: &PublisherOptions, package: &Package, now: Option<Instant>) -> Result<(), SignerProblem> {
    let PublisherOptions { key: _, plugins, contracts, not_before, expires } = publisher;
    let who = || name.to_owned();
    if !plugins.iter().any(|pattern| pattern.fits(&package.manifest.name)) {
        return Err(SignerProblem::Plugin { publisher: who(), allowed: plugins.clone() });
    }
    for declared in &package.manifest.contracts {
        // A pattern with a track does not cover a contract that is declared without one, because that means every track.
        if !contracts.iter().any(|pattern| pattern.fits(&declared.contract) || pattern.fits(declared.interface())) {
            return Err(SignerProblem::Contract { publisher: who(), contract: declared.contract.clone(), allowed: contracts.clone() });
        }
    }
    let Some(now) = now else { return Ok(()) };
    match (not_before, expires) {
        (Some(from), _) if now < *from => Err(SignerProblem::NotYet { publisher: who(), from: *from }),
        (_, Some(since)) if now >= *since => Err(SignerProblem::Expired { publisher: who(), since: *since }),
        _ => Ok(()),
    }
}
