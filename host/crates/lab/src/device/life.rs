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
                () = until(next.at) => {
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

/// When something happens by itself; `None` if nothing does.
#[derive(Debug, PartialEq, Eq)]
struct Next {
    at: Option<Instant>,
    periodic: bool,
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl Inner {
    fn next(&self, informed: Instant) -> Next {
        let state = self.state();
        let enabled = matches!(self.managed(&state, "PeriodicInformEnable").as_str(), "1" | "true");
        let interval = self.managed(&state, "PeriodicInformInterval").parse::<u32>().ok().filter(|_| enabled);
        let periodic = interval.map(|seconds| informed + Duration::from_secs(seconds.into()));
        let due = state.transfers.iter().map(|transfer| transfer.due).chain(state.scheduled.iter().map(|(at, _)| *at)).min();
        match (due, periodic) {
            (Some(at), None) => Next { at: Some(at), periodic: false },
            (Some(at), Some(periodic)) if at < periodic => Next { at: Some(at), periodic: false },
            (_, at) => Next { at, periodic: at.is_some() },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Next;
    use crate::device::{Device, DeviceOptions};

    #[test]
    fn only_what_is_to_come_is_waited_for() {
        let device = Device::new(DeviceOptions::default());
        let informed = Instant::now();
        let (soon, later) = (informed + Duration::from_secs(10), informed + Duration::from_secs(86_400));
        assert_eq!(device.0.next(informed), Next { at: Some(later), periodic: true });
        device.change("Device.ManagementServer.PeriodicInformEnable", "0");
        assert_eq!(device.0.next(informed), Next { at: None, periodic: false }, "nothing is to come, on no day");
        device.0.state().scheduled.push((soon, "k".to_owned()));
        assert_eq!(device.0.next(informed), Next { at: Some(soon), periodic: false });
        device.change("Device.ManagementServer.PeriodicInformEnable", "1");
        assert_eq!(device.0.next(informed), Next { at: Some(soon), periodic: false });
    }
}
