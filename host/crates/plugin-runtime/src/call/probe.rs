//! An instance that is made to see whether it can be made, for nobody's call.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use engine::port::{Call, CallEnd, CallSpan, KeyValue, ReadError, SpanContext, SpanItem, Verb, Versioned};
use pipeline::{AttemptId, Direction, Failure, IdempotencyKey, ItemId, Pin, PipelineName, Provider, Revision, RunId, StepName, TenantName, Verbs};
use serde_json::Value;
use tokio::time::timeout_at;
use wasmtime::Store;

use super::{
    CallContext, CallState,
    failure::{Caused, Ended},
    prepare,
};
use crate::{plugin::Loaded, runtime::Shared};

/// An honest component needs a thousandth of it.
const TIMEOUT: Duration = Duration::from_secs(10);

impl CallContext {
    /// The context of no call: nothing is granted and there are no keys.
    pub(crate) fn of_nobody(shared: &Arc<Shared>, plugin: &Loaded) -> Arc<Self> {
        let call = call(plugin);
        Self::new(Arc::clone(shared), Arc::new(plugin.without_grants()), Arc::new(Nothing), call)
    }
}

fn call(plugin: &Loaded) -> Call {
    let tenant = TenantName::new("default").expect("a name");
    let run = RunId::new("00000000-0000-0000-0000-000000000000").expect("a run id");
    let item = ItemId { step: StepName::new("install").expect("a name"), item: 0, round: 1 };
    let attempt = AttemptId { item, direction: Direction::Do, attempt: 1 };
    let key = IdempotencyKey::derive(&tenant, &run, &attempt.item, Direction::Do);
    let (name, version) = (plugin.manifest.name.clone(), plugin.manifest.version.clone());
    let provider = Provider::Plugin { name, version, digest: plugin.digest.clone() };
    Call {
        tenant,
        run,
        pipeline: PipelineName::new("install").expect("a name"),
        revision: Revision::new("0".repeat(64)).expect("a revision"),
        attempt,
        label: String::new(),
        key,
        pin: Arc::new(Pin { provider, contract: String::new(), verbs: Verbs::default(), idempotent: false }),
        verb: Verb::Observe,
        request: Arc::new(Value::Null),
        must_understand: &[],
        timeout: TIMEOUT,
        callback: None,
        span: nowhere(),
    }
}

fn nowhere() -> SpanContext {
    SpanContext { trace_id: "0".repeat(32), span_id: "0".repeat(16), sampled: false, trace_state: String::new() }
}

/// Makes an instance under the limits of a call and drops it.
pub(crate) async fn instantiate(context: Arc<CallContext>) -> Result<(), Failure> {
    let CallContext { shared, plugin, account, deadline, .. } = &*context;
    let tried = async {
        let _slot = shared.slots.enter(&plugin.guard.held, *deadline).await.map_err(Ended::Busy)?;
        let _ticking = shared.ticking();
        let mut store = Store::new(&shared.engine, CallState::new(Arc::clone(&context), Box::new(NoSpan(nowhere()))));
        prepare(&mut store, &plugin.holds.call);
        let made = {
            let mut guest = pin!(plugin.pre.instantiate_async(&mut store));
            timeout_at(*deadline, poll_fn(|task| context.poll(|| guest.as_mut().poll(task)))).await
        };
        match made {
            Ok(Ok(_instance)) => Ok(()),
            Ok(Err(error)) => {
                let mut caused = Caused::instantiating(error);
                caused.stderr = store.data().stderr();
                Err(Ended::Caused(caused))
            }
            Err(_elapsed) => Err(Ended::TimedOut { after: TIMEOUT }),
        }
    };
    tried.await.map_err(|ended| ended.classify(&plugin.manifest, account.sent(), account.denied().as_deref()))
}

/// A span that nobody sees.
struct NoSpan(SpanContext);

impl CallSpan for NoSpan {
    fn context(&self) -> &SpanContext {
        &self.0
    }

    fn record(&mut self, _item: SpanItem) {}

    fn end(self: Box<Self>, _end: CallEnd) {}
}

/// A store without keys.
#[derive(Debug)]
struct Nothing;

#[async_trait]
impl KeyValue for Nothing {
    async fn get(&self, _namespace: &str, _key: &str) -> Result<Option<Versioned>, ReadError> {
        Ok(None)
    }

    async fn list(&self, _namespace: &str, _prefix: &str, _after: Option<&str>, _limit: usize) -> Result<Vec<String>, ReadError> {
        Ok(Vec::new())
    }
}
