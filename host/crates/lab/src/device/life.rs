//! The life of a device that nobody leads by the hand: it boots, informs, repeats what failed, and comes when it is called.

use std::time::Duration;

use tokio::{net::TcpListener, task::JoinSet, time::Instant};

use super::{
    Device, DeviceError, Inner,
    report::{End, SessionReport},
    wake,
};

/// The longest wait before a session is repeated, in doublings.
const MAX_DOUBLINGS: u32 = 8;

/// Hears connection requests for as long as it lives.
#[derive(Debug)]
pub struct Listener {
    _task: JoinSet<()>,
}

impl Device {
    /// Begins to listen for connection requests on a free port of 127.0.0.1, and knows its address from now on.
    pub async fn listen(&self) -> Result<Listener, DeviceError> {
        let failed = |error| DeviceError::Listen { device: self.0.options.username(), error };
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        self.0.state().tree.url = format!("http://{address}/{}", self.0.options.username());
        let mut task = JoinSet::new();
        task.spawn(wake::serve(self.clone(), listener));
        Ok(Listener { _task: task })
    }

    /// Waits until the device has something to tell: a connection request, a boot, a change.
    pub async fn woken(&self) {
        self.0.woken.notified().await;
    }

    /// Lives until it is dropped: listens, boots, informs at its intervals, repeats what failed. `seen` hears of every session.
    pub async fn run(&self, mut seen: impl FnMut(&SessionReport) + Send) -> Result<(), DeviceError> {
        let _listener = self.listen().await?;
        if !self.0.state().bootstrapped {
            self.0.state().happened("0 BOOTSTRAP", "");
        }
        self.0.state().happened("1 BOOT", "");
        let mut informed = Instant::now();
        loop {
            if !self.0.state().pending.is_empty() {
                informed = Instant::now();
                let report = self.session(&[]).await?;
                seen(&report);
                self.rest(&report.ended).await;
                continue;
            }
            let next = self.0.next(informed);
            tokio::select! {
                () = self.woken() => {}
                () = tokio::time::sleep_until(next.at) => {
                    if next.periodic {
                        self.0.state().happened("2 PERIODIC", "");
                    }
                    self.transfer().await;
                    self.schedule();
                }
            }
        }
    }

    /// What a device does after a session before it may begin another.
    async fn rest(&self, ended: &End) {
        let (retries, retry) = (self.0.state().retries, self.0.options.retry);
        let pause = match ended {
            End::Done => {
                let booted = self.0.state().pending.iter().any(|event| event.code == "1 BOOT");
                if booted { self.0.options.reboot } else { Duration::ZERO }
            }
            End::Rebooted => self.0.options.reboot,
            End::Busy(Some(seconds)) => Duration::from_secs(*seconds),
            End::Busy(None) | End::Refused(_) | End::Fault(_) | End::Lost(_) | End::TimedOut | End::Unexpected(_) | End::Vanished => {
                retry * 2_u32.pow(retries.saturating_sub(1).min(MAX_DOUBLINGS))
            }
        };
        if *ended != End::Done && *ended != End::Rebooted && self.0.state().pending.is_empty() {
            // The Inform was answered: what was to be told is told, and the session is repeated all the same.
            self.0.state().happened("2 PERIODIC", "");
        }
        tokio::time::sleep(pause).await;
    }
}

/// When something happens by itself.
struct Next {
    at: Instant,
    periodic: bool,
}

impl Inner {
    fn next(&self, informed: Instant) -> Next {
        let state = self.state();
        let enabled = matches!(self.managed(&state, "PeriodicInformEnable").as_str(), "1" | "true");
        let interval = self.managed(&state, "PeriodicInformInterval").parse().ok().filter(|_| enabled);
        // Without an interval it looks around once a day, and says nothing.
        let periodic = informed + Duration::from_secs(interval.unwrap_or(86_400));
        let due = state.transfers.iter().map(|transfer| transfer.due).chain(state.scheduled.iter().map(|(at, _)| *at)).min();
        match due {
            Some(at) if at < periodic => Next { at, periodic: false },
            _ => Next { at: periodic, periodic: interval.is_some() },
        }
    }
}
