//! The pipelines over a real engine, with devices made of a map: what users, traces and metrics see of every way that a provisioning can go.

mod absent;
mod commands;
mod contacts;
mod device;
mod kills;
mod matrix;
mod once;
mod owners;
mod pushes;
mod scenarios;
mod story;
mod world;

pub(crate) use self::{
    device::Device,
    world::{Setup, World},
};
