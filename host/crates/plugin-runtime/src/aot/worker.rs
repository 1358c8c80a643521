//! Compiling in a process of its own, under limits of the system: whatever a compiler does with hostile code, it ends, and the host does not notice.

use std::{
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, Signal, nice, setrlimit};
use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use crate::{
    engine_config::{self, Allocation},
    error::LoadError,
    options::{CompileLimits, Options},
};

/// The argument that an executable is asked with.
const ARGUMENT: &str = "compile-worker";
/// How much longer than its CPU time a compiler may take by the wall clock: it has the lowest priority on a machine that may be busy.
const PATIENCE: u32 = 4;
/// Bytes that are kept of what a compiler says about its end.
const MAX_SAID: u64 = 2_048;
/// The priority below that of the host.
const NICE: i32 = 10;

/// What a worker is told, as its second argument.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    allocation: Allocation,
    stack_bytes: usize,
    memory_bytes: u64,
    cpu_s: u64,
}

/// Why a worker made no code.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// It was asked by something else than this version of the host.
    #[error("the task is not for this version: {0}")]
    Task(#[from] serde_json::Error),
    /// Limits cannot be set, or the host does not listen.
    #[error("the compiler cannot work: {0}")]
    Io(#[from] io::Error),
    /// The component does not compile.
    #[error("{0}")]
    Compile(String),
}

/// Compiles the component on standard input to standard output: what an executable does when it is asked with `compile-worker` and a task, and nothing else. The
/// limits of the task are put on the whole process, so it must do nothing else afterwards.
///
/// # Errors
///
/// The component does not compile, or the task is not of this version. The host reads standard error.
pub fn compile_worker(task: &str) -> Result<(), WorkerError> {
    let Task { allocation, stack_bytes, memory_bytes, cpu_s } = serde_json::from_str(task)?;
    let limit = |resource, soft: u64, hard: u64| setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) }).map_err(io::Error::from);
    limit(Resource::As, memory_bytes, memory_bytes)?;
    limit(Resource::Cpu, cpu_s, cpu_s.saturating_add(1))?;
    limit(Resource::Core, 0, 0)?;
    nice(NICE).map_err(io::Error::from)?;
    let engine = engine_config::compiling(allocation, stack_bytes).map_err(|error| WorkerError::Compile(error.to_string()))?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let code = engine.precompile_component(&bytes).map_err(|error| WorkerError::Compile(format!("{error:#}")))?;
    let mut out = io::stdout().lock();
    out.write_all(&code)?;
    Ok(out.flush()?)
}

/// Compiles in another process where there is an executable for it, or else in this one.
#[derive(Debug)]
pub(super) struct Compiler {
    executable: Option<PathBuf>,
    allocation: Allocation,
    stack_bytes: usize,
}

impl Compiler {
    pub(super) fn new(allocation: Allocation, options: &Options) -> Self {
        Self { executable: options.compile_worker.clone(), allocation, stack_bytes: options.limits.stack_bytes }
    }

    /// The code of a component. The caller's thread waits.
    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8], limits: &CompileLimits) -> Result<Vec<u8>, LoadError> {
        let Some(executable) = &self.executable else {
            return engine.precompile_component(bytes).map_err(|error| LoadError::Compile(format!("{error:#}")));
        };
        let CompileLimits { cpu_s, memory_bytes, .. } = *limits;
        let task = Task { allocation: self.allocation, stack_bytes: self.stack_bytes, memory_bytes, cpu_s };
        let worker = |error: io::Error| LoadError::Compile(format!("the compiler {} cannot be run: {error}", executable.display()));
        let task = serde_json::to_string(&task).map_err(|error| worker(error.into()))?;
        let ended = run(executable, &task, bytes, Duration::from_secs(cpu_s).saturating_mul(PATIENCE)).map_err(worker)?;
        ended.result(limits)
    }
}

/// How a worker ended.
struct Ended {
    /// None: it had to be killed because its time was over.
    status: Option<ExitStatus>,
    code: Vec<u8>,
    said: String,
}

impl Ended {
    fn result(self, limits: &CompileLimits) -> Result<Vec<u8>, LoadError> {
        let Self { status, code, said } = self;
        let CompileLimits { cpu_s, memory_bytes, .. } = *limits;
        let bounds = |text: String| Err(LoadError::CompileBounds(text));
        let Some(status) = status else {
            return bounds(format!("it took {} s, the limit (four times runtime.compile.cpu_s)", cpu_s.saturating_mul(PATIENCE.into())));
        };
        // Killed by the hard limit, where the softer signal was not enough.
        let out_of_time = [Signal::XCPU, Signal::KILL].map(|signal| Some(signal.as_raw()));
        // What the allocator and the system say, the first before it ends the process and the second in an error.
        let out_of_memory = ["memory allocation", "annot allocate memory", "out of memory"].iter().any(|text| said.contains(text));
        match status.code() {
            Some(0) => Ok(code),
            _ if out_of_time.contains(&status.signal()) => bounds(format!("it took {cpu_s} s of CPU time, the limit (runtime.compile.cpu_s)")),
            _ if out_of_memory => bounds(format!("it took {memory_bytes} bytes of memory, the limit (runtime.compile.memory_bytes)")),
            // What the worker itself reports; a panic has another code.
            Some(1) => Err(LoadError::Compile(said)),
            _ => bounds(format!("the compiler ended with {status}: {said}")),
        }
    }
}

fn run(executable: &Path, task: &str, bytes: &[u8], patience: Duration) -> io::Result<Ended> {
    let piped = Stdio::piped;
    // Without the environment: it has secrets and a compiler needs none.
    let spawned = Command::new(executable).args([ARGUMENT, task]).env_clear().stdin(piped()).stdout(piped()).stderr(piped()).spawn();
    let mut child = Spawned(spawned?);
    let (Some(stdin), Some(stdout), Some(stderr)) = (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take()) else {
        return Err(io::Error::other("it has no pipes"));
    };
    thread::scope(|scope| {
        let (ended, end) = mpsc::channel();
        scope.spawn(move || write(stdin, bytes));
        let said = scope.spawn(move || listen(stderr));
        let code = scope.spawn(move || {
            let code = read(stdout);
            ended.send(()).ok();
            code
        });
        let in_time = end.recv_timeout(patience).is_ok();
        if !in_time {
            child.0.kill()?;
        }
        let status = child.0.wait()?;
        let said = said.join().unwrap_or_default();
        let code = code.join().unwrap_or_else(|_| Err(io::Error::other("its answer cannot be read")))?;
        Ok(Ended { status: in_time.then_some(status), code, said })
    })
}

/// A worker that does not outlive the wish for its answer.
struct Spawned(Child);

impl Drop for Spawned {
    fn drop(&mut self) {
        // Both fail when it has ended and was waited for.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A worker that ends early is told by its end, not by its pipe.
fn write(mut stdin: ChildStdin, bytes: &[u8]) {
    drop(stdin.write_all(bytes));
}

fn read(mut stdout: ChildStdout) -> io::Result<Vec<u8>> {
    let mut code = Vec::new();
    stdout.read_to_end(&mut code)?;
    Ok(code)
}

/// The first of what it says; the rest is read and forgotten, so that it is not kept waiting.
fn listen(mut stderr: ChildStderr) -> String {
    let mut said = Vec::new();
    drop(stderr.by_ref().take(MAX_SAID).read_to_end(&mut said));
    drop(io::copy(&mut stderr, &mut io::sink()));
    String::from_utf8_lossy(&said).trim().to_owned()
}
