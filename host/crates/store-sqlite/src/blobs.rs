//! The blobs port: bytes under their blake3 hash.

use async_trait::async_trait;
use engine::port::{BlobHash, Blobs, ReadError};
use rusqlite::OptionalExtension;

use crate::{Store, batch::Write};

#[async_trait]
impl Blobs for Store {
    async fn put(&self, bytes: Vec<u8>) -> Result<BlobHash, ReadError> {
        let hash = blake3::hash(&bytes).to_hex().to_string();
        if !self.has(&hash).await? {
            let write = Write::Blob { hash: hash.clone(), bytes };
            self.write(write).await.map_err(|error| ReadError::Unavailable(error.to_string()))?;
        }
        Ok(hash)
    }

    /// The bytes are checked against their hash; damaged ones are never returned.
    async fn get(&self, hash: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let wanted = hash.to_owned();
        let bytes: Option<Vec<u8>> = self
            .read(move |connection| {
                connection.prepare_cached("SELECT bytes FROM blobs WHERE hash = ?1")?.query_row([wanted], |row| row.get(0)).optional()
            })
            .await?;
        match bytes {
            Some(bytes) if blake3::hash(&bytes).to_hex().as_str() != hash => {
                Err(ReadError::Unavailable(format!("blob {hash} is damaged: its bytes have another hash")))
            }
            intact => Ok(intact),
        }
    }
}

impl Store {
    /// Whether the blob is durable already: what a reader sees is committed.
    async fn has(&self, hash: &str) -> Result<bool, ReadError> {
        let hash = hash.to_owned();
        self.read(move |connection| connection.prepare_cached("SELECT 1 FROM blobs WHERE hash = ?1")?.exists([hash])).await
    }
}
