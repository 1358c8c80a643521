//! The account of one call: CPU time of the guest and whether anything left the host.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// What is counted while a call runs. The guest, the timer and outgoing requests share it.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Nanoseconds of finished polls.
    spent: AtomicU64,
    /// The thread's clock when the present poll began; 0 between polls.
    began: AtomicU64,
    sent: AtomicU32,
    denied: Mutex<Option<String>>,
}

impl Account {
    /// CPU time of the call so far. Correct on the thread that runs the call, and everywhere once the call is over.
    pub(crate) fn cpu(&self) -> Duration {
        let running = match self.began.load(Ordering::Relaxed) {
            0 => 0,
            began => thread_cpu().saturating_sub(began),
        };
        Duration::from_nanos(self.spent.load(Ordering::Relaxed) + running)
    }

    /// A request is about to leave the host.
    pub(crate) fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::SeqCst);
    }

    /// A request that was counted did not leave the host after all: no connection could be made.
    pub(crate) fn uncount_sent(&self) {
        self.sent.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether anything left the host.
    pub(crate) fn sent(&self) -> bool {
        self.sent.load(Ordering::SeqCst) > 0
    }

    /// The host refused something; the first refusal is kept.
    pub(crate) fn deny(&self, what: String) {
        if let Ok(mut denied) = self.denied.lock() {
            denied.get_or_insert(what);
        }
    }

    /// What the host refused first.
    pub(crate) fn denied(&self) -> Option<String> {
        self.denied.lock().ok().and_then(|denied| denied.clone())
    }
}

/// Measures the CPU time of a future on whichever threads poll it.
pub(crate) struct Metered<'a, F> {
    account: &'a Account,
    inner: Pin<Box<F>>,
}

impl<'a, F: Future> Metered<'a, F> {
    pub(crate) fn new(account: &'a Account, inner: F) -> Self {
        Self { account, inner: Box::pin(inner) }
    }
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_cpu().max(1);
        self.account.began.store(began, Ordering::Relaxed);
        let polled = self.inner.as_mut().poll(cx);
        self.account.began.store(0, Ordering::Relaxed);
        self.account.spent.fetch_add(thread_cpu().saturating_sub(began), Ordering::Relaxed);
        polled
    }
}

/// The CPU time of this thread in nanoseconds.
fn thread_cpu() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}
