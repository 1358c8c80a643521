//! Runs sign-ups through the pure functions alone, with scripted answers, and writes down what people and metrics would see.

mod answers;
mod matrix;
mod paths;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
};

use pipeline::{
    Activity, AfterUnwind, AttemptId, Attributes, CallAnswer, CallResult, Command, Counted, Definition, Direction, Event, Failure, Record,
    Resolution, Run, StepDefinition, Timestamp, Transition, Verdict, View, apply, begin, decide, settle, testing,
};
use serde_json::{Value, json};

use crate::{Options, TenantInput, projection::project};

/// What is answered to a call; the normal answer when nothing is scripted for it.
type Answer = Result<CallAnswer, Failure>;

/// What becomes of an event for users.
type Shown = fn(&Transition<'_>) -> Option<engine::port::Document>;

/// A sign-up that was accepted.
pub(crate) fn input() -> TenantInput {
    serde_json::from_value(json!({
        "id": "t-0123456789abcdefghij", "slug": "acme", "name": "Acme", "plan": "pro", "region": "eu", "domain": "acme.app.example.com",
        "zone": "app.example.com", "ttl": 300, "target": ["192.0.2.1"], "admin": {"email": "ann@example.net", "name": "Ann"}, "certificate": true,
        "sealed": {"database": "sealed:1", "admin": "sealed:2", "certificate-key": "sealed:3"}, "signing-request": "MII=", "template": "shop",
        "integrations": [{"name": "crm"}, {"name": "billing"}],
    }))
    .unwrap()
}

/// One run on its way.
pub(crate) struct Simulation {
    definition: Definition,
    run: Run,
    shown: Shown,
    /// What providers made and did not take back: steps and items.
    world: BTreeSet<(String, u64)>,
    script: BTreeMap<String, VecDeque<Answer>>,
    clock: u64,
    log: String,
}

impl Simulation {
    /// A sign-up that has just been accepted.
    pub(crate) fn new(options: &Options, input: &TenantInput) -> Self {
        Self::of(crate::definition(options), crate::document, json!(input))
    }

    /// A run of any of the pipelines.
    pub(crate) fn of(definition: Definition, shown: Shown, input: Value) -> Self {
        let first = testing::started_with(&definition, input);
        let run = begin(&definition, testing::run_id(7), &first).unwrap();
        let mut simulation = Self { definition, run, shown, world: BTreeSet::new(), script: BTreeMap::new(), clock: 0, log: String::new() };
        simulation.write_down(None, &first);
        simulation
    }

    /// Scripts the answers to the next calls for `step[item]`, or `step[item] undo`.
    pub(crate) fn answer(mut self, call: &str, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.script.entry(call.to_owned()).or_default().extend(answers);
        self
    }

    /// Goes on until somebody from outside is needed or the run is over; time passes.
    pub(crate) fn go(mut self) -> Self {
        loop {
            self = self.work();
            let Some(due) = self.run.wake_at() else { return self };
            self.clock = self.clock.max(due.0);
            let event = self.run.due_timer(&self.definition, due).unwrap();
            self.record(event);
        }
    }

    /// Does what can be done at once.
    pub(crate) fn work(mut self) -> Self {
        for _ in 0..500 {
            self.clock += 1_000_000;
            let Some(command) = decide(&self.definition, &self.run).into_iter().next() else { return self };
            let event = self.obey(command);
            self.record(event);
        }
        panic!("the run does not come to rest");
    }

    /// The authority calls back, so many seconds later.
    pub(crate) fn call_back(mut self, seconds: u64) -> Self {
        self.clock += seconds * 1_000_000;
        let (position, step) = self.definition.step(&crate::tenant_pipeline::word("certificate")).unwrap();
        assert!(matches!(self.run.steps()[position].items[0].activity, Activity::Pending(_)), "{} does not wait", step.name);
        let item = self.run.item_id(&self.definition, position, 0);
        self.record(Event::CallbackReceived { item, body: "{}".to_owned() });
        self.go()
    }

    /// A person gives the sign-up up while it goes on.
    pub(crate) fn cancel(mut self) -> Self {
        self.record(Event::UnwindStarted { cause: None, step: None, item: None, then: AfterUnwind::Cancel });
        self.go()
    }

    /// A person decides about the first open fallout, after an hour.
    pub(crate) fn resolve(mut self, resolution: Resolution) -> Self {
        let id = self.run.open_fallouts().next().unwrap().opened.id;
        self.clock += 3_600_000_000;
        self.record(Event::FalloutResolved { id, resolution, by: "ann".to_owned(), note: String::new() });
        self.go()
    }

    /// The tenant is deleted, after an hour.
    pub(crate) fn delete(mut self) -> Self {
        self.clock += 3_600_000_000;
        self.record(Event::RunReopened { by: "ann".to_owned(), note: String::new() });
        self.go()
    }

    /// What was written down.
    pub(crate) fn log(&self) -> &str {
        &self.log
    }

    fn obey(&mut self, command: Command) -> Event {
        match command {
            Command::Record(event) => event,
            Command::Schedule { step, round, items, .. } => testing::scheduled(step, round, items),
            Command::Attempt { attempt, ready } => {
                let item = self.run.item(&self.definition, &attempt.item).unwrap();
                let undo = attempt.direction == Direction::Undo;
                let call = format!("{}[{}]{}", attempt.item.step, attempt.item.item, if undo { " undo" } else { "" });
                let cancelled = ready.resume.is_some_and(|resume| resume.signal == pipeline::ResumeSignal::Cancel);
                let scripted = self.script.get_mut(&call).filter(|_| !cancelled).and_then(VecDeque::pop_front);
                let normal = || match undo || cancelled {
                    true => Ok(CallAnswer::Undone),
                    false => answers::done(answers::normal(attempt.item.step.as_str(), &item.request)),
                };
                let answer = scripted.unwrap_or_else(normal);
                let result = CallResult { started_at: Timestamp(self.clock - 500_000), answer, attributes: Attributes::new() };
                settle(&self.definition, &self.run, &attempt, Timestamp(self.clock), result).unwrap()
            }
            Command::StartChild { .. } | Command::NotifyParent { .. } => unreachable!("tenants have no children and no parents"),
        }
    }

    fn record(&mut self, event: Event) {
        let record = testing::record(&self.run, self.clock, event);
        let before = self.run.clone();
        self.run = apply(&self.definition, before.clone(), &record).unwrap();
        self.write_down(Some(&before), &record);
    }

    fn write_down(&mut self, before: Option<&Run>, record: &Record) {
        self.write_spans(before, &record.event);
        self.change_world(&record.event);
        if let Event::FalloutOpened(opened) = &record.event {
            writeln!(self.log, "fallout {}: {} ({})", opened.id, opened.reason, opened.failure.message).unwrap();
        }
        let view = View::new(&self.definition, &self.run);
        if before.is_none() {
            writeln!(self.log, "root {}", shown(&(self.definition.telemetry.root_attributes)(&view))).unwrap();
        }
        if self.run.outcome().is_some() && self.run.reopened().is_none() {
            writeln!(self.log, "root end {}", shown(&(self.definition.telemetry.end_attributes)(&view))).unwrap();
        }
        let transition = Transition { definition: &self.definition, before, record, after: &self.run };
        for measured in (self.definition.measure)(&transition) {
            assert!(is_known_beforehand(&measured), "{measured:?} is a series that begins with its first increase");
            let labels: Vec<String> = measured.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            writeln!(self.log, "    {}{{{}}} {}", measured.instrument, labels.join(","), measured.value).unwrap();
        }
        self.write_document(before, record);
    }

    /// The spans that the projector would write, in the pack's words.
    fn write_spans(&mut self, before: Option<&Run>, event: &Event) {
        let (attempt, verdict) = if let Event::AttemptPended { attempt, .. } = event {
            (attempt, None)
        } else if let Event::AttemptFinished { attempt, verdict, .. } = event {
            (attempt, Some(verdict))
        } else {
            return;
        };
        let (_, step) = self.definition.step(&attempt.item.step).unwrap();
        let item = self.run.item(&self.definition, &attempt.item).unwrap();
        if attempt.direction == Direction::Undo {
            let failed = if let Some(Verdict::Failed(failure)) = verdict { format!(" ERROR {}", failure.error_type) } else { String::new() };
            let line = format!("span {} of {}{failed}\n", (step.telemetry.undo_span)(&item.request), step.name);
            self.log.push_str(&line);
            return;
        }
        let cancelled = Failure::new(pipeline::FailureClass::Rejected, "host.cancelled", "cancelled while it was waited for");
        let (output, failure) = match verdict {
            Some(Verdict::Undone) if step.telemetry.completion.is_some() => (None, Some(&cancelled)),
            Some(Verdict::Done(output)) => (Some(output), None),
            Some(Verdict::Refused { output, failure }) => (Some(output), Some(failure)),
            Some(Verdict::Failed(failure)) => (None, Some(failure)),
            Some(Verdict::Undone) | None => (None, None),
        };
        let view = View::new(&self.definition, &self.run);
        let handed_over = before.and_then(|before| before.item(&self.definition, &attempt.item)).is_some_and(|item| match &item.activity {
            Activity::Ready(ready) => ready.resume.is_some(),
            Activity::Pending(_) => true,
            Activity::Queued | Activity::Backoff { .. } | Activity::Child { .. } | Activity::Idle => false,
        });
        let output = output.map(|output| &**output);
        let status = failure.map(|failure| format!(" ERROR {:?} {}", (step.telemetry.failure_text)(&item.request, failure), failure.error_type));
        let status = status.unwrap_or_default();
        let counted = shown(&counted(step, attempt, failure.is_some()));
        let mut lines = Vec::new();
        let first = if step.telemetry.completion.is_some() { !handed_over } else { verdict.is_some() };
        if first {
            let attributes = (step.telemetry.attributes)(&view, &item.request, output);
            lines.push(format!("span {} {}{counted}{status}", (step.telemetry.span)(&item.request), spaced(&attributes)));
        }
        if let (Some(completion), Some(_), true) = (step.telemetry.completion, verdict, handed_over || failure.is_none()) {
            let attributes = (completion.attributes)(&view, &item.request, output);
            lines.push(format!("span {} {}{counted}{status}", completion.span, spaced(&attributes)));
        }
        assert!(lines.iter().all(|line| !line.contains("ann@") && !line.contains("sealed:")), "{lines:?}");
        self.log.extend(lines.into_iter().map(|line| line + "\n"));
    }

    /// What a user sees now. An event that is said to change nothing for users must not change it.
    fn write_document(&mut self, before: Option<&Run>, record: &Record) {
        let transition = Transition { definition: &self.definition, before, record, after: &self.run };
        let Some(document) = (self.shown)(&transition) else {
            if self.definition.name.as_str() != crate::PIPELINE {
                return;
            }
            let body = |run| project(&self.definition, None, run).map(|document| without_time(document.body));
            assert_eq!(before.and_then(body), body(&self.run), "{:?}", record.event);
            return;
        };
        let body = document.body;
        assert!(document.attributes.iter().all(|(_, value)| (1..=256).contains(&value.len())), "{:?}", document.attributes);
        assert!(!body.to_string().contains("ann@") && !body.to_string().contains("sealed:"), "{body}");
        if self.definition.name.as_str() == crate::PIPELINE {
            self.check_ledger(&body);
        }
        let words =
            |list: &Value, word: fn(&Value) -> Option<String>| list.as_array().into_iter().flatten().filter_map(word).collect::<Vec<_>>().join(" ");
        let steps = words(&body["steps"], |step| {
            let state = step["state"].as_str().filter(|state| *state != "waiting" && *state != "done")?;
            Some(format!("{}:{state}", step["step"].as_str()?))
        });
        let left = words(&body["left"], |left| Some(format!("{}={}", left["step"].as_str()?, left["what"])));
        let error = body["error"]["type"].as_str().map_or_else(String::new, |error| format!(" error {error} of {}", body["error"]["step"]));
        let left = if left.is_empty() { left } else { format!(" left {left}") };
        let state = body["state"].as_str().unwrap();
        let active = if body["active"] == true { " active" } else { "" };
        writeln!(self.log, "=> {state}{active} [{steps}]{error}{left}").unwrap();
        if matches!(record.event, Event::RunEnded { .. } | Event::FalloutOpened(_)) {
            self.write_ledger(&body);
        }
    }

    fn change_world(&mut self, event: &Event) {
        let Event::AttemptFinished { attempt, verdict, .. } = event else { return };
        let thing = (attempt.item.step.to_string(), u64::from(attempt.item.item));
        match verdict {
            Verdict::Done(_) | Verdict::Refused { .. } => drop(self.world.insert(thing)),
            Verdict::Undone => drop(self.world.remove(&thing)),
            Verdict::Failed(_) => {}
        }
    }

    /// What the ledger says is there, which must be what is there.
    fn check_ledger(&self, body: &Value) {
        let resources = body["resources"].as_array().into_iter().flatten().filter(|resource| resource["state"] != "removed");
        let said: BTreeSet<_> =
            resources.map(|resource| (resource["step"].as_str().unwrap().to_owned(), resource["item"].as_u64().unwrap())).collect();
        let there: BTreeSet<_> = self.world.iter().filter(|(step, _)| step != "welcome_email").cloned().collect();
        assert_eq!(said, there);
    }

    fn write_ledger(&mut self, body: &Value) {
        for resource in body["resources"].as_array().into_iter().flatten() {
            let text = |field: &str| resource[field].as_str().unwrap_or_default().to_owned();
            writeln!(self.log, "   | {} {} {} {}", text("state"), text("step"), text("contract"), resource["what"]).unwrap();
        }
        if let Some(certificate) = body.get("certificate") {
            writeln!(self.log, "   | certificate {certificate}").unwrap();
        }
    }
}

fn counted(step: &StepDefinition, attempt: &AttemptId, failed: bool) -> Attributes {
    (step.telemetry.count_attributes)(&Counted { attempt: attempt.attempt, attempts: step.retry.max_attempts.get(), failed })
}

/// A body without the times that every event changes.
fn without_time(mut body: Value) -> Value {
    body["changed"] = Value::Null;
    body
}

/// The attributes, each of which names the tenant first.
fn spaced(attributes: &Attributes) -> String {
    assert_eq!(attributes[0].0, "tenant.id", "every span of a tenant names it");
    let text = shown(attributes);
    if text.is_empty() { text } else { text + " " }
}

fn shown(attributes: &Attributes) -> String {
    let shown =
        attributes.iter().filter(|(key, _)| key != "tenant.id").map(|(key, value)| format!("{key}={}", serde_json::to_string(value).unwrap()));
    shown.collect::<Vec<_>>().join(" ").replace("provision.step.status=", "status=").replace("provision.max_retries=", "of=")
}

/// Counters must begin at 0, where what fails has a bounded set of codes.
fn is_known_beforehand(measured: &pipeline::Measurement) -> bool {
    let label = |key: &str| measured.labels.iter().find(|(label, _)| *label == key).map(|(_, value)| value.clone());
    let steps = crate::initial_series(&Options::default());
    measured.instrument != "tenant.provision.failures"
        || steps.iter().any(|series| series.instrument == measured.instrument && series.labels[0].1 == label("step").unwrap_or_default())
}
