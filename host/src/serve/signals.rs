//! The signals that end a host, and one that must not.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGXFSZ: a file has reached the size that this process may write (`ulimit -f`). Linux, except on MIPS and PA-RISC.
const FILE_TOO_LARGE: i32 = 25;

/// SIGTERM and SIGINT. From the moment this exists they no longer end the process by themselves.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> anyhow::Result<Self> {
        let listen = |kind, name| signal(kind).with_context(|| format!("{name} cannot be caught"));
        Ok(Self { terminate: listen(SignalKind::terminate(), "SIGTERM")?, interrupt: listen(SignalKind::interrupt(), "SIGINT")? })
    }

    /// The name of the next one.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Makes a file that may not grow an error of the write, which the store waits out like a full disk, instead of the end of the process.
pub(super) fn survive_file_size_limit() {
    // The handler stays when its receiver is dropped, and does nothing. Where it cannot be set, the limit ends the process as it always did.
    drop(signal(SignalKind::from_raw(FILE_TOO_LARGE)));
}
