//! Documents: rows of packs, projected from events in the event's transaction or written by the pack itself, read by lists and look-ups.

use std::fmt;

use async_trait::async_trait;
use serde_json::Value;

use super::journal::{ReadError, WriteError};
use crate::attempt::json_size;

/// How many documents one call writes at most.
pub const MOST_DOCUMENTS: usize = 1024;

/// How many bytes the documents of one call have at most, together ([`Document::bytes`]).
pub const MOST_DOCUMENT_BYTES: usize = 16 << 20;

/// Reads and writes documents of packs.
#[async_trait]
pub trait Documents: fmt::Debug + Send + Sync {
    /// One document.
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError>;

    /// Writes documents of which no run is the source, over those that may be there: all of them, durably, or none. At most [`MOST_DOCUMENTS`] in one call.
    async fn put(&self, documents: Vec<Document>) -> Result<(), DocumentError>;

    /// Removes a document of which no run is the source, durably. One that is not there is removed already.
    async fn remove(&self, collection: &str, id: &str) -> Result<(), WriteError>;

    /// Documents that match, newest first, with the number of all matches.
    async fn find(&self, query: DocumentQuery) -> Result<DocumentPage, ReadError>;
}

/// Why documents were not written. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// More than one call may carry.
    #[error("{what}: {found}, more than the {limit} allowed in one call")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// How much is allowed.
        limit: usize,
    },
    /// The store did not take them, whatever they are.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Whether one call may carry these documents.
///
/// # Errors
///
/// [`DocumentError::TooMuch`].
pub fn check_documents(documents: &[Document]) -> Result<(), DocumentError> {
    let within = |what, found, limit| if found > limit { Err(DocumentError::TooMuch { what, found, limit }) } else { Ok(()) };
    within("documents", documents.len(), MOST_DOCUMENTS)?;
    let bytes = documents.iter().fold(0_usize, |bytes, document| bytes.saturating_add(document.bytes()));
    within("bytes of documents", bytes, MOST_DOCUMENT_BYTES)
}

/// A row that a pack projects from events, or writes itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The kind of document, such as `product-order`.
    pub collection: &'static str,
    /// Its id within the collection.
    pub id: String,
    /// What it sorts by, newest first: usually the creation time in microseconds. What runs project is written over nothing of a higher rank, so that of several
    /// runs with one document the newest has the last word.
    pub rank: u64,
    /// The content.
    pub body: Value,
    /// The attributes it can be found by, each once, with their values as text; at most 16.
    pub attributes: Vec<(&'static str, String)>,
}

impl Document {
    /// About how many bytes it takes: the body, and the attributes twice because they are found by an index.
    pub fn bytes(&self) -> usize {
        json_size(&self.body).saturating_add(json_size(&self.attributes).saturating_mul(2))
    }
}

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct DocumentQuery {
    /// The kind of document.
    pub collection: &'static str,
    /// Attribute and value. Values of one attribute are alternatives; all attributes must match.
    pub equal: Vec<(String, String)>,
    /// How many matches to skip.
    pub offset: u64,
    /// How many to return at most.
    pub limit: u64,
}

/// One page of matches.
#[derive(Debug, Clone, Default)]
pub struct DocumentPage {
    /// The documents of this page.
    pub documents: Vec<Document>,
    /// How many documents match in all.
    pub total: u64,
}
