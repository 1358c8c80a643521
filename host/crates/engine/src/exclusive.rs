//! One call at a time for what cannot be changed by two at once, such as the zone of a DNS server that knows no conditional update.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use async_trait::async_trait;

use crate::port::{Call, CallReport, Runner};

/// What a call must have for itself, if anything: calls with the same text are made one after the other, in the order in which they came.
pub type KeyOf = fn(&Call) -> Option<String>;

/// Makes calls with the same key one after the other. A call that waits has not begun: its timeout is what comes after.
pub struct Exclusive {
    inner: Arc<dyn Runner>,
    key_of: KeyOf,
    locks: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl fmt::Debug for Exclusive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exclusive").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Exclusive {
    /// Calls of `inner`, one at a time per key.
    pub fn new(inner: Arc<dyn Runner>, key_of: KeyOf) -> Self {
        Self { inner, key_of, locks: Mutex::default() }
    }

    fn lock(&self, key: String) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        locks.insert(key, Arc::downgrade(&lock));
        lock
    }
}

#[async_trait]
impl Runner for Exclusive {
    async fn call(&self, call: Call) -> CallReport {
        let Some(key) = (self.key_of)(&call) else { return self.inner.call(call).await };
        let lock = self.lock(key);
        let _alone = lock.lock().await;
        self.inner.call(call).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use std::time::Duration;

    use pipeline::{AttemptId, Direction, IdempotencyKey, ItemId, PipelineName, Revision, StepName, TenantName};

    use super::*;
    use crate::{
        port::{Answer, SpanContext, Verb},
        testing::{Providers, pin},
    };

    fn call(request: serde_json::Value) -> Call {
        let item = ItemId { step: StepName::new("a").unwrap(), item: 0, round: 1 };
        let run = pipeline::testing::run_id(7);
        let tenant = TenantName::new("default").unwrap();
        Call {
            key: IdempotencyKey::derive(&tenant, &run, &item, Direction::Do),
            tenant,
            run,
            pipeline: PipelineName::new("test").unwrap(),
            revision: Revision::new("0".repeat(64)).unwrap(),
            attempt: AttemptId { item, direction: Direction::Do, attempt: 1 },
            label: String::new(),
            pin: Arc::new(pin("test")),
            verb: Verb::Apply,
            request: Arc::new(request),
            must_understand: &[],
            timeout: Duration::from_secs(1),
            callback: None,
            span: SpanContext { trace_id: String::new(), span_id: String::new(), sampled: false, trace_state: String::new() },
        }
    }

    #[tokio::test]
    async fn calls_with_one_key_are_made_one_after_the_other_and_others_at_once() {
        static INSIDE: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let inner = Providers::default().with("test", |_| async {
            MOST.fetch_max(INSIDE.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            INSIDE.fetch_sub(1, Ordering::SeqCst);
            Ok(Answer::Undone)
        });
        let runner = Exclusive::new(Arc::new(inner), |call| call.request["zone"].as_str().map(str::to_owned));
        let all = |request: fn(u32) -> serde_json::Value| {
            let calls = (0..8).map(|n| runner.call(call(request(n))));
            futures_util::future::join_all(calls)
        };
        all(|_| serde_json::json!({"zone": "app.example.test"})).await;
        assert_eq!(MOST.swap(0, Ordering::SeqCst), 1);
        all(|n| serde_json::json!({"zone": n.to_string()})).await;
        assert_eq!(MOST.swap(0, Ordering::SeqCst), 8);
        all(|_| serde_json::json!({})).await;
        assert_eq!(MOST.load(Ordering::SeqCst), 8);
        assert!(runner.locks.lock().unwrap().len() <= 8);
    }
}
