//! The environment variables of the OpenTelemetry specification, those included that the SDK does not read itself.
//!
//! `OTEL_RESOURCE_ATTRIBUTES` and the endpoint, header and compression variables of the OTLP exporters are read by the SDK.

use std::{str::FromStr, time::Duration};

use crate::{
    error::TelemetryError,
    options::{ExporterOptions, Options, Target},
    policy::Exceptions,
    sampler::Sampling,
};

/// What the environment says, parsed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Env {
    disabled: bool,
    traces: Option<Vec<Choice>>,
    metrics: Option<Vec<Choice>>,
    logs: Option<Vec<Choice>>,
    protocol: Option<Protocol>,
    endpoint: bool,
    timeout: Option<Duration>,
    propagators: Option<Vec<String>>,
    max_value_bytes: Option<usize>,
    exceptions: Option<Exceptions>,
    sampler: Option<Sampling>,
    metric_interval: Option<Duration>,
    batch_delay: Option<Duration>,
    queue: Option<usize>,
    batch: Option<usize>,
    service_name: Option<String>,
}

/// A value of `OTEL_{TRACES,METRICS,LOGS}_EXPORTER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Otlp,
    Prometheus,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Grpc,
    Http,
}

impl Env {
    /// Reads variables through `get`, which the host gives: it alone reads the environment. An empty variable is as if it were absent.
    ///
    /// # Errors
    /// [`TelemetryError::Environment`] names a variable that is not understood.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, TelemetryError> {
        let get = |name: &str| get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, get(name)?)));
        Ok(Self {
            // The specification: only `true` in any case is true.
            disabled: get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            traces: get("OTEL_TRACES_EXPORTER").map(|value| choices("OTEL_TRACES_EXPORTER", &value)).transpose()?,
            metrics: get("OTEL_METRICS_EXPORTER").map(|value| choices("OTEL_METRICS_EXPORTER", &value)).transpose()?,
            logs: get("OTEL_LOGS_EXPORTER").map(|value| choices("OTEL_LOGS_EXPORTER", &value)).transpose()?,
            protocol: first(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"])
                .map(|(name, value)| protocol(name, &value))
                .transpose()?,
            endpoint: first(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]).is_some(),
            timeout: millis("OTEL_EXPORTER_OTLP_TIMEOUT", get("OTEL_EXPORTER_OTLP_TIMEOUT"))?,
            propagators: get("OTEL_PROPAGATORS").map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()).collect()),
            max_value_bytes: first(["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"])
                .map(|(name, value)| number(name, &value, "a number of bytes"))
                .transpose()?,
            exceptions: get("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN").and_then(|value| exceptions(&value)),
            sampler: get("OTEL_TRACES_SAMPLER").map(|name| sampler(&name, get("OTEL_TRACES_SAMPLER_ARG"))).transpose()?,
            metric_interval: millis("OTEL_METRIC_EXPORT_INTERVAL", get("OTEL_METRIC_EXPORT_INTERVAL"))?,
            batch_delay: millis("OTEL_BSP_SCHEDULE_DELAY", get("OTEL_BSP_SCHEDULE_DELAY"))?,
            queue: count("OTEL_BSP_MAX_QUEUE_SIZE", get("OTEL_BSP_MAX_QUEUE_SIZE"))?,
            batch: count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"))?,
            service_name: get("OTEL_SERVICE_NAME"),
        })
    }

    /// Whether the W3C trace context of callers is taken over and that of calls is handed on. It is the only propagator there is: baggage is neither
    /// read nor sent, so naming or leaving out any other changes nothing. A disabled SDK has no span that could be anybody's parent.
    fn propagates(&self) -> bool {
        !self.disabled && self.propagators.as_ref().is_none_or(|names| names.iter().any(|name| name == "tracecontext"))
    }

    /// Lets the environment change what the configuration says.
    pub fn apply(&self, options: &mut Options, sampling: &mut Sampling) {
        self.exporters(options);
        options.propagates &= self.propagates();
        options.service_name = self.service_name.clone().unwrap_or_else(|| options.service_name.clone());
        let delivery = &mut options.delivery;
        delivery.metric_interval = self.metric_interval.unwrap_or(delivery.metric_interval);
        delivery.delay = self.batch_delay.unwrap_or(delivery.delay);
        delivery.live_queue = self.queue.unwrap_or(delivery.live_queue);
        delivery.max_batch = self.batch.unwrap_or(delivery.max_batch).min(delivery.live_queue);
        // A limit of the environment makes values shorter, never longer than ours.
        options.policy.max_value_bytes =
            self.max_value_bytes.map_or(options.policy.max_value_bytes, |limit| limit.min(options.policy.max_value_bytes));
        options.policy.exceptions = self.exceptions.unwrap_or(options.policy.exceptions);
        if let Some(sampler) = &self.sampler {
            // Shares that the configuration names stay.
            (sampling.default, sampling.parent_based) = (sampler.default, sampler.parent_based);
        }
        if self.disabled {
            *sampling = Sampling { default: 0.0, pipelines: std::collections::BTreeMap::new(), parent_based: false };
        }
    }

    fn exporters(&self, options: &mut Options) {
        let has_otlp = options.exporters.iter().any(|exporter| !matches!(exporter.target, Target::File { .. }));
        let wanted = |choices: &Option<Vec<Choice>>| choices.as_ref().is_some_and(|choices| choices.contains(&Choice::Otlp));
        if !has_otlp && (wanted(&self.traces) || wanted(&self.metrics) || wanted(&self.logs) || self.endpoint) {
            let target = match self.protocol {
                Some(Protocol::Grpc) => Target::OtlpGrpc { endpoint: None },
                Some(Protocol::Http) | None => Target::OtlpHttp { endpoint: None },
            };
            options.exporters.push(ExporterOptions::new("otlp", target));
        }
        let allowed = |choices: &Option<Vec<Choice>>| choices.as_ref().is_none_or(|choices| choices.contains(&Choice::Otlp));
        for exporter in &mut options.exporters {
            exporter.traces &= allowed(&self.traces);
            exporter.metrics &= allowed(&self.metrics);
            exporter.logs &= allowed(&self.logs);
            exporter.timeout = self.timeout.unwrap_or(exporter.timeout);
        }
        options.exporters.retain(|exporter| !self.disabled && (exporter.traces || exporter.metrics || exporter.logs));
    }
}

fn choices(name: &'static str, value: &str) -> Result<Vec<Choice>, TelemetryError> {
    let choice = |word: &str| match word.trim().to_ascii_lowercase().as_str() {
        "otlp" => Ok(Choice::Otlp),
        "prometheus" => Ok(Choice::Prometheus),
        "none" => Ok(Choice::None),
        _ => Err(refuse(name, word, "otlp, prometheus or none, separated by commas")),
    };
    value.split(',').map(choice).collect()
}

fn protocol(name: &'static str, value: &str) -> Result<Protocol, TelemetryError> {
    match value.to_ascii_lowercase().as_str() {
        "grpc" => Ok(Protocol::Grpc),
        "http/protobuf" => Ok(Protocol::Http),
        _ => Err(refuse(name, value, "grpc or http/protobuf")),
    }
}

/// The variable is a list of stabilisation opt-ins; what it does not name keeps its default.
fn exceptions(value: &str) -> Option<Exceptions> {
    value.split(',').find_map(|word| match word.trim() {
        "logs" => Some(Exceptions::Logs),
        "logs/dup" => Some(Exceptions::Both),
        _ => None,
    })
}

fn sampler(name: &str, argument: Option<String>) -> Result<Sampling, TelemetryError> {
    let share = || match &argument {
        None => Ok(1.0),
        Some(value) => number::<f64>("OTEL_TRACES_SAMPLER_ARG", value, "a number from 0 to 1").and_then(|share| {
            (0.0..=1.0).contains(&share).then_some(share).ok_or_else(|| refuse("OTEL_TRACES_SAMPLER_ARG", value, "a number from 0 to 1"))
        }),
    };
    let sampling = |default, parent_based| Sampling { default, pipelines: std::collections::BTreeMap::new(), parent_based };
    match name.to_ascii_lowercase().as_str() {
        "always_on" => Ok(sampling(1.0, false)),
        "always_off" => Ok(sampling(0.0, false)),
        "traceidratio" => Ok(sampling(share()?, false)),
        "parentbased_always_on" => Ok(sampling(1.0, true)),
        "parentbased_always_off" => Ok(sampling(0.0, true)),
        "parentbased_traceidratio" => Ok(sampling(share()?, true)),
        _ => Err(refuse("OTEL_TRACES_SAMPLER", name, "always_on, always_off, traceidratio, or one of them with parentbased_ before it")),
    }
}

fn millis(name: &'static str, value: Option<String>) -> Result<Option<Duration>, TelemetryError> {
    value.map(|value| number(name, &value, "a number of milliseconds").map(Duration::from_millis)).transpose()
}

fn count(name: &'static str, value: Option<String>) -> Result<Option<usize>, TelemetryError> {
    let parsed = value.map(|value| number::<usize>(name, &value, "a number from 1").map(|count| (count, value)));
    match parsed.transpose()? {
        Some((0, value)) => Err(refuse(name, &value, "a number from 1")),
        parsed => Ok(parsed.map(|(count, _)| count)),
    }
}

fn number<T: FromStr>(name: &'static str, value: &str, expected: &'static str) -> Result<T, TelemetryError> {
    value.parse().map_err(|_| refuse(name, value, expected))
}

fn refuse(name: &'static str, given: &str, expected: &'static str) -> TelemetryError {
    TelemetryError::Environment { name, given: given.chars().take(64).collect(), expected }
}
