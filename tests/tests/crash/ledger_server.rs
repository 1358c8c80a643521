//! The ledger as a server on loopback: one line asked, one line answered. It lives in the test's process, so that it survives the child's death.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::ledger::Ledger;

/// A ledger that listens until it is dropped.
#[derive(Debug)]
pub(crate) struct LedgerServer {
    ledger: Arc<Mutex<Ledger>>,
    pub(crate) address: SocketAddr,
    closed: Arc<AtomicBool>,
}

impl LedgerServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (ledger, closed) = (Arc::new(Mutex::new(Ledger::default())), Arc::new(AtomicBool::new(false)));
        let server = Self { ledger: ledger.clone(), address: listener.local_addr().unwrap(), closed: closed.clone() };
        thread::spawn(move || {
            for stream in listener.incoming().take_while(|_| !closed.load(Ordering::SeqCst)) {
                let ledger = ledger.clone();
                // A child that was killed leaves its connection broken: that is what it is for.
                thread::spawn(move || stream.and_then(|stream| serve(&stream, &ledger)));
            }
        });
        server
    }

    /// What is known now.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LedgerServer {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: &TcpStream, ledger: &Mutex<Ledger>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    for line in BufReader::new(stream).lines() {
        let mut answer = ledger.lock().unwrap_or_else(PoisonError::into_inner).answer(&line?);
        answer.push('\n');
        writer.write_all(answer.as_bytes())?;
    }
    Ok(())
}
