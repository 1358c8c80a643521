//! What a plugin is as a file: a WebAssembly component with a manifest, and signatures over both.
//!
//! [`Package::read`] takes a file apart without running or compiling anything of it. [`pack`] writes a manifest into a component, [`sign`] a signature over
//! every byte before it, and a [`TrustList`] says whether an operator takes the result. [`Manifest`] is what a plugin says about itself, [`Upgrade`] what
//! changes from one manifest to the next.
//!
//! This crate knows neither the engine nor the runtime: it reads sections, compares bytes and texts, and is told the time.
//!
//! ```
//! use package::{Package, PrivateKey, Question, Refusal, TrustList, TrustOptions, pack, sign};
//!
//! let manifest = br#"{
//!     "name": "acme-pool", "version": "1.0.0", "vendor": "Acme",
//!     "contracts": [{ "contract": "jackfield:order/inventory", "verbs": ["apply"], "idempotent": true }]
//! }"#;
//! let key = PrivateKey::from_seed([7; 32]);
//! // An empty component, of eight bytes.
//! let component = pack(b"\0asm\x0d\0\x01\0", manifest).unwrap();
//! let signed = Package::read(&sign(&component, &key).unwrap(), 1 << 20).unwrap();
//! assert_eq!(signed.manifest.name, "acme-pool");
//!
//! // A trust list that trusts nobody takes nothing.
//! let nobody = TrustList::new(TrustOptions::default()).unwrap();
//! let refused = nobody.admit(&Question { package: &signed, now: None, newest: None }).unwrap_err();
//! assert!(matches!(refused, Refusal::NotTrusted { .. }));
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod ask;
mod error;
mod key;
mod manifest;
mod pack;
mod read;
mod section;
mod settings;
mod signature;
mod trust;
mod upgrade;

pub use self::{
    ask::Ask,
    error::PackageError,
    key::{KeyError, PrivateKey, PublicKey, hex},
    manifest::{
        Asked, Capabilities, DeclaredContract, Manifest, ManifestError, Metric, MetricKind, RESERVED_TELEMETRY, SECTION, Setting, Telemetry,
        VerbName, Wanted,
    },
    pack::pack,
    read::{Package, digest_of},
    settings::SettingError,
    signature::{SIGNATURE_SECTION, Signature, sign, unsign},
    trust::{Admission, Instant, Pattern, PublisherOptions, Question, Refusal, Signer, SignerProblem, StepBack, TrustError, TrustList, TrustOptions},
    upgrade::{Changed, Upgrade},
};
pub use semver::Version;
