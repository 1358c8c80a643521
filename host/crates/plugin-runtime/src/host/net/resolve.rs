//! Names to addresses, by the host and within a bounded time.

use std::{fmt, future::Future, io, net::IpAddr, pin::Pin, time::Duration};

use tokio::time::timeout;

/// A name that is not resolved by then will not be.
const RESOLVE: Duration = Duration::from_secs(5);
/// The most addresses of a name that are looked at.
const MAX_ADDRESSES: usize = 32;

pub(crate) type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Resolves names.
pub(crate) trait Resolve: fmt::Debug + Send + Sync {
    /// The addresses of a name, in the order in which they are tried.
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a>;
}

/// The system's resolver.
#[derive(Debug)]
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            let found = timeout(RESOLVE, tokio::net::lookup_host((name, 0))).await;
            let found = found.map_err(|_elapsed| io::Error::new(io::ErrorKind::TimedOut, "the name was not resolved in time"))??;
            Ok(found.map(|address| address.ip()).take(MAX_ADDRESSES).collect())
        })
    }
}

/// Answers that a test wrote, one after the other; the last one stays.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Scripted {
    answers: Vec<Vec<IpAddr>>,
    asked: std::sync::atomic::AtomicUsize,
}

#[cfg(test)]
impl Scripted {
    pub(crate) fn new(answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|answer| answer.iter().map(|address| address.parse().unwrap()).collect()).collect();
        Self { answers, asked: std::sync::atomic::AtomicUsize::new(0) }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[cfg(test)]
impl Resolve for Scripted {
    fn resolve<'a>(&'a self, _name: &'a str) -> Resolving<'a> {
        let at = self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let answer = self.answers.get(at).or(self.answers.last()).cloned().unwrap_or_default();
        Box::pin(async move { Ok(answer) })
    }
}
