//! A back end that repeats what it is told: the whole request in the body, `x-secret` in a header; on one path it sends elsewhere, on another it cannot serve.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A server that lives as long as the test process.
#[derive(Debug)]
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    /// Listens on a port that is free.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let all = Arc::clone(&all);
                // What becomes of a connection that the host gives up does not matter here.
                thread::spawn(move || serve(stream, &all).ok());
            }
        });
        Self { address, received }
    }

    /// The requests so far, as they came.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, all: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut text, mut length) = (String::new(), 0);
    while !text.ends_with("\r\n\r\n") {
        let from = text.len();
        if reader.read_line(&mut text)? == 0 {
            return Ok(());
        }
        if let Some(given) = text[from..].to_lowercase().strip_prefix("content-length:") {
            length = given.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    text.push_str(&String::from_utf8_lossy(&body));
    all.lock().unwrap().push(text.clone());
    let secret = text.lines().find_map(|line| line.strip_prefix("x-secret: ")).unwrap_or("none");
    let mut stream = stream;
    if text.starts_with("GET /redirect ") {
        let location = "http://169.254.169.254/latest/meta-data/";
        return stream.write_all(format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes());
    }
    if text.starts_with("GET /down ") {
        return stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    }
    stream.write_all(format!("HTTP/1.1 200 OK\r\nx-echo: {secret}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len()).as_bytes())?;
    for piece in text.as_bytes().chunks(7) {
        stream.write_all(piece)?;
        stream.flush()?;
    }
    Ok(())
}
