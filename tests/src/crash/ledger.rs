//! The child's side of the ledger: one line asked, one line answered, over TCP. The ledger itself lives in the test's process and survives the child.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
    sync::Mutex,
};

/// A connection to the ledger.
#[derive(Debug)]
pub struct Ledger {
    stream: Mutex<BufStream<TcpStream>>,
}

impl Ledger {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: Mutex::new(BufStream::new(stream)) })
    }

    /// Asks one thing; the answer's words.
    pub async fn ask(&self, question: &str) -> Vec<String> {
        let mut answer = String::new();
        let mut stream = self.stream.lock().await;
        let exchanged = async {
            stream.write_all(format!("{question}\n").as_bytes()).await?;
            stream.flush().await?;
            stream.read_line(&mut answer).await
        };
        exchanged.await.expect("the ledger answers as long as the test runs");
        answer.split_whitespace().map(str::to_owned).collect()
    }

    /// Asks one thing whose answer is one word.
    pub async fn word(&self, question: &str) -> String {
        self.ask(question).await.into_iter().next().unwrap_or_default()
    }
}
