//! Why a file cannot be read as a plugin.

use crate::manifest::ManifestError;

/// Why a file cannot be read as a plugin. None of these is about trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// The file is too large to be read.
    #[error("the file has {size} bytes, expected at most {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The file is something else.
    #[error("the file is not webassembly: it begins with {found}, expected 00 61 73 6d")]
    NotWasm {
        /// The first bytes.
        found: String,
    },
    /// The file is a core module.
    #[error("the file is a core module, expected a component: build it with --target wasm32-wasip2 or wrap it with a component tool")]
    CoreModule,
    /// The file ends early or is damaged.
    #[error("the component is damaged at byte {offset}: {problem}")]
    Damaged {
        /// Where.
        offset: usize,
        /// What the parser said.
        problem: String,
    },
    /// It has no manifest, or several.
    #[error("the component has no manifest: expected JSON in exactly one custom section `jackfield.manifest`, found {found}")]
    ManifestCount {
        /// How many sections there are.
        found: usize,
    },
    /// The manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest would be there twice.
    #[error("a module inside the component carries a manifest already: expected a component that was made without our SDK")]
    InnerManifest,
    /// Something follows a signature.
    #[error(
        "byte {offset}: something follows the signature at byte {signature}, which covers only what is before it: expected nothing but signatures there"
    )]
    AfterSignature {
        /// Where the first signature begins.
        signature: usize,
        /// Where what does not belong there begins.
        offset: usize,
    },
    /// A signature is not of the one form that a signature has.
    #[error("the signature at byte {offset} is damaged: {problem}")]
    SignatureForm {
        /// Where it begins.
        offset: usize,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// There are too many.
    #[error("the file has more than {limit} signatures")]
    TooManySignatures {
        /// How many there may be.
        limit: usize,
    },
    /// The bytes are not those that were signed.
    #[error(
        "the signature by {key} does not fit the file: a byte of the component, its manifest or the signature is not what it was when it was signed, or \
         the manifest belongs to other code"
    )]
    BrokenSignature {
        /// Whose signature it says it is.
        key: crate::PublicKey,
    },
}

impl PackageError {
    /// What kind of refusal it is, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::NotWasm { .. } | Self::CoreModule => "not_a_component",
            Self::Damaged { .. } => "damaged",
            Self::ManifestCount { .. } | Self::Manifest(_) | Self::InnerManifest => "manifest",
            Self::AfterSignature { .. } | Self::SignatureForm { .. } | Self::TooManySignatures { .. } => "signature_form",
            Self::BrokenSignature { .. } => "broken_signature",
        }
    }
}
