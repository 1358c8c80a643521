//! Telemetry at a receiver that is not ours: Rotel, which prints what it gets. `cargo xtask test` installs it and names its Python.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use end_to_end_tests::harness::{
    Host, Lab,
    orders::{all_plugins, order},
};
use serde_json::{Value, json};

#[test]
fn an_order_arrives_over_http() {
    arrives("http/protobuf");
}

#[test]
fn an_order_arrives_over_grpc() {
    arrives("grpc");
}

/// Rotel is told its ports, so two of them at a time could be told the same.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn arrives(protocol: &str) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (lab, rotel) = (Lab::start(), Rotel::start());
    let port = if protocol == "grpc" { rotel.grpc } else { rotel.http };
    let telemetry = format!("[telemetry]\notlp = \"http://127.0.0.1:{port}\"\nprotocol = {protocol:?}");
    let pools = json!({"port": {"element": "olt-1", "count": 8}, "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/28"}});
    let host =
        all_plugins(&lab, &pools).config(&telemetry).environment("OTEL_BSP_SCHEDULE_DELAY", "50").environment("OTEL_METRIC_EXPORT_INTERVAL", "250");
    let host = host.start();
    // A billing system that is away at first, so that there are a failure, a link and an exception.
    lab.switch("billing", "fail", json!({"method": "POST"}));
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["completed"]);

    let (expected, calls) = (expected(&host, &id), calls(&host));
    let (root, _) = expected.iter().find(|(_, span)| span.name == "bss.order.lifecycle").unwrap();
    let is_printed = |spans: &BTreeMap<String, Span>| {
        let live = spans.values().filter(|span| span.is_live() && span.attributes.contains_key(LAST));
        expected.iter().all(|(id, span)| spans.get(id) == Some(span)) && live.count() == calls
    };
    let arrived = wait(|| rotel.spans(), is_printed);
    let (live, projected): (BTreeMap<_, _>, BTreeMap<_, _>) = arrived.into_iter().partition(|(_, span)| span.is_live());
    for (id, span) in &expected {
        assert_eq!(projected.get(id), Some(span));
    }
    // What a plugin asked other systems and the host's store for: below its call.
    let (projected, asked): (BTreeMap<_, _>, BTreeMap<_, _>) = projected.into_iter().partition(|(id, _)| expected.contains_key(id));
    assert_eq!(projected.len(), expected.len(), "{projected:#?}");
    assert!(asked.values().any(|span| span.kind == "SPAN_KIND_CLIENT" && span.name == "PUT"), "{asked:#?}");
    for span in asked.values() {
        assert!(live.contains_key(&span.parent), "a request hangs below a call: {span:#?}");
    }
    assert_eq!((projected[root].kind.as_str(), projected[root].status.as_str()), ("SPAN_KIND_SERVER", "STATUS_CODE_OK"));
    let linked: Vec<_> = projected.values().filter(|span| !span.links.is_empty()).collect();
    assert!(linked.len() == 1 && projected[&linked[0].links[0]].status == "STATUS_CODE_ERROR", "{linked:#?}");

    assert_eq!(live.len(), calls, "{live:#?}");
    for span in live.values() {
        assert!(projected.contains_key(&span.parent) && span.kind == "SPAN_KIND_INTERNAL", "a call hangs below an attempt: {span:#?}");
        assert_eq!(span.attributes["pipeline.run.id"], format!("Str({id})"));
    }
    wait(|| rotel.printed(), |printed| printed.contains("bss.order.count"));
    assert!(rotel.printed().contains("bss.order.count"));
}

/// How many calls of plugins there were: each has a span.
fn calls(host: &Host) -> usize {
    let metrics = host.text("/metrics");
    let counts = metrics.lines().filter(|line| line.starts_with("plugin_call_duration_seconds_count{"));
    counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap()).sum()
}

/// The attribute that the span of a call has last.
const LAST: &str = "plugin.outcome";

/// A span as Rotel prints it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Span {
    trace: String,
    parent: String,
    name: String,
    kind: String,
    status: String,
    start: String,
    attributes: BTreeMap<String, String>,
    links: Vec<String>,
}

impl Span {
    fn is_live(&self) -> bool {
        self.name.starts_with("plugin.call ")
    }
}

/// The spans of a run, as the host knows them, in the form in which they should be printed.
fn expected(host: &Host, id: &str) -> BTreeMap<String, Span> {
    let trace = host.request("GET", &format!("/api/v1/runs/{id}/trace"), &[], "").body;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spans = trace["spans"].as_array().unwrap().iter().map(|span| {
        let kind = if span["name"] == "bss.order.lifecycle" { "SERVER" } else { "INTERNAL" };
        let attributes = span["attributes"].as_object().unwrap().iter().map(|(key, value)| (key.clone(), printed(value)));
        let expected = Span {
            trace: text(&trace["trace_id"]),
            parent: text(&span["parent"]),
            name: text(&span["name"]),
            kind: format!("SPAN_KIND_{kind}"),
            status: format!("STATUS_CODE_{}", text(&span["status"]).to_uppercase()),
            // Microseconds there, nanoseconds here.
            start: format!("{}000", span["start"]),
            attributes: attributes.collect(),
            links: span["links"].as_array().unwrap().iter().map(text).collect(),
        };
        (text(&span["span_id"]), expected)
    });
    spans.collect()
}

fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => format!("Str({text})"),
        Value::Number(number) => format!("Int({number})"),
        Value::Bool(flag) => format!("Bool({flag})"),
        Value::Array(values) => format!("Slice({})", values.iter().map(printed).collect::<Vec<_>>().join(", ")),
        other => panic!("{other}"),
    }
}

/// Waits until something is as it should be; the patience is for what never comes.
fn wait<T>(read: impl Fn() -> T, is_right: impl Fn(&T) -> bool) -> T {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let found = read();
        if is_right(&found) || Instant::now() > patience {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A running Rotel. It ends with this value.
struct Rotel {
    child: Child,
    directory: tempfile::TempDir,
    http: u16,
    grpc: u16,
}

impl Drop for Rotel {
    fn drop(&mut self) {
        let _already_dead = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Rotel {
    /// Starts it on ports that are free now; should they be taken a moment later, on others.
    fn start() -> Self {
        let agent = agent();
        // Below those that the system gives to clients.
        let mut ports =
            (20_000..32_000_u16).cycle().skip(std::process::id() as usize % 12_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        loop {
            let (http, grpc) = (ports.next().unwrap(), ports.next().unwrap());
            let directory = tempfile::tempdir().unwrap();
            let output = File::create(directory.path().join("printed")).unwrap();
            let mut command = Command::new(&agent);
            command.arg("start").args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}"), "--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")]);
            command.args(["--debug-log", "traces", "--debug-log", "metrics", "--debug-log-verbosity", "detailed", "--exporter", "blackhole"]);
            let child = command.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
            let mut rotel = Self { child, directory, http, grpc };
            let patience = Instant::now() + Duration::from_secs(60);
            while rotel.child.try_wait().unwrap().is_none() {
                assert!(Instant::now() < patience, "Rotel does not listen: {}", rotel.printed());
                if [http, grpc].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()) {
                    return rotel;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn printed(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.directory.path().join("printed")).unwrap()).into_owned()
    }

    /// Every span by its id. One that was printed half is left out.
    fn spans(&self) -> BTreeMap<String, Span> {
        let printed = self.printed();
        let mut spans = BTreeMap::new();
        for block in printed.split("\nSpan #").skip(1) {
            let (mut span, mut id, mut section) = (Span::default(), String::new(), "");
            // What follows the last span is another request.
            for line in block.lines().take_while(|line| !line.starts_with("Resource") && !line.starts_with("Scope")) {
                let field = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
                match (line, field) {
                    ("Attributes:" | "Events:" | "Links:", _) => section = line,
                    (_, Some(("ID", value))) if section.is_empty() => value.clone_into(&mut id),
                    (_, Some(("Trace ID", value))) if section.is_empty() => value.clone_into(&mut span.trace),
                    (_, Some(("Parent ID", value))) if section.is_empty() => value.clone_into(&mut span.parent),
                    (_, Some(("Name", value))) if section.is_empty() => value.clone_into(&mut span.name),
                    (_, Some(("Kind", value))) if section.is_empty() => value.clone_into(&mut span.kind),
                    (_, Some(("Status code", value))) if section.is_empty() => value.clone_into(&mut span.status),
                    (_, Some(("Start time", value))) if section.is_empty() => value.clone_into(&mut span.start),
                    (_, Some((key, value))) if section == "Attributes:" && key.starts_with("-> ") => {
                        span.attributes.insert(key.trim_start_matches("-> ").to_owned(), value.to_owned());
                    }
                    (_, Some(("-> ID", value))) if section == "Links:" => span.links.push(value.to_owned()),
                    _ => {}
                }
            }
            if !span.start.is_empty() {
                spans.insert(id, span);
            }
        }
        spans
    }
}

/// The program within the Python package.
fn agent() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the one variable of this suite, set by `cargo xtask test`")]
    let python =
        std::env::var_os("JACKFIELD_PYTHON").expect("JACKFIELD_PYTHON names the Python of an environment with rotel: `cargo xtask test` sets it");
    let find = "import os, rotel; print(os.path.join(os.path.dirname(rotel.__file__), 'rotel-agent'))";
    let output = Command::new(python).args(["-c", find]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}
