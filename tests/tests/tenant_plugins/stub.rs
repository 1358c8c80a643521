//! A vendor of HTTP on loopback that answers what a test says, and remembers what it was asked.

use std::{
    convert::Infallible,
    io,
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) method: String,
    /// The path with the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, headers and body.
    Says(u16, Vec<(&'static str, String)>, String),
    /// The connection ends without one.
    Cut,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Says(status, vec![("content-type", "application/json".to_owned())], body.to_string())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Says(status, Vec::new(), String::new())
    }
}

type Answering = dyn Fn(&Heard) -> Reply + Send + Sync;

/// A server that lives as long as the test process.
#[derive(Debug, Clone)]
pub(crate) struct Stub {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Stub {
    /// Listens on a port that is free.
    pub(crate) fn start(answering: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (all, answering): (_, Arc<Answering>) = (Arc::clone(&heard), Arc::new(answering));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (all, answering) = (Arc::clone(&all), Arc::clone(&answering));
                // What becomes of a connection that was cut does not matter here.
                thread::spawn(move || serve(stream, &all, &*answering).ok());
            }
        });
        Self { url, heard }
    }

    /// The requests so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, all: &Mutex<Vec<Heard>>, answering: &Answering) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream)?);
        let service = service_fn(|request| answer(request, all, answering));
        http1::Builder::new().serve_connection(stream, service).await.map_err(io::Error::other)
    })
}

/// An error ends the connection.
async fn answer(request: Request<Incoming>, all: &Mutex<Vec<Heard>>, answering: &Answering) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let heard = Heard { method: parts.method.to_string(), path, headers: parts.headers, body };
    all.lock().unwrap().push(heard.clone());
    let Reply::Says(status, headers, body) = answering(&heard) else { return Err(io::ErrorKind::ConnectionAborted.into()) };
    let response = headers.into_iter().fold(Response::builder().status(status), |response, (name, value)| response.header(name, value));
    Ok::<_, Infallible>(response.body(Full::from(body)).unwrap()).map_err(io::Error::other)
}
