//! Something between devices and a host that is cut after so many answers.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
};

/// The relay, at an address that stays when hosts come and go.
pub(crate) struct Relay {
    shared: Arc<Shared>,
    pub(crate) url: String,
    _task: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Where the host is; nowhere when there is none.
    target: Mutex<Option<SocketAddr>>,
    /// After how many answers it is cut, and whether the device still hears the last one.
    cut: Mutex<Option<(u32, bool)>>,
    is_cut: Notify,
}

impl Relay {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let mut task = JoinSet::new();
        task.spawn(accept(listener, shared.clone()));
        Self { shared, url, _task: task }
    }

    /// Leads to this host.
    pub(crate) fn lead_to(&self, host: SocketAddr) {
        *self.shared.target.lock().unwrap() = Some(host);
    }

    /// Is cut after so many answers that are no challenges.
    pub(crate) fn cut_after(&self, answers: u32, heard: bool) {
        *self.shared.cut.lock().unwrap() = Some((answers, heard));
    }

    /// Is not cut any more.
    pub(crate) fn stay_whole(&self) {
        *self.shared.cut.lock().unwrap() = None;
    }

    /// Waits until it is cut.
    pub(crate) async fn is_cut(&self) {
        self.shared.is_cut.notified().await;
    }
}

impl Shared {
    /// Whether this answer is the last one, and whether it is heard.
    fn counts(&self, answer: &[u8]) -> Option<bool> {
        if !answer.starts_with(b"HTTP/1.1 ") || answer.starts_with(b"HTTP/1.1 401") {
            return None;
        }
        let mut cut = self.cut.lock().unwrap();
        let (left, heard) = cut.as_mut()?;
        *left -= 1;
        let (last, heard) = (*left == 0, *heard);
        if last {
            *cut = None;
            *self.target.lock().unwrap() = None;
            self.is_cut.notify_one();
        }
        last.then_some(heard)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (device, _) = listener.accept().await.unwrap();
        let target = *shared.target.lock().unwrap();
        if let Some(target) = target {
            connections.spawn(pump(device, target, shared.clone()));
        }
    }
}

async fn pump(mut device: TcpStream, target: SocketAddr, shared: Arc<Shared>) {
    let Ok(mut host) = TcpStream::connect(target).await else { return };
    let (mut said, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            Ok(read @ 1..) = device.read(&mut said) => {
                if host.write_all(&said[..read]).await.is_err() {
                    return;
                }
            }
            Ok(read @ 1..) = host.read(&mut answered) => {
                let last = shared.counts(&answered[..read]);
                if last == Some(false) || device.write_all(&answered[..read]).await.is_err() || last.is_some() {
                    return;
                }
            }
            else => return,
        }
    }
}
