//! `wasi:http/outgoing-handler`: logical names, rules, and a client that keeps connections.

mod body;
mod client;
mod path;
mod rule;
mod send;
#[cfg(test)]
mod tests;

pub(crate) use self::{client::Client, rule::Rule, rule::Rules, send::Egress};
