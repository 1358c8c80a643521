//! `extism_new_us`, `extism_warm_us`, `extism_ratio`: the same work in Extism, beside a call of this host, in turn.
//!
//! Extism brings an engine of its own, so it is measured in a process of its own (`peers/extism`), which `cargo xtask bench` builds. A call of this host has a
//! fresh instance; it is compared with a new plugin of the compiled form. A warm plugin keeps its memory from call to call: its row is shown, not compared.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    guest::{Guest, Unobserved},
    harness::{
        report::{Excused, Measured},
        rounds::{Contender, Timed, interleave},
    },
    setup::Setup,
};

/// A new plugin takes longer than a call, so fewer are made.
const FEWER_CALLS: usize = 10;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
    let (program, guest) = (folder.join("release/extism-peer"), folder.join("wasm32-wasip2/release/extism_guest.wasm"));
    let start = |kind| Peer::start(&program, &guest, kind);
    let (mut new, mut warm) = (start("new")?, start("warm")?);
    let guest = Guest::load(setup, setup.noop.clone()).await?;
    let mut ours = guest.caller(Arc::new(Unobserved), true)?;
    let (rounds, calls) = (setup.counts.rounds, (setup.counts.calls / FEWER_CALLS).max(1));
    let rounds = guest.runtime.spawn(async move { interleave(rounds, calls, &mut [&mut ours, &mut new, &mut warm]).await }).await??;
    Ok(Measured {
        values: vec![("extism_new_us", rounds.time(1)?), ("extism_warm_us", rounds.time(2)?), ("extism_ratio", rounds.ratio(0, 1)?)],
        note: Some(format!("Extism 1.41: {:.1} us new, {:.1} us warm; ours beside it {:.1} us", rounds.time(1)?, rounds.time(2)?, rounds.time(0)?)),
        facts: Vec::new(),
    })
}

/// The other process; it ends when it is dropped.
struct Peer {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    kind: &'static str,
}

impl Peer {
    fn start(program: &PathBuf, guest: &PathBuf, kind: &'static str) -> Result<Self> {
        if !program.is_file() || !guest.is_file() {
            let why = "target/peers does not hold the peer; `cargo xtask bench` builds it where a Rust of 1.96 or newer is installed";
            return Err(Excused(why.to_owned()).into());
        }
        let mut process = Command::new(program)
            .arg(guest)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let ask = process.stdin.take().context("the peer has no input")?;
        let answers = BufReader::new(process.stdout.take().context("the peer has no output")?);
        Ok(Self { process, ask, answers, kind })
    }

    fn calls(&mut self, calls: usize) -> Result<Duration> {
        writeln!(self.ask, "{} {calls}", self.kind).context("the peer ended")?;
        self.ask.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let nanoseconds = line.trim().parse().with_context(|| format!("the peer answered `{}`, expected nanoseconds", line.trim()))?;
        Ok(Duration::from_nanos(nanoseconds))
    }
}

impl Contender for Peer {
    fn round(&mut self, calls: usize) -> Timed<'_> {
        // Nothing else of this process has anything to do meanwhile, so a thread that waits harms nobody.
        Box::pin(async move { self.calls(calls) })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
