//! The configuration: one tree, read once, before anything is opened. An unknown key is refused with the nearest known one.

mod bindings;
mod cpe;
mod load;
mod secret;
mod tenants;
mod tokens;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

pub(crate) use self::{
    bindings::{BindingSettings, NATIVE, RuleSetting},
    cpe::{Cpe, Tls},
    load::{load, with_nearest},
    secret::{Given, callback_keys, hidden, resolve, seal_key, secret_text, shown, written_out_at},
    tenants::Tenants,
    tokens::{Role, Token},
};

/// The name of the token that the first start makes.
pub(crate) const ADMIN: &str = "admin";

/// Everything an operator decides. Paths are relative to the file they stand in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) http: Http,
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    pub(crate) runtime: plugin_runtime::Options,
    pub(crate) orders: orders::Options,
    /// Where devices contact the host. Default nowhere.
    pub(crate) cpe: Cpe,
    /// Tenants of a service. Default none.
    pub(crate) tenants: Option<Tenants>,
    pub(crate) telemetry: Telemetry,
    /// The plugins, by the name in their manifest.
    pub(crate) plugins: BTreeMap<String, Plugin>,
    /// How secrets are kept.
    pub(crate) secrets: Secrets,
    /// Whose plugins are taken. Default: nobody's.
    pub(crate) trust: package::TrustOptions,
    /// Where plugins come in beside the configuration.
    pub(crate) registry: Registry,
    /// Which plugin answers a contract, where more than one could: `"jackfield:order/inventory@1" = "inventory-pool"`, or a list of rules with `when` and
    /// `plugin` or `weights`. `policy` says when the providers of a run are chosen: `pin-run` (default) or `pin-step`.
    pub(crate) bindings: BTreeMap<String, serde_json::Value>,
    /// Who may sign callbacks instead of knowing their address: by the name of a plugin, the keys (`env:NAME` or `file:PATH`, of texts that begin with
    /// `whsec_`) that its messages may be signed with by Standard Webhooks; the second is for rotation. Default nobody.
    pub(crate) callbacks: BTreeMap<String, Vec<String>>,
    /// Named API tokens: the name is written into the audit trail. `{ blake3 = "...", roles = [...] }`: the hexadecimal hash of the token, and what may be
    /// done with it (`viewer`, `orders`, `operator`, `tenants`, `publisher`, `admin`). The hash alone is a token that may do everything; the start warns of it.
    pub(crate) tokens: BTreeMap<String, Token>,
}

/// How secrets are kept.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Secrets {
    /// The key with which plugins' texts are sealed: `env:NAME` or `file:PATH`, of 64 hexadecimal digits. Default none: no plugin can seal.
    pub(crate) seal_key: Option<String>,
    /// What grants that come in over the interface may refer to: `env:NAME`, `env:PREFIX*`, `file:PATH`, `file:FOLDER/` (everything below it). Default none but
    /// the references of the grants in this configuration.
    pub(crate) allow: Vec<String>,
}

/// The HTTP interface.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    /// Where to listen. Default 127.0.0.1:8640: nobody outside this machine. Port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// What callback addresses begin with, as the outside world reaches this host. Default: the address it listens on.
    pub(crate) public_url: Option<String>,
    /// How long a shutdown waits for calls to finish, in milliseconds. Default 10 s.
    pub(crate) drain_ms: u64,
    /// How long the head of a request may take to arrive, and its body, and how long a connection may be idle, in milliseconds. Default 30 s: the
    /// largest order over a line of 300 kbit/s.
    pub(crate) receive_ms: u64,
    /// How many connections there are at a time; more wait in the system's queue. Default 512: half of the files that a process may have
    /// open unless it is given more.
    pub(crate) max_connections: usize,
}

/// The embedded store.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Store {
    /// The database file; its directory is made with mode 0700. Default `jackfield-data/jackfield.db`.
    pub(crate) path: PathBuf,
    /// The size that the file may not exceed, in bytes; writes are refused as on a full disk. Default none.
    pub(crate) max_bytes: Option<u64>,
}

/// The engine.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Engine {
    /// How many runs are in memory at a time; more wait their turn. Default 4096.
    pub(crate) max_driven: usize,
    /// Whose runs come in over this host. Default `default`.
    pub(crate) tenant: String,
}

/// Where telemetry goes and in which form; `docs/telemetry.md` has the whole of it. What stands here wins over the `OTEL_*` environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Telemetry {
    /// The OTLP endpoint, such as `http://127.0.0.1:4318`. Default: `OTEL_EXPORTER_OTLP_ENDPOINT`, and nothing without it.
    pub(crate) otlp: Option<String>,
    /// `http/protobuf` (default) or `grpc`.
    pub(crate) protocol: Protocol,
    /// A file to which OTLP JSON lines are appended. Default none.
    pub(crate) file: Option<PathBuf>,
    /// The names of span attributes: `seed` (default; the customer's) or `seed+semconv` (beside them those of the semantic conventions that say the
    /// same). Names are added, never replaced.
    pub(crate) names: Names,
    /// The units of metrics: `seed` (default; milliseconds where the customer's names say so) or `semconv` (seconds).
    pub(crate) units: Units,
    /// Labels of `bss.order.count` that are off by default, each with the values that get series of their own; any other value is counted as `_other`:
    /// `product_offering = ["fibre-100"]`, `channel = ["web", "retail"]`. Default none.
    pub(crate) labels: BTreeMap<String, Vec<String>>,
    /// What happens to personal attributes: `emit` (default), `hash` or `drop`.
    pub(crate) pii: Pii,
    /// The share of runs whose spans are exported, by pipeline. Default 1.0.
    pub(crate) sampling: BTreeMap<String, f64>,
}

/// How OTLP is spoken.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) enum Protocol {
    #[default]
    #[serde(rename = "http/protobuf")]
    Http,
    #[serde(rename = "grpc")]
    Grpc,
}

/// The names of span attributes.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) enum Names {
    #[default]
    #[serde(rename = "seed")]
    Seed,
    #[serde(rename = "seed+semconv")]
    SeedAndSemconv,
}

/// The units of metrics.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Units {
    #[default]
    Seed,
    Semconv,
}

/// What happens to personal attributes.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pii {
    #[default]
    Emit,
    Hash,
    Drop,
}

/// The registry of plugins.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Registry {
    /// A folder whose `.wasm` files are installed as they come, and then moved to `installed` or `refused` in it. Default none.
    pub(crate) drop_folder: Option<PathBuf>,
}

/// One plugin.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plugin {
    /// The component.
    pub(crate) path: PathBuf,
    /// What it may reach. Default nothing.
    #[serde(default)]
    pub(crate) grant: serde_json::Value,
    /// Takes a version that is older than the newest one that was ever installed. Default false.
    #[serde(default)]
    pub(crate) allow_downgrade: bool,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8640)), public_url: None, drain_ms: 10_000, receive_ms: 30_000, max_connections: 512 }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { path: PathBuf::from("jackfield-data/jackfield.db"), max_bytes: None }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self { max_driven: 4096, tenant: "default".to_owned() }
    }
}

impl Config {
    /// Makes paths absolute: they are relative to the file they stand in.
    fn anchor(&mut self, directory: &Path) {
        let paths = [Some(&mut self.store.path), self.telemetry.file.as_mut(), self.runtime.cache_dir.as_mut(), self.registry.drop_folder.as_mut()];
        self.cpe.anchor(directory);
        if let Some(tenants) = &mut self.tenants {
            tenants.anchor(directory);
        }
        for path in paths.into_iter().flatten().chain(self.plugins.values_mut().map(|plugin| &mut plugin.path)) {
            *path = directory.join(&*path);
        }
    }

    /// The directory of the store, where the admin token and the compile cache are.
    pub(crate) fn data_directory(&self) -> &Path {
        self.store.path.parent().unwrap_or(Path::new("."))
    }
}
