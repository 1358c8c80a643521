//! Whose a bucket is: the tag `owner`, or an object where the vendor has no tags.

use jackfield_plugin_sdk::{Failure, storage};

use crate::{
    BAD_REQUEST,
    problem::Problem,
    s3::Bucket,
    settings::Optional,
    xml::{self, Element},
};

/// The tag that names the owner.
const OWNER: &str = "owner";
/// The object that does it where there are no tags.
pub(crate) const MARKER: &str = ".jackfield-owner";
/// Tags that a bucket may have, and characters of their parts: limits of S3.
const TAGS: (usize, usize, usize) = (50, 128, 256);
/// Characters of another owner's name in a message.
const SHOWN: usize = 128;

/// A tag: its key and its value.
pub(crate) type Tag = (String, String);

/// What a bucket is to an owner.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is none.
    NoBucket,
    /// It is the owner's; with its tags where the vendor has such.
    Ours(Option<Vec<Tag>>),
    /// Nothing is written on it and nothing is in it.
    HalfMade,
    /// It is somebody else's; says whose.
    Foreign(String),
}

/// What is written on a bucket.
enum Written {
    NoBucket,
    Tags(Vec<Tag>),
    Marker(Option<String>),
}

impl Bucket<'_> {
    /// Asks whose it is.
    pub(crate) fn standing(&self, owner: &str) -> Result<Standing, Problem> {
        let (found, tags) = match self.written()? {
            Written::NoBucket => return Ok(Standing::NoBucket),
            Written::Tags(tags) => (tags.iter().find(|(key, _)| key == OWNER).map(|(_, value)| value.clone()), Some(tags)),
            Written::Marker(found) => (found, None),
        };
        Ok(match found {
            Some(found) if found == owner => Standing::Ours(tags),
            Some(other) => Standing::Foreign(format!("its owner is {:?}", other.chars().take(SHOWN).collect::<String>())),
            None if tags.is_none_or(|tags| tags.is_empty()) && self.entries(1)?.is_empty() => Standing::HalfMade,
            None => Standing::Foreign("no owner is written on it, and it is not new".into()),
        })
    }

    /// Writes the owner and the labels, beside the tags that others made.
    pub(crate) fn own(&self, wanted: &[Tag], present: &[Tag]) -> Result<(), Problem> {
        let kept = present.iter().filter(|(key, _)| !key.starts_with("aws:") && !wanted.iter().any(|(other, _)| other == key));
        let tags: String =
            wanted.iter().chain(kept).map(|(key, value)| xml::element("Tag", &(xml::leaf("Key", key) + &xml::leaf("Value", value)))).collect();
        let body = xml::document("Tagging", &xml::element("TagSet", &tags));
        match self.put("?tagging", Some(body)) {
            Err(problem) if problem.is_unsupported() && self.settings.is_optional(Optional::Tags) => {
                let owner = wanted.iter().find(|(key, _)| key == OWNER).map(|(_, value)| value.clone());
                self.put(&format!("/{MARKER}"), owner)
            }
            written => written,
        }
    }

    fn written(&self) -> Result<Written, Problem> {
        match self.document("?tagging", "Tagging") {
            Ok(document) => Ok(Written::Tags(tags(&document))),
            Err(problem) if problem.says(&["NoSuchBucket"]) => Ok(Written::NoBucket),
            Err(problem) if problem.is_missing() => Ok(Written::Tags(Vec::new())),
            Err(problem) if problem.is_unsupported() && self.settings.is_optional(Optional::Tags) => self.marker(),
            Err(problem) => Err(problem),
        }
    }

    fn marker(&self) -> Result<Written, Problem> {
        match self.get(&format!("/{MARKER}")) {
            Ok(answer) => Ok(Written::Marker(Some(answer.text().trim().to_owned()))),
            Err(problem) if problem.says(&["NoSuchBucket"]) => Ok(Written::NoBucket),
            Err(problem) if problem.is_missing() => Ok(Written::Marker(None)),
            Err(problem) => Err(problem),
        }
    }
}

fn tags(document: &Element) -> Vec<Tag> {
    let set = document.at(&["TagSet"]);
    set.into_iter().flat_map(|set| set.all("Tag")).map(|tag| (tag.text_of("Key").to_owned(), tag.text_of("Value").to_owned())).collect()
}

/// The tags that a request wants: the owner first.
pub(crate) fn wanted(request: &storage::Request) -> Result<Vec<Tag>, Failure> {
    let (most, key, value) = TAGS;
    let bad = |why: String| Err(Failure::rejected(BAD_REQUEST, why));
    if request.labels.len() >= most {
        return bad(format!("a bucket has at most {} labels, this one {}", most - 1, request.labels.len()));
    }
    for label in &request.labels {
        let (name, text) = (label.name.chars().count(), label.value.chars().count());
        if label.name == OWNER || label.name.starts_with("aws:") || !(1..=key).contains(&name) || text > value {
            let expected = format!("expected 1 to {key} characters other than {OWNER} and aws:..., with at most {value} for the value");
            return bad(format!("the label {:?} cannot be a tag: {expected}", label.name.chars().take(key).collect::<String>()));
        }
    }
    let labels = request.labels.iter().map(|it| (it.name.clone(), it.value.clone()));
    Ok([(OWNER.to_owned(), request.tenant.id.clone())].into_iter().chain(labels).collect())
}
