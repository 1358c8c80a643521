//! Vendor-like back ends over real HTTP on loopback, for the demo and for tests. Never part of the host.
//!
//! | back end | speaks | deduplicates |
//! |---|---|---|
//! | catalogue | TMF620 product and TMF633 service catalogue, read only | |
//! | element | a subset of RESTCONF (RFC 8040): GET, PUT, DELETE of list entries, entity tags | PUT is idempotent by nature |
//! | activation | a subset of TMF640 v4: POST answers 202 and a monitor | no: two POSTs make two services, as in TMF640 |
//! | billing | accounts over REST | by `Idempotency-Key`, as billing systems do |
//! | inventory | a subset of TMF639 v4: lists by any attribute, entity tags, merge patches | no: whoever has the entity tag reserves |
//! | device inventory | JSON: which customer has which device | by the identity of the device |
//! | profiles | JSON: what a customer has bought, passwords in plain text | no: every PATCH makes a new version |
//!
//! They know nothing of Jackfield. Each can be made to misbehave over HTTP, and keeps a ledger of what it really did:
//!
//! | request | effect |
//! |---|---|
//! | `POST /_lab/fail` | the next matching requests are answered with `status` (default 503), `headers` and `body` without any work; `bytes` makes a body of that size |
//! | `POST /_lab/delay` | they are answered `ms` milliseconds later |
//! | `POST /_lab/delay-answer` | the work is done, and the answer comes `ms` milliseconds later |
//! | `POST /_lab/drop-answer` | the work is done, then the connection is closed without an answer |
//! | `POST /_lab/twice` | the work is done once and the answer is sent twice on the connection |
//! | `POST /_lab/outcome` | what becomes of the next matching activations (activation only): `result` is `active`, `test-failed`, `inactive` or `in-error`; `ms` is how long it takes |
//! | `POST /_lab/finish` | every activation that is under way at the next request is over (activation only) |
//! | `POST /_lab/reset` | all switches are off, ledger and requests are forgotten; what was made stays |
//! | `GET /_lab/ledger` | every effect, in order: `action` (`created`, `replaced`, `deleted`, `reserved`, `released`), `resource`, `key` |
//! | `GET /_lab/requests` | the last 10,000 requests: `method`, `path`, `traceparent`, `idempotency_key` |
//!
//! A switch takes `count` (default 1; 0 means until reset) and the filters `method`, `path` and `body`: the request's path and body must contain them.
//! Of several switches that match, the oldest acts.
//!
//! [`device`] has what customers have at home: virtual devices that call an auto-configuration server. [`storm`] has many of them call at once.
//!
//! ```
//! use std::io::{Read, Write};
//!
//! # tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(async {
//! let lab = lab::Lab::start(lab::Options::default()).await.unwrap();
//! let billing = lab.urls().billing.trim_start_matches("http://").to_owned();
//! let answer = tokio::task::spawn_blocking(move || {
//!     let mut connection = std::net::TcpStream::connect(billing).unwrap();
//!     connection.write_all(b"GET /_lab/ledger HTTP/1.1\r\nhost: lab\r\nconnection: close\r\n\r\n").unwrap();
//!     let mut answer = String::new();
//!     connection.read_to_string(&mut answer).unwrap();
//!     answer
//! });
//! // Nothing has been billed yet.
//! assert!(answer.await.unwrap().contains("[]"));
//! # });
//! ```

mod backend;
mod control;
pub mod device;
mod reply;
mod server;
pub mod storm;
mod wire;

use std::{io, path::PathBuf, time::Duration};

use serde::Serialize;
use tokio::{net::TcpListener, task::JoinSet};

pub use self::backend::{Catalogue, CatalogueError};
use self::control::Control;

/// How a lab is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A file with the documents of the catalogue; none means the one that comes with the lab.
    pub catalogue: Option<PathBuf>,
    /// How long an activation takes unless a switch says otherwise. Zero answers 201 at once.
    pub activation: Duration,
    /// The ports of catalogue, element, activation, billing, inventory, device inventory and profiles; 0 lets the system choose.
    pub ports: [u16; 7],
}

/// Where the back ends are, in a form that programs read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Urls {
    /// The catalogue.
    pub catalogue: String,
    /// The network element.
    pub element: String,
    /// The activation system.
    pub activation: String,
    /// The billing system.
    pub billing: String,
    /// The resource inventory.
    pub inventory: String,
    /// The inventory of devices.
    pub device_inventory: String,
    /// The business system that knows what customers have bought.
    pub profiles: String,
}

/// The back ends, for as long as this lives.
#[derive(Debug)]
pub struct Lab {
    urls: Urls,
    // Dropping the set ends the servers with all their connections.
    _servers: JoinSet<()>,
}

/// Why a lab could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken.
    #[error("the {name} cannot listen on 127.0.0.1:{port}: {error}")]
    Bind {
        /// The back end.
        name: &'static str,
        /// Its port.
        port: u16,
        /// What the system said.
        error: io::Error,
    },
    /// The catalogue's documents cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

impl Lab {
    /// Starts all back ends on 127.0.0.1. When it returns, they accept connections.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let catalogue = Catalogue::load(options.catalogue.as_deref())?;
        let mut servers = JoinSet::new();
        let [catalogue_port, element, activation, billing, inventory, device_inventory, profiles] = options.ports;
        let urls = Urls {
            catalogue: start(&mut servers, "catalogue", catalogue_port, |_| backend::catalogue(catalogue)).await?,
            element: start(&mut servers, "element", element, backend::element).await?,
            activation: start(&mut servers, "activation", activation, |control| backend::activation(control, options.activation)).await?,
            billing: start(&mut servers, "billing", billing, backend::billing).await?,
            inventory: start(&mut servers, "inventory", inventory, backend::inventory).await?,
            device_inventory: start(&mut servers, "device inventory", device_inventory, backend::devices).await?,
            profiles: start(&mut servers, "profiles", profiles, backend::profiles).await?,
        };
        Ok(Self { urls, _servers: servers })
    }

    /// Where the back ends are.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }
}

async fn start(servers: &mut JoinSet<()>, name: &'static str, port: u16, routes: impl FnOnce(Control) -> axum::Router) -> Result<String, StartError> {
    let taken = |error| StartError::Bind { name, port, error };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(taken)?;
    let url = format!("http://{}", listener.local_addr().map_err(taken)?);
    let control = Control::default();
    let router = control.clone().around(routes(control));
    servers.spawn(server::serve(listener, router));
    Ok(url)
}
