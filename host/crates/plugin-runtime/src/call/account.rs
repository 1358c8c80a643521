//! The account of one call: CPU time of the guest and whether anything left the host.

use std::{
    cell::Cell,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use crate::guard::LeftAlone;

/// How far CPU time may be off, in nanoseconds for each time that a call is polled, and always upwards: a fifth of a tick.
///
/// The clock of a thread's CPU time is a system call, which costs as much as thirty allocations. A poll that is shorter than this counts its wall clock, which
/// differs only when something else ran on the core meanwhile.
const BLUR: u64 = 200_000;

/// What is counted while a call runs. The guest, the timer and outgoing requests share it.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Nanoseconds of finished polls.
    spent: AtomicU64,
    /// When the present poll began; 0 between polls.
    began: AtomicU64,
    /// The thread's CPU time when the present poll began, or less.
    from: AtomicU64,
    /// The most that was said about the present poll: time does not run backwards when the better clock is read.
    running: AtomicU64,
    sent: AtomicU32,
    denied: Mutex<Option<String>>,
    denials: AtomicU32,
    left_alone: Mutex<Option<LeftAlone>>,
}

impl Account {
    /// Counts what `poll` takes. Calls for one account follow each other, on whichever threads.
    pub(super) fn poll<R>(&self, poll: impl FnOnce() -> R) -> R {
        let began = now();
        self.from.store(thread_cpu_at_most(began), Ordering::Relaxed);
        self.running.store(0, Ordering::Relaxed);
        self.began.store(began, Ordering::Relaxed);
        let polled = poll();
        self.spent.fetch_add(self.running(began), Ordering::Relaxed);
        self.began.store(0, Ordering::Relaxed);
        polled
    }

    /// CPU time of the call so far. Correct on the thread that runs the call, and everywhere once the call is over.
    pub(crate) fn cpu(&self) -> Duration {
        let running = match self.began.load(Ordering::Relaxed) {
            0 => 0,
            began => self.running(began),
        };
        Duration::from_nanos(self.spent.load(Ordering::Relaxed) + running)
    }

    /// CPU time of the poll that began then on this thread: at most the wall clock, and at most what the thread used since before it.
    fn running(&self, began: u64) -> u64 {
        let wall = now().saturating_sub(began);
        let spent = if wall < BLUR { wall } else { wall.min(thread_cpu().saturating_sub(self.from.load(Ordering::Relaxed))) };
        self.running.fetch_max(spent, Ordering::Relaxed).max(spent)
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

    /// The host refused something; the first refusal is kept. Says how many there were by now.
    pub(crate) fn deny(&self, what: &str) -> u32 {
        if let Ok(mut denied) = self.denied.lock() {
            denied.get_or_insert_with(|| what.to_owned());
        }
        self.denials.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// What the host refused first.
    pub(crate) fn denied(&self) -> Option<String> {
        self.denied.lock().ok().and_then(|denied| denied.clone())
    }

    /// A request was not sent because its endpoint is left alone; the one that is longest is kept.
    pub(crate) fn leave_alone(&self, endpoint: LeftAlone) {
        if let Ok(mut kept) = self.left_alone.lock()
            && kept.as_ref().is_none_or(|kept| kept.after < endpoint.after)
        {
            *kept = Some(endpoint);
        }
    }

    /// Which endpoint was not asked because it is left alone.
    pub(crate) fn left_alone(&self) -> Option<LeftAlone> {
        self.left_alone.lock().ok().and_then(|kept| kept.clone())
    }
}

/// Nanoseconds of the monotonic clock, never 0.
fn now() -> u64 {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(FIRST.elapsed().as_nanos()).unwrap_or(u64::MAX).saturating_add(1)
}

/// The CPU time of this thread at that time, or up to [`BLUR`] less: what was read so shortly before is taken again.
fn thread_cpu_at_most(now: u64) -> u64 {
    thread_local! {
        /// When the clock was read, and what it said.
        static READ: Cell<Option<(u64, u64)>> = const { Cell::new(None) };
    }
    match READ.get() {
        Some((at, cpu)) if now.saturating_sub(at) < BLUR => cpu,
        _ => {
            let cpu = thread_cpu();
            READ.set(Some((now, cpu)));
            cpu
        }
    }
}

/// The CPU time of this thread in nanoseconds.
fn thread_cpu() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compute(nanos: u64) {
        let from = thread_cpu();
        while thread_cpu() - from < nanos {}
    }

    #[test]
    fn computing_is_counted_whole_in_whatever_pieces_it_comes() {
        for (pieces, each) in [(1, 5_000_000), (200, 50_000), (30, 300_000)] {
            let account = Account::default();
            for _ in 0..pieces {
                account.poll(|| compute(each));
            }
            assert!(account.cpu().as_nanos() >= u128::from(pieces * each), "{pieces} of {each}: {:?}", account.cpu());
        }
    }

    #[test]
    fn it_never_counts_less_than_it_said_before() {
        let account = Account::default();
        let mut said = Duration::ZERO;
        account.poll(|| {
            for _ in 0..40 {
                compute(20_000);
                let now = account.cpu();
                assert!(now >= said, "{now:?} after {said:?}");
                said = now;
            }
        });
        assert!(account.cpu() >= said);
    }

    #[test]
    fn waiting_is_not_computing() {
        let account = Account::default();
        account.poll(|| std::thread::sleep(Duration::from_millis(500)));
        assert!(account.cpu() < Duration::from_millis(100), "{:?}", account.cpu());
    }
}
