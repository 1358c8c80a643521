//! The runtime: the engine, its threads and the clock that interrupts guests.

use std::{
    cell::Cell,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use engine::port::HostInterface;
use pipeline::Digest;
use tokio::sync::Semaphore;
use wasmtime::{Engine, component::Linker};

use crate::{
    aot::Aot,
    call::CallState,
    contracts::Contracts,
    engine_config::{self, Allocation},
    error::RuntimeError,
    guard::{EndpointHealth, Endpoints, Guards, Pool},
    host::{self, http::Outside, interface::Offered},
    options::Options,
};

/// How often guests can be interrupted.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a call after which the ticker stops waking the machine.
const IDLE_TICKS: u32 = 100;

thread_local! {
    static WASM_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Runs plugins. A cheap handle; the threads end with the last one.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
}

/// What all handles share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<CallState>,
    pub(crate) options: Options,
    pub(crate) contracts: Contracts,
    pub(crate) outside: Outside,
    pub(crate) offered: Vec<Offered>,
    pub(crate) aot: Aot,
    pub(crate) compilations: Arc<Semaphore>,
    /// Turns of calls that take long: one less than there are threads, and one where there is a single thread.
    pub(crate) long_calls: Arc<Semaphore>,
    /// The slots of the pool.
    pub(crate) slots: Arc<Pool>,
    pub(crate) guards: Guards,
    pub(crate) endpoints: Arc<Endpoints>,
    allocation: Allocation,
    ticker: Arc<Ticker>,
    /// Taken when the last handle is dropped.
    threads: Mutex<Option<tokio::runtime::Runtime>>,
    handle: tokio::runtime::Handle,
}

impl Runtime {
    /// Starts a runtime with the contracts that ship and no interfaces beside the host's own.
    pub fn new(options: Options) -> Result<Self, RuntimeError> {
        Self::with(options, Contracts::builtin(), Vec::new())
    }

    /// Starts a runtime with the contracts and host interfaces of packs.
    pub fn with(options: Options, contracts: Contracts, interfaces: Vec<Arc<dyn HostInterface>>) -> Result<Self, RuntimeError> {
        let (engine, allocation) = engine_config::build(&options)?;
        let mut linker = Linker::new(&engine);
        let link = |error: wasmtime::Error| RuntimeError::Engine(format!("{error:#}"));
        host::link(&mut linker).map_err(link)?;
        let mut offered = Vec::with_capacity(interfaces.len());
        for interface in interfaces {
            offered.push(host::interface::link(&mut linker, interface)?);
        }
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.worker_threads())
            .thread_name("plugin")
            // Between two looks at what comes from other threads, a guest may spin for a tick each time.
            .global_queue_interval(5)
            .event_interval(31)
            .on_thread_start(|| WASM_THREAD.set(true))
            .enable_all()
            .build()
            .map_err(|error| RuntimeError::Threads(error.to_string()))?;
        let ticker = Ticker::start(&engine).map_err(|error| RuntimeError::Threads(error.to_string()))?;
        let aot = Aot::open(&engine, allocation, &options)?;
        let shared = Shared {
            linker,
            aot,
            contracts,
            outside: Outside::new(),
            offered,
            compilations: Arc::new(Semaphore::new(options.max_compilations.max(1))),
            long_calls: Arc::new(Semaphore::new(options.worker_threads().saturating_sub(1).max(1))),
            slots: Pool::new(options.max_calls),
            guards: Guards::default(),
            endpoints: Endpoints::new(options.endpoint_breaker.clone()),
            allocation,
            ticker,
            handle: threads.handle().clone(),
            threads: Mutex::new(Some(threads)),
            engine,
            options,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// How instances get their memory.
    pub fn allocation(&self) -> Allocation {
        self.shared.allocation
    }

    /// How the HTTP endpoints are doing that plugins asked.
    pub fn endpoints(&self) -> Vec<EndpointHealth> {
        self.shared.endpoints.health(std::time::Instant::now())
    }

    /// The settings it was started with.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// The contracts it speaks.
    pub fn contracts(&self) -> &Contracts {
        &self.shared.contracts
    }

    /// Calls of a digest that run now and calls that wait, under whatever grants; also those that began before no new one could.
    pub fn load_of(&self, digest: &Digest) -> (u32, u32) {
        self.shared.guards.load(digest)
    }

    /// Runs a future on the threads for plugins. Calls that are made there need no hop to another thread.
    pub fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.shared.spawn(future)
    }

    /// The threads for plugins, for whoever drives runs: a call that is made on one of them wakes no other.
    pub fn handle(&self) -> tokio::runtime::Handle {
        self.shared.handle.clone()
    }

    /// Runs a blocking function beside the threads for plugins.
    pub(crate) fn spawn_blocking<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> tokio::task::JoinHandle<R> {
        self.shared.handle.spawn_blocking(work)
    }
}

/// Whether the caller already is on a thread for plugins.
pub(crate) fn on_wasm_thread() -> bool {
    WASM_THREAD.get()
}

impl Shared {
    /// Runs a future on the threads for plugins.
    pub(crate) fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Waits on a thread that may wait, which those for plugins may not.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }

    /// Keeps the ticker running while a call runs.
    pub(crate) fn ticking(&self) -> Ticking<'_> {
        self.ticker.enter()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.ticker.stop();
        // The last handle may be dropped inside an async context, where waiting for threads is not allowed.
        if let Some(threads) = self.threads.lock().ok().and_then(|mut threads| threads.take()) {
            threads.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("allocation", &self.shared.allocation).finish_non_exhaustive()
    }
}

/// Raises the engine's epoch every millisecond while calls run, and sleeps when none has run for a while.
struct Ticker {
    active: AtomicUsize,
    parked: AtomicBool,
    stopped: AtomicBool,
    thread: Mutex<Option<thread::Thread>>,
}

/// A running call; the ticker does not sleep while one exists.
pub(crate) struct Ticking<'a>(&'a Ticker);

impl Ticker {
    fn start(engine: &Engine) -> std::io::Result<Arc<Self>> {
        let ticker =
            Arc::new(Self { active: AtomicUsize::new(0), parked: AtomicBool::new(false), stopped: AtomicBool::new(false), thread: Mutex::new(None) });
        let (engine, shared) = (engine.weak(), Arc::clone(&ticker));
        let handle = thread::Builder::new().name("plugin-epoch".to_owned()).spawn(move || {
            let mut idle = 0;
            while !shared.stopped.load(Ordering::SeqCst) {
                thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
                idle = if shared.active.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
                if idle >= IDLE_TICKS {
                    shared.park();
                    idle = 0;
                }
            }
        })?;
        if let Ok(mut thread) = ticker.thread.lock() {
            *thread = Some(handle.thread().clone());
        }
        Ok(ticker)
    }

    /// Sleeps until a call begins. The flag is raised before the count is read again, and a call raises the count before it reads the flag: one of them sees
    /// the other.
    fn park(&self) {
        self.parked.store(true, Ordering::SeqCst);
        while self.active.load(Ordering::SeqCst) == 0 && !self.stopped.load(Ordering::SeqCst) {
            thread::park();
        }
        self.parked.store(false, Ordering::SeqCst);
    }

    fn enter(&self) -> Ticking<'_> {
        self.active.fetch_add(1, Ordering::SeqCst);
        if self.parked.load(Ordering::SeqCst) {
            self.wake();
        }
        Ticking(self)
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.lock().ok().as_deref().and_then(Option::as_ref) {
            thread.unpark();
        }
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::SeqCst);
    }
}
