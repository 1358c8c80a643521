//! Documents: replaced as a whole, found by attributes, paged newest first.

use engine::port::{Append, Document, DocumentError, DocumentQuery, Documents, MOST_DOCUMENT_BYTES, MOST_DOCUMENTS, WriteError};
use serde_json::json;

use crate::common::Fixture;

fn order(id: &str, rank: u64, state: &str, channel: &str) -> Document {
    Document {
        collection: "product-order",
        id: id.to_owned(),
        rank,
        body: json!({ "id": id, "n": 18_446_744_073_709_551_615_u64, "x": 0.1 }),
        attributes: vec![("state", state.to_owned()), ("channel", channel.to_owned())],
    }
}

async fn write(f: &Fixture, head: u64, documents: Vec<Document>) {
    f.append(Append { documents, ..f.more(1, head, 1) }).await.unwrap();
}

/// The ids of a page and the total.
async fn find(f: &Fixture, equal: &[(&str, &str)], offset: u64, limit: u64) -> (Vec<String>, u64) {
    let equal = equal.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let page = f.store.find(DocumentQuery { collection: "product-order", equal, offset, limit }).await.unwrap();
    (page.documents.into_iter().map(|document| document.id).collect(), page.total)
}

fn ids<const N: usize>(ids: [&str; N], total: u64) -> (Vec<String>, u64) {
    (ids.map(str::to_owned).into(), total)
}

#[tokio::test]
async fn a_page_holds_the_newest_matches_and_the_total() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let mut documents = vec![order("a", 1, "done", "web"), order("b", 3, "done", "shop"), order("c", 2, "open", "web"), order("d", 3, "done", "web")];
    documents.push(Document { collection: "hub", ..order("z", 9, "done", "web") });
    write(&f, 1, documents).await;
    assert_eq!(find(&f, &[], 0, 10).await, ids(["d", "b", "c", "a"], 4));
    assert_eq!(find(&f, &[], 1, 2).await, ids(["b", "c"], 4));
    assert_eq!(find(&f, &[("state", "done")], 0, 10).await, ids(["d", "b", "a"], 3));
    assert_eq!(find(&f, &[("state", "done"), ("channel", "web")], 0, 10).await, ids(["d", "a"], 2));
    assert_eq!(find(&f, &[("channel", "web"), ("state", "done")], 1, 1).await, ids(["a"], 2));
    assert_eq!(find(&f, &[("state", "done"), ("state", "open"), ("state", "held")], 0, 10).await, ids(["d", "b", "c", "a"], 4));
    assert_eq!(find(&f, &[("state", "done"), ("channel", "web"), ("state", "open")], 1, 1).await, ids(["c"], 3));
    assert_eq!(find(&f, &[("state", "done"), ("state", "done")], 0, 10).await, ids(["d", "b", "a"], 3));
    assert_eq!(find(&f, &[("colour", "red")], 0, 10).await, ids([], 0));
    assert_eq!(find(&f, &[], 9, 10).await, ids([], 4));
    assert_eq!(find(&f, &[], 0, 0).await, ids([], 4));
}

#[tokio::test]
async fn a_document_comes_back_as_it_was_written() {
    let mut f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let document = order("a", u64::from(u32::MAX) + 7, "open", "Bücher \"und\" 'mehr'");
    write(&f, 1, vec![document.clone()]).await;
    f.reopen(store_sqlite::Options::default()).await;
    assert_eq!(f.store.get("product-order", "a").await.unwrap(), Some(document));
    assert_eq!(f.store.get("product-order", "b").await.unwrap(), None);
    assert_eq!(f.store.get("hub", "a").await.unwrap(), None);
}

#[tokio::test]
async fn a_replaced_document_is_found_by_its_new_attributes_only() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    write(&f, 1, vec![order("a", 1, "open", "web"), order("b", 2, "open", "web")]).await;
    write(&f, 2, vec![order("a", 1, "done", "web")]).await;
    assert_eq!(find(&f, &[("state", "open")], 0, 10).await, ids(["b"], 1));
    assert_eq!(find(&f, &[("state", "done")], 0, 10).await, ids(["a"], 1));
    write(&f, 3, vec![order("a", 5, "done", "web"), Document { body: json!("new"), ..order("b", 2, "open", "web") }]).await;
    assert_eq!(find(&f, &[("channel", "web")], 0, 10).await, ids(["a", "b"], 2));
    assert_eq!(f.store.get("product-order", "b").await.unwrap().unwrap().body, json!("new"));
    write(&f, 4, vec![Document { attributes: Vec::new(), ..order("a", 5, "", "") }]).await;
    assert_eq!(find(&f, &[("channel", "web")], 0, 10).await, ids(["b"], 1));
}

#[tokio::test]
async fn the_newest_of_several_runs_with_one_document_has_the_last_word() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    write(&f, 1, vec![order("a", 5, "open", "web")]).await;
    // An older run comes to its end after the newer one has begun.
    write(&f, 2, vec![order("a", 4, "done", "shop"), order("b", 4, "done", "shop")]).await;
    assert_eq!(f.store.get("product-order", "a").await.unwrap(), Some(order("a", 5, "open", "web")));
    assert_eq!(find(&f, &[("state", "done")], 0, 10).await, ids(["b"], 1));
    write(&f, 3, vec![order("a", 5, "done", "web")]).await;
    assert_eq!(find(&f, &[("state", "done")], 0, 10).await, ids(["a", "b"], 2));
    // What is of no run is written over anything, and what was removed has no rank.
    f.store.put(vec![order("a", 1, "open", "web")]).await.unwrap();
    assert_eq!(find(&f, &[("state", "open")], 0, 10).await, ids(["a"], 1));
    f.store.remove("product-order", "b").await.unwrap();
    write(&f, 4, vec![order("b", 1, "open", "web")]).await;
    assert_eq!(find(&f, &[("state", "open")], 0, 10).await, ids(["b", "a"], 2));
}

#[tokio::test]
async fn documents_of_a_refused_append_are_not_written() {
    let f = Fixture::new();
    f.append(f.start(1)).await.unwrap();
    let stale = Append { documents: vec![order("a", 1, "open", "web")], ..f.more(1, 7, 1) };
    f.append(stale).await.unwrap_err();
    assert_eq!(find(&f, &[], 0, 10).await, ids([], 0));
}

#[tokio::test]
async fn a_document_of_no_run_is_put_found_replaced_and_removed() {
    let mut f = Fixture::new();
    f.store.put(vec![order("a", 1, "open", "web"), order("b", 2, "open", "web")]).await.unwrap();
    f.store.put(vec![order("a", 3, "done", "web")]).await.unwrap();
    f.store.put(Vec::new()).await.unwrap();
    f.reopen(store_sqlite::Options::default()).await;
    assert_eq!(find(&f, &[("channel", "web")], 0, 10).await, ids(["a", "b"], 2));
    assert_eq!(find(&f, &[("state", "open")], 0, 10).await, ids(["b"], 1));
    f.store.remove("product-order", "a").await.unwrap();
    f.store.remove("product-order", "a").await.unwrap();
    f.store.remove("hub", "b").await.unwrap();
    assert_eq!(find(&f, &[("channel", "web")], 0, 10).await, ids(["b"], 1));
    assert_eq!(f.store.get("product-order", "a").await.unwrap(), None);
    // A run's own documents do not mind the others.
    f.append(f.start(1)).await.unwrap();
    write(&f, 1, vec![order("b", 4, "done", "shop")]).await;
    assert_eq!(find(&f, &[], 0, 10).await, ids(["b"], 1));
}

#[tokio::test]
async fn more_than_one_call_may_write_is_refused_as_a_whole() {
    let f = Fixture::new();
    let many = |count: usize| (0..count).map(|n| order(&format!("{n:05}"), 1, "open", "web")).collect::<Vec<_>>();
    let refused = f.store.put(many(MOST_DOCUMENTS + 1)).await.unwrap_err();
    assert_eq!(refused.to_string(), "documents: 1025, more than the 1024 allowed in one call");
    let huge = Document { body: json!("x".repeat(MOST_DOCUMENT_BYTES)), ..order("huge", 1, "open", "web") };
    let refused = f.store.put(vec![order("small", 1, "open", "web"), huge]).await.unwrap_err();
    assert!(matches!(refused, DocumentError::TooMuch { what: "bytes of documents", .. }), "{refused}");
    assert_eq!(find(&f, &[], 0, 0).await, ids([], 0));
    f.store.put(many(MOST_DOCUMENTS)).await.unwrap();
    assert_eq!(find(&f, &[], 0, 0).await, ids([], 1024));
    f.store.close().await;
    assert!(matches!(f.store.put(many(1)).await, Err(DocumentError::Write(WriteError::Unavailable(_)))));
}
