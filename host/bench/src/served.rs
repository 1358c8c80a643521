//! The real binary, serving in a directory of its own, and a client of its interface.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// How long an answer may take before the measurement fails.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the host prints when it serves.
const SERVES: &str = "jackfield serves on ";

/// A serving host. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Served {
    process: Child,
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    token: String,
    /// From the start of the process until it said that it serves.
    pub(crate) started_in: Duration,
}

/// A plugin of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Configured {
    /// The name in its manifest.
    pub(crate) name: String,
    /// Its file.
    pub(crate) file: PathBuf,
    /// Its grant, as TOML.
    pub(crate) grant: String,
}

impl Configured {
    /// Writes a component into a directory.
    pub(crate) fn write(directory: &Path, name: &str, component: &[u8], grant: &str) -> Result<Self> {
        let file = directory.join(format!("{name}.wasm"));
        fs::write(&file, component).with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(Self { name: name.to_owned(), file, grant: grant.to_owned() })
    }
}

/// The configuration of a host that takes what nobody signed. `bindings` has lines of the table of that name.
pub(crate) fn configuration(plugins: &[Configured], bindings: &str) -> String {
    let mut text = "[http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"data/bench.db\"\n[trust]\nallow_unsigned = true\n".to_owned();
    for Configured { name, file, grant } in plugins {
        text.push_str(&format!("[plugins.{name}]\npath = {file:?}\n[plugins.{name}.grant]\n{grant}\n"));
    }
    text.push_str(&format!("[bindings]\n{bindings}\n"));
    text
}

impl Served {
    /// Starts the host in a directory that holds `jackfield.toml`.
    pub(crate) fn start(directory: &Path) -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("jackfield");
        ensure!(program.is_file(), "{} is missing; `cargo xtask bench` builds it", program.display());
        let begun = Instant::now();
        let log = fs::File::create(directory.join("host.log"))?;
        let mut process = Command::new(&program)
            .args(["serve", "--config", "jackfield.toml"])
            .current_dir(directory)
            .env("JACKFIELD_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let said = BufReader::new(process.stdout.take().context("the host has no output")?);
        let url = said.lines().map_while(Result::ok).find_map(|line| line.strip_prefix(SERVES).map(str::to_owned));
        let started_in = begun.elapsed();
        let Some(url) = url else {
            bail!("the host does not serve: {}", fs::read_to_string(directory.join("host.log")).unwrap_or_default().trim());
        };
        let token = fs::read_to_string(directory.join("data/admin-token")).context("the administrator's token cannot be read")?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { process, client, url, token: token.trim().to_owned(), started_in })
    }

    /// The process.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// A request; the status and the body of the answer, and the number of all matches if it is a list.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes, Option<u64>)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let exchange = async {
            let answer = self.client.request(request).await?;
            let (status, total) = (answer.status(), answer.headers().get("x-total-count").and_then(|total| total.to_str().ok()?.parse().ok()));
            anyhow::Ok((status, answer.into_body().collect().await?.to_bytes(), total))
        };
        tokio::time::timeout(PATIENCE, exchange).await.with_context(|| format!("{path} was not answered"))?
    }

    /// A request that must succeed, and how long it took.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Result<(Value, Duration)> {
        let begun = Instant::now();
        let (status, answer, _) = self.send(method, path, body.into()).await?;
        ensure!(status.is_success(), "{path} was answered with {status}: {}", String::from_utf8_lossy(&answer));
        Ok((serde_json::from_slice(&answer).unwrap_or_default(), begun.elapsed()))
    }

    /// Puts a version into service.
    pub(crate) async fn activate(&self, plugin: &str) -> Result<Duration> {
        let body = serde_json::json!({ "plugin": plugin }).to_string();
        Ok(self.ask(Method::POST, "/api/v1/plugins/activate", body).await?.1)
    }
}

/// The JSON that an address answers a GET with.
pub(crate) async fn fetch(url: &str) -> Result<Value> {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let answer = tokio::time::timeout(PATIENCE, client.get(url.parse()?)).await??;
    Ok(serde_json::from_slice(&answer.into_body().collect().await?.to_bytes())?)
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
