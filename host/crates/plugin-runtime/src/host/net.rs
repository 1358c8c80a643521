//! Which addresses plugins may reach: names are resolved by the host, every address is judged, and connections go to addresses that passed.

mod address;
mod endpoint;
mod reach;
mod resolve;

#[cfg(test)]
pub(crate) use self::resolve::Scripted;
pub(crate) use self::{
    endpoint::{ConnectError, Endpoint},
    resolve::{Resolve, SystemResolver},
};
