//! Documents: rows that packs project from events, written in the event's transaction, read by lists and look-ups.

use std::fmt;

use async_trait::async_trait;
use serde_json::Value;

use super::journal::ReadError;

/// Reads documents of packs.
#[async_trait]
pub trait Documents: fmt::Debug + Send + Sync {
    /// One document.
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError>;

    /// Documents that match, newest first, with the number of all matches.
    async fn find(&self, query: DocumentQuery) -> Result<DocumentPage, ReadError>;
}

/// A row that a pack projects from events.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The kind of document, such as `product-order`.
    pub collection: &'static str,
    /// Its id within the collection.
    pub id: String,
    /// What it sorts by, newest first: usually the creation time in microseconds.
    pub rank: u64,
    /// The content.
    pub body: Value,
    /// The attributes it can be found by, each once, with their values as text; at most 16.
    pub attributes: Vec<(&'static str, String)>,
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
