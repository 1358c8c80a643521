//! Large answers of devices: kept for a while, so that somebody can read them, and not in the journal, which has their number and their digest.

use std::time::Duration;

use engine::port::{Document, DocumentError, DocumentQuery, Documents, ReadError};
use pipeline::{RunId, Timestamp};
use serde_json::{Value, json};

/// The collection of answers, by the run of the command.
const ANSWERS: &str = "cpe-answer";

/// An answer of more values than these is large.
const SMALL: usize = 16;

/// How many old answers are removed when a new one is kept. More than one, so that they become fewer.
const REMOVED_AT_ONCE: u64 = 8;

/// Puts the values of an answer away if they are many: what stands for them is small.
///
/// # Errors
///
/// Where the store does not take them.
pub(crate) async fn put_away(
    documents: &dyn Documents,
    run: &RunId,
    values: Vec<Value>,
    now: Timestamp,
    kept: Duration,
) -> Result<Value, DocumentError> {
    if values.len() <= SMALL {
        return Ok(json!({ "values": values }));
    }
    let (count, values) = (values.len(), Value::from(values));
    let digest = format!("blake3:{}", blake3::hash(values.to_string().as_bytes()).to_hex());
    let until = now.0.saturating_add(u64::try_from(kept.as_micros()).unwrap_or(u64::MAX));
    let body = json!({ "values": values, "until": until });
    documents.put(vec![Document { collection: ANSWERS, id: run.to_string(), rank: until, body, attributes: Vec::new() }]).await?;
    remove_old(documents, now).await;
    Ok(json!({ "count": count, "digest": digest, "until": until }))
}

/// An output with the values that were put away, as long as they are there.
///
/// # Errors
///
/// Where the store cannot be read.
pub(crate) async fn with_values(documents: &dyn Documents, run: &str, output: &mut Value) -> Result<(), ReadError> {
    if output["digest"].is_string()
        && let Some(mut kept) = documents.get(ANSWERS, run).await?
    {
        output["values"] = kept.body["values"].take();
    }
    Ok(())
}

/// Removes answers whose time is over. What is not removed now is removed with the next answer.
async fn remove_old(documents: &dyn Documents, now: Timestamp) {
    let count = DocumentQuery { collection: ANSWERS, limit: 1, ..DocumentQuery::default() };
    let Ok(page) = documents.find(count).await else { return };
    let oldest =
        DocumentQuery { collection: ANSWERS, offset: page.total.saturating_sub(REMOVED_AT_ONCE), limit: REMOVED_AT_ONCE, ..DocumentQuery::default() };
    let Ok(page) = documents.find(oldest).await else { return };
    for old in page.documents.iter().filter(|old| old.rank <= now.0) {
        let _kept_until_the_next = documents.remove(ANSWERS, &old.id).await;
    }
}

#[cfg(test)]
mod tests {
    use engine::testing::MemoryStore;
    use pipeline::testing::run_id;

    use super::*;

    #[tokio::test]
    async fn many_values_are_readable_for_a_while_and_leave_their_number_and_digest() {
        let store = MemoryStore::default();
        let values = |n: usize| (0..n).map(|n| json!({ "name": format!("Device.P{n}"), "value": "v" })).collect::<Vec<_>>();
        let put = async |run, n, at| put_away(&store, &run_id(run), values(n), Timestamp(at), Duration::from_micros(100)).await.unwrap();
        assert_eq!(put(1, 2, 0).await, json!({ "values": values(2) }));
        let mut output = put(2, 17, 0).await;
        assert_eq!((output["count"].as_u64(), output["until"].as_u64(), &output["values"]), (Some(17), Some(100), &Value::Null));
        with_values(&store, run_id(2).as_str(), &mut output).await.unwrap();
        assert_eq!(output["values"], json!(values(17)));

        let mut later = put(3, 20, 100).await;
        assert_ne!(later["digest"], output["digest"]);
        let mut gone = json!({ "count": 17, "digest": output["digest"] });
        with_values(&store, run_id(2).as_str(), &mut gone).await.unwrap();
        assert_eq!(gone["values"], Value::Null, "its time was over when the next was kept");
        with_values(&store, run_id(3).as_str(), &mut later).await.unwrap();
        assert_eq!(later["values"].as_array().map(Vec::len), Some(20));
    }
}
