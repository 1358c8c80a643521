//! A proxy that cuts a connection at its COMMIT, and can keep later ones out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// When the connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server does not hear of the COMMIT.
    Before,
    /// The server has answered it, the client does not hear that.
    After,
}

#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    /// The next COMMIT is the one.
    pub(crate) armed: Arc<AtomicBool>,
    /// Whether anybody is served.
    pub(crate) open: Arc<AtomicBool>,
    _serving: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn start(server: u16, cut: Cut, shut_after: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (armed, open) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
        let mut serving = JoinSet::new();
        let (is_armed, is_open) = (Arc::clone(&armed), Arc::clone(&open));
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                if is_open.load(Ordering::SeqCst) {
                    let (armed, open) = (Arc::clone(&is_armed), Arc::clone(&is_open));
                    connections.spawn(pass(client, server, cut, armed, open, shut_after));
                }
            }
        });
        Self { port, armed, open, _serving: serving }
    }
}

/// Passes bytes on until either side ends, or the COMMIT comes.
async fn pass(mut client: TcpStream, server: u16, cut: Cut, armed: Arc<AtomicBool>, open: Arc<AtomicBool>, shut_after: bool) {
    let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(length @ 1..) = read else { return };
                let bytes = &from_client[..length];
                let commits = bytes.windows(7).any(|seven| seven == b"COMMIT\0");
                if commits && armed.swap(false, Ordering::SeqCst) {
                    if shut_after {
                        open.store(false, Ordering::SeqCst);
                    }
                    if cut == Cut::After {
                        server.write_all(bytes).await.unwrap();
                        assert_ne!(server.read(&mut from_server).await.unwrap(), 0);
                    }
                    return;
                }
                if server.write_all(bytes).await.is_err() { return }
            }
            read = server.read(&mut from_server) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&from_server[..length]).await.is_err() { return }
            }
        }
    }
}
