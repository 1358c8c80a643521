//! Requests to one bucket, and the objects in it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jackfield_plugin_sdk::http::{Method, Request, Response, encode};
use md5::{Digest as _, Md5};

use crate::{
    problem::Problem,
    settings::Settings,
    xml::{self, Element},
};

/// Bytes of an answer: a page has 1000 keys of at most 1024 bytes, each of which may be encoded as three.
const LIMIT: usize = 6 * 1024 * 1024;

/// A bucket at the vendor.
#[derive(Debug)]
pub(crate) struct Bucket<'a> {
    pub(crate) name: &'a str,
    pub(crate) settings: &'a Settings,
}

/// An object, in one of its versions where the vendor has such, or a delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

impl Bucket<'_> {
    /// Reads. `rest` is what follows the bucket: `?tagging`, `/key`.
    pub(crate) fn get(&self, rest: &str) -> Result<Response, Problem> {
        self.send(Method::Get, rest, None)
    }

    /// Reads a document of that name, or of another that a vendor gave it within S3. Anything else, such as a page of a proxy, must not pass for an empty
    /// one.
    pub(crate) fn document(&self, rest: &str, name: &str) -> Result<Element, Problem> {
        self.get(rest).and_then(|answer| self.parse(rest, &answer, name))
    }

    /// Reads an answer as a document.
    pub(crate) fn parse(&self, rest: &str, answer: &Response, name: &str) -> Result<Element, Problem> {
        let garbled = |why: &str| Problem::garbled(&self.describe(Method::Get, rest), why, true);
        let document = xml::read(answer.body()).map_err(|why| garbled(&why))?;
        if document.of_s3 || document.name == name { Ok(document) } else { Err(garbled(&format!("it is no {name}"))) }
    }

    /// Makes or replaces.
    pub(crate) fn put(&self, rest: &str, body: Option<String>) -> Result<(), Problem> {
        self.send(Method::Put, rest, body).map(drop)
    }

    /// Removes.
    pub(crate) fn delete(&self, rest: &str) -> Result<(), Problem> {
        self.send(Method::Delete, rest, None).map(drop)
    }

    /// Removes many objects at once.
    pub(crate) fn delete_all(&self, entries: &[Entry]) -> Result<(), Problem> {
        const REST: &str = "?delete";
        let objects: String = entries.iter().map(Entry::document).collect();
        let body = xml::document("Delete", &(xml::leaf("Quiet", "true") + &objects));
        let answer = self.send(Method::Post, REST, Some(body))?;
        let request = self.describe(Method::Post, REST);
        let result = xml::read(answer.body()).map_err(|why| Problem::garbled(&request, &why, false))?;
        // A vendor that began its answer before it failed says so with 200 as well.
        if result.name == "Error" {
            return Err(Problem::within(result.text_of("Code"), format!("{request}: {}", result.text_of("Code"))));
        }
        if result.name != "DeleteResult" {
            return Err(Problem::garbled(&request, &format!("{:?}; expected a DeleteResult", result.name), false));
        }
        // The keys are the tenant's: they stay out of messages.
        let refused: Vec<&str> = result.all("Error").map(|error| error.text_of("Code")).collect();
        let Some(first) = refused.first() else { return Ok(()) };
        let message = format!("{request}: {} of {} objects were not removed: {first}", refused.len(), entries.len());
        Err(Problem::within(first, message))
    }

    /// At most so many versions and delete markers; objects where the vendor has no versions.
    pub(crate) fn entries(&self, most: usize) -> Result<Vec<Entry>, Problem> {
        let listed = match self.document(&format!("?versions&encoding-type=url&max-keys={most}"), "ListVersionsResult") {
            Err(problem) if problem.is_unsupported() => {
                self.document(&format!("?list-type=2&encoding-type=url&max-keys={most}"), "ListBucketResult")?
            }
            listed => listed?,
        };
        let encoded = listed.text_of("EncodingType") == "url";
        let found = listed.children.iter().filter(|it| matches!(it.name.as_str(), "Version" | "DeleteMarker" | "Contents"));
        Ok(found.map(|it| Entry::of(it, encoded)).collect())
    }

    fn send(&self, method: Method, rest: &str, body: Option<String>) -> Result<Response, Problem> {
        let mut request = Request::new(method, format!("http://storage/{}{rest}", self.name)).limit(LIMIT);
        // Making a bucket knows no such condition: it fails where another account has it.
        if let Some(account) = &self.settings.account
            && (method, rest) != (Method::Put, "")
        {
            request = request.header("x-amz-expected-bucket-owner", account);
        }
        if let Some(body) = body {
            // Required of what removes many objects, and of rules for their life.
            request = request.header("content-md5", STANDARD.encode(Md5::digest(&body)));
            let media_type = if rest.starts_with('/') { "text/plain" } else { "application/xml" };
            request = request.body(media_type, body);
        }
        let answer = request.send().map_err(|error| Problem::silent(error, method.is_safe()))?;
        if answer.is_success() { Ok(answer) } else { Err(Problem::of(&self.describe(method, rest), &answer, method.is_safe())) }
    }

    /// What was asked, without the key of an object.
    fn describe(&self, method: Method, rest: &str) -> String {
        let rest = if rest.starts_with('/') { "/..." } else { rest.split('&').next().unwrap_or_default() };
        format!("{} {}{rest}", method.as_str(), self.name)
    }
}

impl Entry {
    fn of(element: &Element, encoded: bool) -> Self {
        let key = element.text_of("Key");
        let key = if encoded { decode(key) } else { key.to_owned() };
        Self { key, version: element.at(&["VersionId"]).map(|it| it.text.clone()) }
    }

    fn document(&self) -> String {
        let version = self.version.as_ref().map_or_else(String::new, |version| xml::leaf("VersionId", version));
        xml::element("Object", &(xml::leaf("Key", &self.key) + &version))
    }
}

/// A key as a path: its slashes stay.
pub(crate) fn path(key: &str) -> String {
    format!("/{}", key.split('/').map(encode).collect::<Vec<_>>().join("/"))
}

/// The form of keys in lists: percent-encoded, and a plus is a space.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let hex = others.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, after) = match (first, hex) {
            (b'%', Some(byte)) => (byte, &others[2..]),
            (b'+', _) => (b' ', others),
            (other, _) => (*other, others),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
