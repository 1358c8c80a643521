//! Content-addressed bytes: binding tables and components that runs are pinned to.

use std::fmt;

use async_trait::async_trait;

use super::journal::ReadError;

/// The blake3 hash of a blob, 64 hexadecimal digits.
pub type BlobHash = String;

/// Stores bytes under their hash, durably. A blob is immutable.
#[async_trait]
pub trait Blobs: fmt::Debug + Send + Sync {
    /// Stores bytes and returns their hash; a no-op when they are there already.
    async fn put(&self, bytes: Vec<u8>) -> Result<BlobHash, ReadError>;

    /// The bytes of a hash.
    async fn get(&self, hash: &str) -> Result<Option<Vec<u8>>, ReadError>;
}
