//! Whether a plugin file is taken: the trust list of the configuration, asked by the host's clock. Everything that installs or activates a plugin asks here.

use std::convert::identity;

use anyhow::Context;
use engine::port::{Clock, SystemClock};
use package::{Admission, Instant, Package, Question, Refusal, TrustList, Version};
use tracing::warn;

/// Whether a file may be installed or activated now. `newest` is the newest version of that name that was ever installed, unless the operator allows a
/// step back.
///
/// # Errors
///
/// The refusal, after its code in parentheses, with what the operator can do about it.
pub(crate) fn admit(trust: &TrustList, package: &Package, newest: Option<&Version>) -> anyhow::Result<Admission> {
    ask(trust, &Question { package, now: Some(Instant::of(SystemClock.now())), newest }, identity)
}

/// The same for a file that somebody brings by a command: a step back is then allowed by an option, not in the configuration.
///
/// # Errors
///
/// As [`admit`].
pub(crate) fn admit_brought(trust: &TrustList, package: &Package, newest: Option<&Version>) -> anyhow::Result<Admission> {
    ask(trust, &Question { package, now: Some(Instant::of(SystemClock.now())), newest }, Refusal::of_command)
}

/// Whether a file that was installed and activated before may be so again, as at a restart: keys that have expired since do not count.
///
/// # Errors
///
/// As [`admit`].
pub(crate) fn admit_again(trust: &TrustList, package: &Package) -> anyhow::Result<Admission> {
    ask(trust, &Question { package, now: None, newest: None }, identity)
}

fn ask(trust: &TrustList, question: &Question<'_>, told: fn(Refusal) -> Refusal) -> anyhow::Result<Admission> {
    let admission = trust.admit(question).map_err(|refusal| {
        let code = refusal.code();
        anyhow::Error::new(told(refusal)).context(format!("it is refused ({code})"))
    })?;
    if admission.publisher.is_none() {
        let package::Manifest { name, version, .. } = &question.package.manifest;
        warn!("nobody who is trusted has signed plugin `{name}` {version}; it is taken because of `allow_unsigned = true` in [trust]");
    }
    Ok(admission)
}

/// Whether a file that runs are pinned to may be loaded: only what was taken back since counts.
///
/// # Errors
///
/// It is no plugin, or its digest or its key was taken back.
pub(crate) fn admit_pinned(trust: &TrustList, bytes: &[u8]) -> anyhow::Result<()> {
    let package = Package::read(bytes, usize::MAX)?;
    trust.admit_pinned(&package).with_context(|| format!("plugin `{}` {}", package.manifest.name, package.manifest.version))
}
