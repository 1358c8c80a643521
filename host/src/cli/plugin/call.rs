//! `jackfield plugin call`: one call through the real runtime, with its limits, its grants and its span; no pipeline, no journal.

mod keys;
mod report;
mod span;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use engine::port::{Call, Runner, Signal, SpanContext, Verb};
use pipeline::{AttemptId, ContractTrack, Direction, IdempotencyKey, ItemId, Pin, PipelineName, Revision, RunId, StepName, TenantName};
use plugin_runtime::{Grant, Options, Plugin, Plugins, WasmRunner};
use serde_json::Value;

use super::{read, runtime};
use crate::{
    cli::{client::read_input, directory_of, exit::Problem},
    config,
};

/// The largest input, in bytes.
const MAX_INPUT: usize = 1 << 20;

/// One call of a plugin.
#[derive(Debug, Args)]
pub(in crate::cli) struct CallOnce {
    /// The component: a `.wasm` file.
    file: PathBuf,
    /// The contract, such as jackfield:order/inventory@1; `auto` takes the only one that the plugin answers.
    #[arg(long, default_value = "auto")]
    contract: String,
    /// The function to call.
    #[arg(long, default_value = "apply")]
    verb: VerbArgument,
    /// What it is called with, as JSON or as @FILE: the request, for undo the receipt, for resume {"checkpoint": TEXT, "signal": "timer" | "cancel" |
    /// {"callback": TEXT}}.
    #[arg(long, value_name = "JSON|@FILE")]
    input: String,
    /// The name from which the idempotency key is derived: the same name gives the same key.
    #[arg(long, default_value = "once", value_name = "NAME")]
    key: String,
    /// Grant what this TOML file says: the content of a [plugins.NAME.grant] table.
    #[arg(long, value_name = "FILE.toml", conflicts_with = "config")]
    grant: Option<PathBuf>,
    /// Grant what this configuration grants to the plugin, and use its limits.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep the plugin's keys in this JSON file from call to call. Without it they are forgotten.
    #[arg(long, value_name = "FILE.json")]
    keys: Option<PathBuf>,
    /// How long the call may take, in milliseconds.
    #[arg(long, default_value_t = 30_000, value_name = "MS")]
    timeout_ms: u64,
    /// Print outcome and span as one JSON document, instead of the outcome alone with the span as text on standard error.
    #[arg(long)]
    json: bool,
}

/// The functions of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum VerbArgument {
    /// Do the work.
    Apply,
    /// Go on with what is pending.
    Resume,
    /// Look whether the effect is there.
    Observe,
    /// Take the effect back.
    Undo,
}

impl CallOnce {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let input = self.read_input()?;
        let bytes = read(&self.file)?;
        let (grant, options) = self.granted(&bytes).await?;
        let runtime = runtime(options)?;
        let plugin = runtime.load(bytes, &grant).await.with_context(|| self.file.display().to_string())?;
        let call = self.call(&plugin, input)?;
        let keys = Arc::new(keys::Keys::open(self.keys.clone())?);
        let recorder = Arc::new(span::Recorder::default());
        let plugins = Plugins::default();
        plugins.add(plugin);
        let report = WasmRunner::new(runtime, plugins, keys.clone(), recorder.clone()).call(call).await;
        keys.commit(&report.writes)?;
        report::print(&report, &recorder.take(), self.json)
    }

    fn read_input(&self) -> anyhow::Result<Value> {
        let text = match self.input.strip_prefix('@') {
            Some(file) => read_input(file, MAX_INPUT)?,
            None => self.input.clone().into_bytes(),
        };
        serde_json::from_slice(&text).context("--input is not JSON: expected JSON or @FILE")
    }

    /// What the plugin may reach, and the runtime's settings.
    async fn granted(&self, bytes: &[u8]) -> anyhow::Result<(Grant, Options)> {
        let (grant, directory, options) = match (&self.grant, &self.config) {
            (Some(file), _) => {
                let text = String::from_utf8(read(file)?).with_context(|| format!("{} is not UTF-8", file.display()))?;
                let grant: Value = toml::from_str(&text).with_context(|| file.display().to_string())?;
                (grant, directory_of(file), Options::default())
            }
            (None, Some(file)) => {
                let config = config::load(file)?;
                let name = runtime(Options::default())?.check(bytes.to_vec()).await.with_context(|| self.file.display().to_string())?.manifest.name;
                let Some(plugin) = config.plugins.get(&name) else { bail!("{}: there is no [plugins.{name}]", file.display()) };
                let options = Options { seal_key: config::seal_key(&config.secrets, &directory_of(file))?, ..config.runtime };
                (plugin.grant.clone(), directory_of(file), options)
            }
            (None, None) => (Value::Null, PathBuf::new(), Options::default()),
        };
        let resolved = config::resolve(&grant, &directory)?;
        let grant = if resolved.is_null() { Grant::default() } else { serde_json::from_value(resolved).context("grant")? };
        Ok((grant, options))
    }

    fn call(&self, plugin: &Plugin, input: Value) -> anyhow::Result<Call> {
        let pin = self.pin(plugin)?;
        let item = ItemId { step: StepName::new("call").context("step")?, item: 0, round: 1 };
        let direction = if self.verb == VerbArgument::Undo { Direction::Undo } else { Direction::Do };
        let tenant = TenantName::new("default").context("tenant")?;
        let name = blake3::hash(self.key.as_bytes()).to_hex();
        let run = RunId::new(format!("{}-{}-{}-{}-{}", &name[..8], &name[8..12], &name[12..16], &name[16..20], &name[20..32])).context("run")?;
        let key = IdempotencyKey::derive(&tenant, &run, &item, direction);
        let (verb, request) = self.verb(input)?;
        Ok(Call {
            tenant,
            run,
            pipeline: PipelineName::new("call").context("pipeline")?,
            revision: Revision::new("0".repeat(64)).context("revision")?,
            attempt: AttemptId { item, direction, attempt: 1 },
            label: String::new(),
            key,
            pin: pin.into(),
            verb,
            request: Arc::new(request),
            must_understand: &[],
            timeout: Duration::from_millis(self.timeout_ms),
            callback: None,
            span: SpanContext { trace_id: name[..32].to_owned(), span_id: name[32..48].to_owned(), sampled: true, trace_state: String::new() },
        })
    }

    fn pin(&self, plugin: &Plugin) -> anyhow::Result<Pin> {
        let tracks: Vec<&ContractTrack> = plugin.contracts().iter().map(|contract| &contract.track).collect();
        let names = || tracks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let track = match (self.contract.as_str(), tracks.as_slice()) {
            ("auto", [only]) => (*only).clone(),
            ("auto", _) => return Err(Problem::Usage(format!("the plugin answers several contracts: name one with --contract: {}", names())).into()),
            (named, _) => named.parse().map_err(|error| Problem::Usage(format!("--contract: {error}")))?,
        };
        plugin.pin(&track).with_context(|| format!("the plugin does not answer {track}; it answers {}", names()))
    }

    /// The verb with what belongs to it, and the request.
    fn verb(&self, input: Value) -> anyhow::Result<(Verb, Value)> {
        Ok(match self.verb {
            VerbArgument::Apply => (Verb::Apply, input),
            VerbArgument::Observe => (Verb::Observe, input),
            VerbArgument::Undo => (Verb::Undo { receipt: input.into() }, Value::Null),
            VerbArgument::Resume => {
                let expected = "--input of resume: expected {\"checkpoint\": TEXT, \"signal\": \"timer\" | \"cancel\" | {\"callback\": TEXT}}";
                let checkpoint = input["checkpoint"].as_str().context(expected)?.to_owned();
                let signal = match (input["signal"].as_str(), input["signal"]["callback"].as_str()) {
                    (Some("timer"), _) => Signal::Timer,
                    (Some("cancel"), _) => Signal::Cancel,
                    (None, Some(body)) => Signal::Callback(body.to_owned()),
                    _ => bail!(expected),
                };
                (Verb::Resume { checkpoint, signal }, Value::Null)
            }
        })
    }
}
