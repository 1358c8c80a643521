//! The points at which the child can die. Each has a name that does not depend on how the runs interleave, so that every one can be visited.

use std::{
    fmt,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicIsize, Ordering},
    },
};

use rustix::process::{Signal, getpid, kill_process};

/// Where a point lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Before an append is handed to the store.
    BeforeWrite,
    /// After an append is durable, before the engine knows.
    AfterCommit,
    /// After an effect outside, before the engine knows.
    AfterEffect,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::BeforeWrite, Self::AfterCommit, Self::AfterEffect];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeWrite => "before-write",
            Self::AfterCommit => "after-commit",
            Self::AfterEffect => "after-effect",
        })
    }
}

/// Where the child kills itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Nowhere.
    Never,
    /// At the point of that name.
    At(String),
    /// At the point that this process passes as its n-th, from 1.
    Nth(usize),
}

/// The points that this process has passed.
#[derive(Debug)]
pub struct Points {
    stop: Stop,
    ledger: SocketAddr,
    passed: Mutex<Vec<String>>,
    /// Runs started less runs ended by this process: below zero when it ends what an earlier one started.
    in_flight: AtomicIsize,
}

impl Points {
    /// None yet.
    pub fn new(stop: Stop, ledger: SocketAddr) -> Self {
        Self { stop, ledger, passed: Mutex::new(Vec::new()), in_flight: AtomicIsize::new(0) }
    }

    /// Passes a point, or dies at it. The lock is kept while dying: nothing else in this process passes a point any more.
    pub fn pass(&self, kind: Kind, place: &str) {
        let name = format!("{kind} {place}");
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.push(name.clone());
        let here = match &self.stop {
            Stop::Never => false,
            Stop::At(wanted) => *wanted == name,
            Stop::Nth(number) => *number == passed.len(),
        };
        if here {
            self.die(&name);
        }
    }

    /// A run was started, as far as the store knows.
    pub fn run_started(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
    }

    /// A run is over, as far as the store knows.
    pub fn run_ended(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    /// The names of all points so far, in the order in which they were passed.
    pub fn passed(&self) -> Vec<String> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn die(&self, name: &str) {
        tell(self.ledger, &format!("reached {} {name}", self.in_flight.load(Ordering::SeqCst)));
        kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
        loop {
            std::thread::park();
        }
    }
}

/// Tells the ledger and waits until it knows, without the runtime.
fn tell(ledger: SocketAddr, line: &str) {
    let mut stream = TcpStream::connect(ledger).expect("the ledger listens as long as the test runs");
    writeln!(stream, "{line}").expect("the ledger reads");
    BufReader::new(stream).read_line(&mut String::new()).expect("the ledger answers");
}
