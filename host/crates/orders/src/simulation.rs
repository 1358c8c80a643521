//! Runs orders through the pure functions alone, with scripted answers, and writes down what people and metrics would see.

mod answers;
mod defects;
mod paths;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
};

use pipeline::{
    Attributes, CallAnswer, CallResult, Command, Definition, Direction, Event, Failure, Measurement, Record, Resolution, Run, Timestamp, Transition,
    Verdict, View, apply, begin, decide, settle, testing,
};
use serde_json::{Value, json};

use crate::{Options, OrderInput, document};

/// What is answered to a call; the normal answer when nothing is scripted for it.
type Answer = Result<CallAnswer, Failure>;

/// One order on its way.
pub(crate) struct Simulation {
    pub(crate) definition: Definition,
    pub(crate) run: Run,
    pub(crate) records: Vec<Record>,
    script: BTreeMap<String, VecDeque<Answer>>,
    clock: u64,
    log: String,
}

impl Simulation {
    /// An order that has just been accepted.
    pub(crate) fn new(options: &Options, order: Value) -> Self {
        let definition = crate::definition(options);
        let input = json!(OrderInput::read(order, &options.categories));
        let first = testing::started_with(&definition, input);
        let run = begin(&definition, testing::run_id(7), &first).unwrap();
        let mut simulation = Self { definition, run, records: Vec::new(), script: BTreeMap::new(), clock: 0, log: String::new() };
        simulation.write_down(None, first);
        simulation
    }

    /// An order that an engine has begun.
    pub(crate) fn of(run: Run, records: Vec<Record>) -> Self {
        let clock = run.last_at().0;
        let definition = crate::definition(&Options::default());
        Self { definition, run, records, script: BTreeMap::new(), clock, log: String::new() }
    }

    /// Scripts the answers to the next calls for `step[item]`, or `step[item] undo`.
    pub(crate) fn answer(mut self, call: &str, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.script.entry(call.to_owned()).or_default().extend(answers);
        self
    }

    /// Goes on until somebody from outside is needed or the order is over.
    pub(crate) fn go(mut self) -> Self {
        for _ in 0..500 {
            self.clock += 1_000_000;
            let event = match decide(&self.definition, &self.run).into_iter().next() {
                Some(command) => self.obey(command),
                None => match self.run.wake_at() {
                    Some(due) => {
                        self.clock = self.clock.max(due.0);
                        self.run.due_timer(&self.definition, due).unwrap()
                    }
                    None => return self,
                },
            };
            self.record(event);
        }
        panic!("the order does not come to rest");
    }

    /// A person decides about the first open fallout, and the order goes on.
    pub(crate) fn resolve(mut self, resolution: Resolution) -> Self {
        let id = self.run.open_fallouts().next().unwrap().opened.id;
        // An hour of thinking, which must not count as the step's.
        self.clock += 3_600_000_000;
        self.record(Event::FalloutResolved { id, resolution, by: "ann".to_owned(), note: String::new() });
        self.go()
    }

    /// A person wants back what the order did, after it was over.
    pub(crate) fn reopen(mut self) -> Self {
        self.clock += 3_600_000_000;
        self.record(Event::RunReopened { by: "ann".to_owned(), note: String::new() });
        self.go()
    }

    /// What was written down, with the order as a user sees it now.
    pub(crate) fn log(&self) -> &str {
        &self.log
    }

    fn obey(&mut self, command: Command) -> Event {
        match command {
            Command::Record(event) => event,
            Command::Schedule { step, round, items, .. } => testing::scheduled(step, round, items),
            Command::Attempt { attempt, .. } => {
                let item = self.run.item(&self.definition, &attempt.item).unwrap();
                let undo = attempt.direction == Direction::Undo;
                let call = format!("{}[{}]{}", attempt.item.step, attempt.item.item, if undo { " undo" } else { "" });
                let scripted = self.script.get_mut(&call).and_then(VecDeque::pop_front);
                let normal = || if undo { Ok(CallAnswer::Undone) } else { answers::done(answers::normal(attempt.item.step.as_str(), &item.request)) };
                let answer = scripted.unwrap_or_else(normal);
                let result = CallResult { started_at: Timestamp(self.clock - 500_000), answer, attributes: Vec::new() };
                settle(&self.definition, &self.run, &attempt, Timestamp(self.clock), result).unwrap()
            }
            Command::StartChild { .. } | Command::NotifyParent { .. } => unreachable!("orders have no children and no parents"),
        }
    }

    fn record(&mut self, event: Event) {
        let record = testing::record(&self.run, self.clock, event);
        let before = self.run.clone();
        self.run = apply(&self.definition, before.clone(), &record).unwrap();
        self.write_down(Some(&before), record);
    }

    fn write_down(&mut self, before: Option<&Run>, record: Record) {
        self.write_span(&record.event);
        if let Event::FalloutOpened(opened) = &record.event {
            writeln!(self.log, "fallout {}: {} ({})", opened.id, opened.reason, opened.failure.message).unwrap();
        }
        let view = View::new(&self.definition, &self.run);
        if before.is_none() {
            writeln!(self.log, "root {}", shown(&(self.definition.telemetry.root_attributes)(&view))).unwrap();
        }
        if self.run.outcome().is_some() {
            writeln!(self.log, "root end {}", shown(&(self.definition.telemetry.end_attributes)(&view))).unwrap();
        }
        let transition = Transition { definition: &self.definition, before, record: &record, after: &self.run };
        for mut measured in crate::measure(&transition) {
            // Telemetry leaves them out unless the operator wants them.
            measured.labels.retain(|(label, _)| !crate::measure::OPT_IN.iter().any(|(opt_in, _)| opt_in == label));
            self.log.push_str(&group_span(&view, &measured));
            assert!(is_known_beforehand(&measured), "{measured:?} is a series that begins with its first increase");
            let labels: Vec<String> = measured.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            writeln!(self.log, "    {}{{{}}} {}", measured.instrument, labels.join(","), measured.value).unwrap();
        }
        self.check_documents(before, &transition);
        if let Some(document) = document(&transition) {
            let items = document.body["productOrderItem"].as_array().unwrap().iter();
            let items: Vec<String> = items.map(|item| format!("{} {}", item["id"].as_str().unwrap(), item["state"].as_str().unwrap())).collect();
            writeln!(self.log, "=> {} [{}]", document.body["state"].as_str().unwrap(), items.join(", ")).unwrap();
        }
        self.records.push(record);
    }

    /// An event that is said to change nothing for users must not change the state that they see.
    fn check_documents(&self, before: Option<&Run>, transition: &Transition<'_>) {
        let state = |run| crate::projection::state_of(&self.definition, run);
        if document(&Transition { before: None, ..*transition }).is_none() && state(&self.run).is_some() {
            assert_eq!(before.and_then(state), state(&self.run), "{:?}", transition.record.event);
        }
    }

    /// The spans that the projector would write, in the pack's words.
    fn write_span(&mut self, event: &Event) {
        let Event::AttemptFinished { attempt, verdict, .. } = event else { return };
        let step = self.definition.step(&attempt.item.step).unwrap().1;
        let request = &self.run.item(&self.definition, &attempt.item).unwrap().request;
        if attempt.direction == Direction::Undo {
            writeln!(self.log, "span {}", (step.telemetry.undo_span)(request)).unwrap();
            return;
        }
        let (output, failure) = match verdict {
            Verdict::Done(output) => (Some(output), None),
            Verdict::Refused { output, failure } => (Some(output), Some(failure)),
            Verdict::Failed(failure) => (None, Some(failure)),
            Verdict::Undone => (None, None),
        };
        let attributes = (step.telemetry.attributes)(&View::new(&self.definition, &self.run), request, output.map(|output| &**output));
        assert_eq!(attributes[0].0, "bss.order_id", "every span of an order names it");
        let status = failure.map(|failure| format!("ERROR {:?} {}", (step.telemetry.failure_text)(request, failure), failure.error_type));
        self.log.push_str(&line(&["span", &(step.telemetry.span)(request), &shown(&attributes), &status.unwrap_or_default()]));
    }
}

/// The group span of a step that has just ended.
fn group_span(view: &View<'_>, measured: &Measurement) -> String {
    let definition = crate::definition(&Options::default());
    let ended = definition.steps.iter().find(|step| measured.labels.first().is_some_and(|(_, label)| label == step.telemetry.metric_step));
    let Some(group) = ended.and_then(|step| Some((step, step.telemetry.group_span?))) else { return String::new() };
    let (step, name) = group;
    let failed = measured.labels.len() > 1;
    let attributes = (step.telemetry.group_attributes)(view, view.items(step.name.as_str()).count(), failed);
    line(&["group", name, &shown(&attributes)])
}

/// The words that are there.
fn line(words: &[&str]) -> String {
    let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    words.join(" ") + "\n"
}

fn shown(attributes: &Attributes) -> String {
    let shown =
        attributes.iter().filter(|(key, _)| key != "bss.order_id").map(|(key, value)| format!("{key}={}", serde_json::to_string(value).unwrap()));
    shown.collect::<Vec<_>>().join(" ")
}

/// Counters must begin at 0. Of histograms, those of failures cannot: what fails has no bounded set of codes.
fn is_known_beforehand(measured: &Measurement) -> bool {
    let counter = matches!(measured.instrument, "bss.order.count" | "bss.order.fallout");
    let known =
        || crate::initial_series(&[]).into_iter().any(|series| (series.instrument, series.labels) == (measured.instrument, measured.labels.clone()));
    !counter || known()
}
