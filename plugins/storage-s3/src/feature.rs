//! The settings of a bucket: what is not public, encrypted, ended and kept.

use crate::{
    problem::Problem,
    s3::Bucket,
    settings::Optional,
    xml::{self, Element},
};

/// The id of the rule that ends uploads.
const RULE: &str = "jackfield-abort-uploads";
/// What public access block says.
const BLOCKS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// A setting of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    PublicAccessBlock,
    Encryption,
    Lifecycle,
    Versioning,
}

/// What is there of a setting.
enum Found {
    /// It is as wanted, or need not be.
    AsWanted,
    /// It is not; with what is there instead.
    Otherwise(String),
}

impl Bucket<'_> {
    /// The settings that a bucket should have.
    fn features(&self) -> impl Iterator<Item = Feature> {
        let versioning = self.settings.versioning.then_some(Feature::Versioning);
        [Feature::PublicAccessBlock, Feature::Encryption, Feature::Lifecycle].into_iter().chain(versioning)
    }

    /// Whether every setting is as wanted.
    pub(crate) fn is_set_up(&self) -> Result<bool, Problem> {
        for feature in self.features() {
            if let Found::Otherwise(_) = self.find(feature)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sets what is not as wanted. A new bucket is not asked first.
    pub(crate) fn set_up(&self, new: bool) -> Result<(), Problem> {
        for feature in self.features() {
            let found = if new { Found::Otherwise(String::new()) } else { self.find(feature)? };
            if let Found::Otherwise(present) = found {
                self.tolerate(feature, self.put(feature.query(), Some(self.wanted(feature, &present))))?;
            }
        }
        Ok(())
    }

    fn find(&self, feature: Feature) -> Result<Found, Problem> {
        let answer = match self.get(feature.query()) {
            Ok(answer) => answer,
            Err(problem) if problem.is_missing() => return Ok(Found::Otherwise(String::new())),
            Err(problem) => return self.tolerate(feature, Err(problem)).map(|()| Found::AsWanted),
        };
        let document = self.parse(feature.query(), &answer, feature.document())?;
        Ok(if feature.is_as_wanted(&document) { Found::AsWanted } else { Found::Otherwise(answer.text()) })
    }

    fn tolerate(&self, feature: Feature, done: Result<(), Problem>) -> Result<(), Problem> {
        match done {
            Err(problem) if problem.is_unsupported() && self.settings.is_optional(feature.optional()) => Ok(()),
            done => done,
        }
    }

    fn wanted(&self, feature: Feature, present: &str) -> String {
        match feature {
            Feature::PublicAccessBlock => xml::document(feature.document(), &BLOCKS.map(|block| xml::leaf(block, "true")).concat()),
            Feature::Encryption => {
                let algorithm = xml::element("ApplyServerSideEncryptionByDefault", &xml::leaf("SSEAlgorithm", "AES256"));
                xml::document(feature.document(), &xml::element("Rule", &algorithm))
            }
            Feature::Lifecycle => lifecycle(self.settings.abort_uploads_days, present),
            Feature::Versioning => xml::document(feature.document(), &xml::leaf("Status", "Enabled")),
        }
    }
}

impl Feature {
    fn query(self) -> &'static str {
        match self {
            Self::PublicAccessBlock => "?publicAccessBlock",
            Self::Encryption => "?encryption",
            Self::Lifecycle => "?lifecycle",
            Self::Versioning => "?versioning",
        }
    }

    fn document(self) -> &'static str {
        match self {
            Self::PublicAccessBlock => "PublicAccessBlockConfiguration",
            Self::Encryption => "ServerSideEncryptionConfiguration",
            Self::Lifecycle => "LifecycleConfiguration",
            Self::Versioning => "VersioningConfiguration",
        }
    }

    fn optional(self) -> Optional {
        match self {
            Self::PublicAccessBlock => Optional::PublicAccessBlock,
            Self::Encryption => Optional::Encryption,
            Self::Lifecycle => Optional::Lifecycle,
            Self::Versioning => Optional::Versioning,
        }
    }

    fn is_as_wanted(self, found: &Element) -> bool {
        match self {
            Self::PublicAccessBlock => BLOCKS.iter().all(|block| found.text_of(block) == "true"),
            // Whoever changed it to a key of his own knows why.
            Self::Encryption => found.at(&["Rule", "ApplyServerSideEncryptionByDefault", "SSEAlgorithm"]).is_some_and(|it| !it.text.is_empty()),
            // As above: a rule of this name that was changed, or another that does the same.
            Self::Lifecycle => found.all("Rule").any(|rule| rule.text_of("ID") == RULE || ends_uploads(rule)),
            Self::Versioning => found.text_of("Status") == "Enabled",
        }
    }
}

/// Whether a rule ends uploads of all keys.
fn ends_uploads(rule: &Element) -> bool {
    let of_all = rule.at(&["Filter"]).is_none_or(|filter| filter.children.iter().all(|it| it.name == "Prefix" && it.text.is_empty()));
    of_all && rule.text_of("Prefix").is_empty() && rule.text_of("Status") == "Enabled" && rule.at(&["AbortIncompleteMultipartUpload"]).is_some()
}

/// The rules that are there, and the one that ends uploads: they can only be written all together.
fn lifecycle(days: u16, present: &str) -> String {
    const END: &str = "</LifecycleConfiguration>";
    let abort = xml::element("AbortIncompleteMultipartUpload", &xml::leaf("DaysAfterInitiation", &days.to_string()));
    let filter = xml::element("Filter", &xml::leaf("Prefix", ""));
    let rule = xml::element("Rule", &[xml::leaf("ID", RULE), filter, xml::leaf("Status", "Enabled"), abort].concat());
    match present.rsplit_once(END) {
        Some((before, after)) => format!("{before}{rule}{END}{after}"),
        None => xml::document("LifecycleConfiguration", &rule),
    }
}
