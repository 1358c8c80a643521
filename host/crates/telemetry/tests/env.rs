//! The environment variables of the specification, one by one.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{collections::HashMap, sync::Arc, time::Duration};

use telemetry::{Env, ExporterOptions, Options, Sampling, Target, policy::Exceptions};

fn read(variables: &[(&str, &str)]) -> Result<Env, String> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    Env::read(|name| variables.get(name).map(|value| (*value).to_owned())).map_err(|error| error.to_string())
}

/// The configured file exporter and what the variables make of it.
fn applied(variables: &[(&str, &str)]) -> (Options, Sampling) {
    let file = Target::File { traces: "spans.jsonl".into(), metrics: None, logs: None, max_bytes: 1 };
    let mut options = common::options(&Arc::default(), vec![ExporterOptions::new("file", file)]);
    let mut sampling = Sampling::default();
    read(variables).unwrap().apply(&mut options, &mut sampling);
    (options, sampling)
}

fn names(options: &Options) -> Vec<&str> {
    options.exporters.iter().map(|exporter| exporter.name.as_str()).collect()
}

#[test]
fn an_empty_environment_changes_nothing() {
    let (options, sampling) = applied(&[("OTEL_SDK_DISABLED", ""), ("OTEL_TRACES_EXPORTER", " ")]);
    assert_eq!((names(&options), sampling, options.propagates), (vec!["file"], Sampling::default(), true));
}

#[test]
fn a_disabled_sdk_exports_and_samples_nothing() {
    let (options, sampling) = applied(&[("OTEL_SDK_DISABLED", "TRUE")]);
    assert!(options.exporters.is_empty());
    let order = pipeline::PipelineName::new("order").unwrap();
    assert!(!sampling.decide(&order, None));
    assert_eq!(names(&applied(&[("OTEL_SDK_DISABLED", "1")]).0), ["file"], "only `true` is true");
}

#[test]
fn exporters_are_added_and_taken_away_by_signal() {
    assert_eq!(names(&applied(&[("OTEL_TRACES_EXPORTER", "otlp")]).0), ["file", "otlp"]);
    let (grpc, _) = applied(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
    ]);
    assert_eq!((&grpc.exporters[1].target, grpc.exporters[1].timeout), (&Target::OtlpGrpc { endpoint: None }, Duration::from_millis(2500)));
    assert_eq!(names(&applied(&[("OTEL_LOGS_EXPORTER", "otlp")]).0), ["file", "otlp"]);
    let (without, _) = applied(&[("OTEL_TRACES_EXPORTER", "none")]);
    assert_eq!((without.exporters[0].traces, without.exporters[0].metrics), (false, true));
    let none: Vec<_> = ["OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"].map(|name| (name, "none")).into();
    assert!(applied(&none).0.exporters.is_empty());
    assert!(!applied(&[("OTEL_METRICS_EXPORTER", "prometheus")]).0.exporters[0].metrics);
}

#[test]
fn samplers_limits_and_intervals_are_taken_over() {
    let (_, sampling) = applied(&[("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")]);
    assert_eq!(sampling, Sampling { default: 0.25, pipelines: std::collections::BTreeMap::new(), parent_based: true });
    let configured = [("order".to_owned(), 0.5)];
    let mut sampling = Sampling { pipelines: configured.clone().into(), ..Sampling::default() };
    read(&[("OTEL_TRACES_SAMPLER", "always_off")]).unwrap().apply(&mut common::options(&Arc::default(), Vec::new()), &mut sampling);
    assert_eq!(sampling, Sampling { default: 0.0, pipelines: configured.into(), parent_based: false }, "the configuration wins");
    let (options, _) = applied(&[
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100"),
        ("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs/dup"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1000"),
        ("OTEL_SERVICE_NAME", "patch-panel"),
    ]);
    assert_eq!((options.policy.max_value_bytes, options.policy.exceptions), (100, Exceptions::Both));
    assert_eq!((options.delivery.metric_interval, options.delivery.delay), (Duration::from_secs(1), Duration::from_millis(200)));
    assert_eq!((options.delivery.live_queue, options.delivery.max_batch, options.service_name.as_str()), (1000, 1000, "patch-panel"));
    for (value, exceptions) in [("logs", Exceptions::Logs), ("http/dup,logs/dup", Exceptions::Both), ("http", Exceptions::SpanEvents)] {
        let (options, _) = applied(&[("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", value)]);
        assert_eq!(options.policy.exceptions, exceptions, "{value}");
    }
    assert_eq!(applied(&[("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "99999")]).0.policy.max_value_bytes, 1024, "our own limit stays");
}

#[test]
fn propagators_may_leave_trace_context_out() {
    for (value, propagates) in [("tracecontext,baggage", true), ("baggage, TraceContext", true), ("none", false), ("baggage", false), ("b3", false)] {
        assert_eq!(applied(&[("OTEL_PROPAGATORS", value)]).0.propagates, propagates, "{value}");
    }
    assert!(!applied(&[("OTEL_SDK_DISABLED", "true")]).0.propagates, "there is no span that could be a parent");
}

#[test]
fn what_is_not_understood_is_named_with_what_would_be() {
    for (name, value, expected) in [
        ("OTEL_TRACES_EXPORTER", "jaeger", "otlp, prometheus or none, separated by commas"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "grpc or http/protobuf"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "always_on, always_off, traceidratio, or one of them with parentbased_ before it"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "a number of milliseconds"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "a number from 1"),
    ] {
        assert_eq!(read(&[(name, value)]).unwrap_err(), format!("the environment variable {name} is `{value}`; expected {expected}"));
    }
    let ratio = read(&[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "2")]).unwrap_err();
    assert_eq!(ratio, "the environment variable OTEL_TRACES_SAMPLER_ARG is `2`; expected a number from 0 to 1");
}
