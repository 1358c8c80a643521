//! `restart_ms_1m`: from the start of the process on a database with a million finished and 100,000 waiting orders to serving: a POST was answered with 201
//! and the first overdue order was asked after.
//!
//! The process is a real one, started anew and killed each time. All waiting orders are overdue, as after any outage longer than their polling interval.

use std::{
    fmt,
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use engine::port::{Call, CallReport, Runner, Verb};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use crate::{
    harness::{report::Measured, statistics::median},
    history,
    orders_served::{Client, pack, serve as serve_orders},
    receiver::Receiver,
    setup::Setup,
    stack::{Stack, Wiring},
};

/// How long a restart may take before the measurement fails.
const PATIENCE: Duration = Duration::from_secs(300);
const LISTENING: &str = "listening ";
const ATTEMPTED: &str = "attempted";

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let receiver = Receiver::start()?;
    let database = history::prepare(setup, &receiver.endpoint).await?;
    let (mut times, mut notes) = (Vec::new(), Vec::new());
    for _ in 0..setup.counts.restarts {
        history::make_overdue(&database)?;
        let Restart { answered, attempted } = restart(setup, &database, &receiver.endpoint).await?;
        times.push(answered.max(attempted).as_secs_f64() * 1e3);
        notes.push(format!("201 after {} ms, attempt after {} ms", answered.as_millis(), attempted.as_millis()));
    }
    Ok(Measured {
        values: vec![("restart_ms_1m", median(&times).context("nothing was restarted")?)],
        note: Some(format!("restart: {}", notes.join("; "))),
        facts: Vec::new(),
    })
}

/// When it served, counted from the start of the process.
struct Restart {
    answered: Duration,
    attempted: Duration,
}

async fn restart(setup: &Setup, database: &Path, receiver: &str) -> Result<Restart> {
    let begun = Instant::now();
    let (_host, mut lines) = start(setup, database, receiver)?;
    let (mut answered, mut attempted) = (None, None);
    let mut posting = tokio::task::JoinSet::new();
    while answered.is_none() || attempted.is_none() {
        let next = async {
            tokio::select! {
                line = lines.recv() => line.map(Heard::Line),
                Some(posted) = posting.join_next() => Some(Heard::Answer(posted)),
            }
        };
        match timeout(PATIENCE, next).await.context("the host does not serve")?.context("the host ended before it served")? {
            Heard::Line((at, line)) if line == ATTEMPTED => attempted = attempted.or(Some(at.duration_since(begun))),
            Heard::Line((_, line)) => {
                let address: SocketAddr = line.strip_prefix(LISTENING).context("the host said something else than where it listens")?.parse()?;
                let client = Client::new(address, "c-1");
                posting.spawn(async move { client.post().await.map(|()| Instant::now()) });
            }
            Heard::Answer(posted) => answered = Some(posted??.duration_since(begun)),
        }
    }
    match (answered, attempted) {
        (Some(answered), Some(attempted)) => Ok(Restart { answered, attempted }),
        _ => bail!("the host does not serve"),
    }
}

enum Heard {
    Line((Instant, String)),
    Answer(Result<Result<Instant>, tokio::task::JoinError>),
}

/// Killed without warning when it is dropped, as a crash would.
struct Host(Child);

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn start(setup: &Setup, database: &Path, receiver: &str) -> Result<(Host, mpsc::UnboundedReceiver<(Instant, String)>)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--directory").arg(&setup.directory).arg("serve-history").arg(database).arg(receiver);
    let mut host = Host(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("the host cannot be started")?);
    let output = host.0.stdout.take().context("the host has no output")?;
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send((Instant::now(), line)).is_err() {
                return;
            }
        }
    });
    Ok((host, lines))
}

/// The process that is started: serves the database until it is killed, and says when the first overdue order was asked after. The port is taken first, as
/// `serve` does; who connects early is answered when all is open.
pub(crate) async fn serve(setup: &Setup, database: &Path, receiver: &str) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say(&format!("{LISTENING}{}", listener.local_addr()?));
    let wiring = Wiring { database, pack: pack(), receiver, around: |runner| Arc::new(Announcing { runner, said: AtomicBool::new(false) }) };
    let stack = Stack::open(setup, wiring).await?;
    let mut serving = serve_orders(&stack, listener)?;
    match serving.join_next().await {
        Some(ended) => Ok(ended??),
        None => bail!("nothing is served"),
    }
}

fn say(line: &str) {
    // Whoever started this process may be gone; then it is about to be killed.
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Says when the first `resume` was answered.
struct Announcing {
    runner: Arc<dyn Runner>,
    said: AtomicBool,
}

impl fmt::Debug for Announcing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Announcing").field(&self.runner).finish()
    }
}

#[async_trait]
impl Runner for Announcing {
    async fn call(&self, call: Call) -> CallReport {
        let resumed = matches!(call.verb, Verb::Resume { .. });
        let report = self.runner.call(call).await;
        if resumed && report.answer.is_ok() && !self.said.swap(true, Ordering::Relaxed) {
            say(ATTEMPTED);
        }
        report
    }
}
