//! The one home of spawned tasks: every task is counted, so that a drain can wait for all of them.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{runtime::Handle, sync::Notify};

/// A counted group of tasks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    inner: Arc<Inner>,
    /// Where runs are driven, if that is another runtime than the caller's.
    runs_on: Option<Handle>,
}

#[derive(Debug, Default)]
struct Inner {
    running: AtomicUsize,
    changed: Notify,
}

/// Counts one task down when it ends, however it ends.
struct Running(Arc<Inner>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }
}

impl Tasks {
    pub(crate) fn new(runs_on: Option<Handle>) -> Self {
        Self { runs_on, ..Self::default() }
    }

    /// Runs a future to its end, whether or not anybody waits for it.
    #[expect(clippy::disallowed_methods, reason = "this is the one home of spawned tasks in the engine")]
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.counted(future));
    }

    /// The same for a future that drives a run.
    pub(crate) fn spawn_run(&self, future: impl Future<Output = ()> + Send + 'static) {
        match &self.runs_on {
            Some(runtime) => drop(runtime.spawn(self.counted(future))),
            None => self.spawn(future),
        }
    }

    fn counted(&self, future: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> + Send + 'static {
        self.inner.running.fetch_add(1, Ordering::AcqRel);
        let running = Running(self.inner.clone());
        async move {
            let _running = running;
            future.await;
        }
    }

    /// Returns when no task is running.
    pub(crate) async fn ended(&self) {
        loop {
            let changed = self.inner.changed.notified();
            if self.inner.running.load(Ordering::Acquire) == 0 {
                return;
            }
            changed.await;
        }
    }
}
