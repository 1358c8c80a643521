//! Blobs: named by their content, stored once, never returned damaged.

use engine::port::{Blobs, ReadError};

use crate::common::Fixture;

#[tokio::test]
async fn a_blob_is_found_by_its_hash() {
    let mut f = Fixture::new();
    let bytes = vec![7; 3_000_000];
    let hash = f.store.put(bytes.clone()).await.unwrap();
    assert_eq!(hash, blake3::hash(&bytes).to_hex().as_str());
    assert_eq!(f.store.put(bytes.clone()).await.unwrap(), hash);
    let empty = f.store.put(Vec::new()).await.unwrap();
    f.reopen(store_sqlite::Options::default()).await;
    assert_eq!(f.store.get(&hash).await.unwrap(), Some(bytes));
    assert_eq!(f.store.get(&empty).await.unwrap(), Some(Vec::new()));
    assert_eq!(f.store.get("unknown").await.unwrap(), None);
    let count: i64 = f.raw().query_row("SELECT count(*) FROM blobs", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2);
}

#[tokio::test]
async fn a_damaged_blob_is_an_error() {
    let f = Fixture::new();
    let hash = f.store.put(b"component".to_vec()).await.unwrap();
    f.raw().execute("UPDATE blobs SET bytes = x'00'", []).unwrap();
    assert_eq!(f.store.get(&hash).await, Err(ReadError::Unavailable(format!("blob {hash} is damaged: its bytes have another hash"))));
}
