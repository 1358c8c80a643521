//! `wasi:http/outgoing-handler`: logical names, rules, and for each rule a client that keeps connections.

mod body;
mod client;
mod denial;
mod error;
mod exchange;
mod guarded;
mod headers;
mod masked;
mod outgoing;
mod path;
mod rule;
mod send;
mod sign;
mod span;
#[cfg(test)]
mod tests;
mod throttle;

pub(crate) use self::{client::Outside, denial::Denial, rule::Rule, rule::Rules, send::Egress};
