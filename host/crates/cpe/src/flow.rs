//! The pipelines and what carries them out.

mod command;
mod contract;
mod input;
mod measure;
mod options;
mod projection;
mod provision;
mod requests;

pub use self::{
    command::{COMMAND_COLLECTION, COMMAND_PIPELINE, Command, Transfer, command_definition, command_document},
    contract::{Assignment, Characteristic, Device, Parameter, Setting, SettingValue, ValueKind},
    input::{ConnectionRequest, DeviceCommand, Provisioning, Trigger},
    measure::{RESULTS, initial_series},
    options::{Options, Policy, StepOptions},
    projection::{DeviceState, STATE_COLLECTION, document},
    provision::{DEVICE_CONTRACT, PIPELINE, VERSION, definition},
};
