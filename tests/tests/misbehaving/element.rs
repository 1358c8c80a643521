//! A network element over real HTTP that takes effects and, on one path, answers a byte at a time.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A server that lives as long as the test process.
#[derive(Debug)]
pub(crate) struct Element {
    address: SocketAddr,
    effects: Arc<AtomicUsize>,
}

impl Element {
    /// Listens on a port that is free.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let effects = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&effects);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let counted = Arc::clone(&counted);
                // What becomes of a connection that the host gives up does not matter here.
                thread::spawn(move || serve(stream, &counted).ok());
            }
        });
        Self { address, effects }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many effects it took.
    pub(crate) fn effects(&self) -> usize {
        self.effects.load(Ordering::SeqCst)
    }
}

fn serve(stream: TcpStream, effects: &AtomicUsize) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (first, length) = head(&mut reader)?;
    std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
    if first.starts_with("PUT ") {
        effects.fetch_add(1, Ordering::SeqCst);
    }
    if first.contains(" /drip ") {
        return drip(stream);
    }
    (&stream).write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
}

/// The request line and the length of the body.
fn head(reader: &mut impl std::io::BufRead) -> std::io::Result<(String, u64)> {
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    for line in reader.lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(number) = line.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap_or(0);
        }
    }
    Ok((first, length))
}

/// Promises a megabyte and sends it a byte at a time: no pause is long, and the end is hours away.
fn drip(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")?;
    loop {
        stream.write_all(b".")?;
        thread::sleep(Duration::from_millis(10));
    }
}
