//! A world without time, threads or I/O in which runs are driven to their end: the driver's loop over a simulated clock, scripted providers, an
//! operator who decides what was written down for him, and a process that dies where it is told to.

mod backend;
mod drive;
mod line;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pipeline::{
    AttemptId, CallResult, Definition, Digest, Epoch, Event, Failure, IllegalEvent, Outcome, Phase, Pin, PipelineName, Provider, Record, Repin,
    Resolution, Revision, Run, RunId, Seq, StepName, Timestamp, apply, begin, lost_attempts, replay, testing,
};
use serde_json::Value;

pub(crate) use self::{
    backend::{Act, Backend, Effect, Script, Verb},
    line::{line, outcome_text},
    watch::Watch,
};

/// A run with its journal.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) run: Run,
    pub(crate) journal: Vec<Record>,
    watch: Watch,
}

/// When a callback comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// While the call that will pend is still being made.
    Early,
    /// While the operation is pending.
    InTime,
    /// After the item has used its callback.
    Again,
    /// After the item is done.
    Late,
}

/// A callback that somebody outside will make once.
#[derive(Debug, Clone)]
pub(crate) struct Callback {
    pub(crate) step: &'static str,
    pub(crate) when: When,
    pub(crate) body: &'static str,
}

/// A call that was made and whose answer was not recorded yet.
#[derive(Debug, Clone)]
struct Flight {
    run: RunId,
    attempt: AttemptId,
    result: CallResult,
    verbs: Vec<Verb>,
}

/// The process died.
#[derive(Debug)]
struct Crashed;

type Flow<T = ()> = Result<T, Crashed>;

/// Everything that exists.
#[derive(Debug, Clone)]
pub(crate) struct World {
    clock: u64,
    epoch: u64,
    definitions: BTreeMap<PipelineName, Definition>,
    pub(crate) runs: BTreeMap<RunId, Entry>,
    pub(crate) backend: Backend,
    /// What steps are bound to; [`testing::pin`] unless said otherwise.
    pub(crate) pins: BTreeMap<StepName, Pin>,
    /// Steps that nothing answers, once.
    pub(crate) refusals: BTreeMap<StepName, Failure>,
    /// What the operator will decide, fallout by fallout; then `fail`.
    pub(crate) operator: VecDeque<Resolution>,
    /// What the operator will bind otherwise, each as soon as it is legal.
    pub(crate) repins: VecDeque<Repin>,
    /// How often the operator will reopen the main run.
    pub(crate) reopens: u32,
    /// Steps that were bound otherwise and whose first provider may have made an effect twice.
    unsettled: BTreeSet<StepName>,
    /// The binding table of steps that are not bound by the run's own.
    pub(crate) revisions: BTreeMap<StepName, Revision>,
    pub(crate) callbacks: Vec<Callback>,
    /// The moments at which the process dies, as numbers of the count below.
    pub(crate) crashes: Vec<usize>,
    /// How many moments there were: before each record, after each call.
    pub(crate) moments: usize,
    /// Which of the things that can happen happens next; the first when there is none left.
    pub(crate) choices: VecDeque<u8>,
    /// What was refused, in order.
    pub(crate) refused: Vec<String>,
    in_flight: Vec<Flight>,
}

/// The run that scenarios start.
pub(crate) fn main_run() -> RunId {
    testing::run_id(1)
}

impl World {
    /// A world with one run of `definition` that has just started.
    pub(crate) fn new(definition: &Definition, input: Value) -> Self {
        let mut world = Self {
            clock: 0,
            epoch: 1,
            definitions: BTreeMap::new(),
            runs: BTreeMap::new(),
            backend: Backend::default(),
            pins: BTreeMap::new(),
            refusals: BTreeMap::new(),
            operator: VecDeque::new(),
            repins: VecDeque::new(),
            reopens: 0,
            unsettled: BTreeSet::new(),
            revisions: BTreeMap::new(),
            callbacks: Vec::new(),
            crashes: Vec::new(),
            moments: 0,
            choices: VecDeque::new(),
            refused: Vec::new(),
            in_flight: Vec::new(),
        };
        world.add_definition(definition);
        world.start(main_run(), testing::started_with(definition, input));
        world
    }

    /// Makes a pipeline known that runs may start as a child.
    pub(crate) fn add_definition(&mut self, definition: &Definition) {
        definition.validate().unwrap();
        self.definitions.insert(definition.name.clone(), definition.clone());
    }

    /// The pipelines that are known.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.values()
    }

    /// Writes down what a step's provider does for every item, call by call.
    pub(crate) fn script(&mut self, step: &str, verb: Verb, acts: &[Act]) {
        self.backend.scripts.insert((name(step), None, verb), Script { acts: acts.to_vec(), forever: false });
    }

    /// Writes down what a step's provider always does.
    pub(crate) fn always(&mut self, step: &str, verb: Verb, act: Act) {
        self.backend.scripts.insert((name(step), None, verb), Script { acts: vec![act], forever: true });
    }

    fn start(&mut self, id: RunId, first: Record) {
        let first = Record { at: Timestamp(self.clock), epoch: Epoch(self.epoch), ..first };
        let Event::RunStarted(started) = &first.event else { panic!("a journal begins with run-started") };
        let run = begin(&self.definitions[&started.pipeline], id.clone(), &first).unwrap();
        self.runs.insert(id, Entry { run, journal: vec![first], watch: Watch::default() });
    }

    /// Drives every run to its end.
    pub(crate) fn finish(&mut self) {
        while self.turn().unwrap_or_else(|Crashed| self.recover()) {
            let records: usize = self.runs.values().map(|entry| entry.journal.len()).sum();
            assert!(records < 3000, "the runs do not come to an end:\n{}", self.log());
        }
        for entry in self.runs.values() {
            assert!(entry.run.outcome().is_some() && !entry.run.owes_parent(), "a run got stuck:\n{}\n{:#?}", self.log(), entry.run);
        }
    }

    /// A moment at which the process may die.
    fn moment(&mut self) -> Flow {
        self.moments += 1;
        if self.crashes.contains(&self.moments) { Err(Crashed) } else { Ok(()) }
    }

    /// Records what the driver concluded; it must be legal.
    fn record(&mut self, run: &RunId, event: Event) -> Flow {
        self.moment()?;
        if let Err(illegal) = self.append(run, event.clone()) {
            panic!("the driver's own event is illegal: {illegal}: {event:?}\n{}", self.log());
        }
        Ok(())
    }

    /// Records what came from outside, if it is legal.
    fn offer(&mut self, run: &RunId, event: Event) -> Flow<bool> {
        self.moment()?;
        let refused = self.append(run, event).map_err(|illegal| self.refused.push(illegal.reason));
        Ok(refused.is_ok())
    }

    fn append(&mut self, id: &RunId, event: Event) -> Result<(), IllegalEvent> {
        self.clock += 1000;
        let entry = self.runs.get_mut(id).unwrap();
        let definition = &self.definitions[&entry.run.started().pipeline];
        let record = Record { seq: Seq(entry.journal.len() as u64 + 1), epoch: Epoch(self.epoch), at: Timestamp(self.clock), event };
        let after = apply(definition, entry.run.clone(), &record)?;
        entry.watch.check(definition, &entry.run, &record, &after);
        entry.run = after;
        entry.journal.push(record);
        Ok(())
    }

    /// A new process takes over: it knows the journals and nothing else. It may die as well.
    fn recover(&mut self) -> bool {
        while self.take_over().is_err() {}
        true
    }

    fn take_over(&mut self) -> Flow {
        self.in_flight.clear();
        self.epoch += 1;
        for id in self.runs.keys().cloned().collect::<Vec<_>>() {
            let entry = &self.runs[&id];
            let definition = self.definitions[&entry.run.started().pipeline].clone();
            let replayed = replay(&definition, id.clone(), &entry.journal).unwrap();
            assert_eq!(replayed, entry.run, "replay gives the state that was lost");
            for lost in lost_attempts(&definition, &replayed) {
                self.record(&id, lost)?;
            }
        }
        Ok(())
    }

    /// The journals as lines, run by run.
    pub(crate) fn log(&self) -> String {
        let mut lines = Vec::new();
        for (id, entry) in &self.runs {
            lines.push(format!("run {id}"));
            lines.extend(entry.journal.iter().map(line));
        }
        lines.extend(self.refused.iter().map(|reason| format!("refused: {reason}")));
        lines.join("\n") + "\n"
    }

    /// How the main run ended.
    pub(crate) fn outcome(&self) -> &Outcome {
        self.runs[&main_run()].run.outcome().unwrap()
    }

    /// The effects that are there, by step and key.
    pub(crate) fn live_effects(&self) -> Vec<(StepName, String)> {
        let live = self.backend.effects.iter().filter(|(_, effect)| effect.live);
        live.map(|(key, effect)| (effect.step.clone(), key.clone())).collect()
    }

    /// What must hold at the end, whatever happened on the way.
    pub(crate) fn audit(&self) {
        for (key, Effect { run, step, copies, live, .. }) in &self.backend.effects {
            let entry = &self.runs[run];
            let settles = self.pin(step).can_settle_doubt() && !self.unsettled.contains(step);
            assert!(!settles || *copies <= 1, "the effect {key} of {step} was made {copies} times\n{}", self.log());
            let definition = &self.definitions[&entry.run.started().pipeline];
            let left = *live && Watch::undoable(definition).any(|undoable| undoable == step);
            assert!(!left || !entry.unwound(definition) || entry.by_hand(), "an effect of {step} outlives its unwound run\n{}", self.log());
        }
    }

    fn pin(&self, step: &StepName) -> Pin {
        self.pins.get(step).cloned().unwrap_or_else(testing::pin)
    }
}

impl Entry {
    /// Whether the run ended after it had taken back everything, as opposed to "leave things as they are".
    fn unwound(&self, definition: &Definition) -> bool {
        let before = replay(definition, self.run.id().clone(), &self.journal[..self.journal.len() - 1]);
        let last = &self.journal[self.journal.len() - 1].event;
        let resolved_unwound = |run: &Run| run.open_fallouts().any(|fallout| fallout.opened.subject == pipeline::FalloutSubject::Unwound);
        match (before, last) {
            (Ok(run), Event::RunEnded { .. }) => matches!(run.phase(), Phase::Unwinding { .. }),
            (Ok(run), Event::FalloutResolved { .. }) => resolved_unwound(&run),
            (Ok(_) | Err(_), _) => false,
        }
    }

    /// Whether a person took something upon himself: what he skipped or replaced is his.
    fn by_hand(&self) -> bool {
        let taken = |event: &Event| matches!(event, Event::FalloutResolved { resolution: Resolution::SkipWith(_) | Resolution::RetryWith(_), .. });
        self.journal.iter().any(|record| taken(&record.event))
    }
}

/// A step's name.
pub(crate) fn name(step: &str) -> StepName {
    StepName::new(step).unwrap()
}

/// A plugin's digest: one letter, 64 times.
pub(crate) fn digest(letter: &str) -> Digest {
    Digest::new(letter.repeat(64)).unwrap()
}

/// A binding table's revision: one letter, 64 times.
pub(crate) fn revision(letter: &str) -> Revision {
    Revision::new(letter.repeat(64)).unwrap()
}

/// The pin as that of a plugin.
pub(crate) fn plugin(letter: &str, pin: Pin) -> Pin {
    Pin { provider: Provider::Plugin { name: "test".to_owned(), version: "1.0.0".to_owned(), digest: digest(letter) }, ..pin }
}

/// A repin from plugin `a` to plugin `b` by revision `c`.
pub(crate) fn repin_a_to_b(include_done: bool, pin: Pin) -> Repin {
    let (by, note) = ("alex".to_owned(), String::new());
    Repin { from: digest("a"), to: plugin("b", pin).into(), revision: revision("c"), include_done, by, note }
}
