//! The pipelines and what carries them out.
//!
//! A device's Inform comes to the [`Intake`], which begins a run of the pipeline `cpe`, wakes the one that waits for the device, or does nothing. The steps that
//! speak with the device are answered by the [`DeviceRunner`]; the [`Watcher`] follows what comes of them in the [`Book`] of devices. Hosts without an
//! inventory of their own keep devices and plans in the [`Inventory`].
//!
//! ```
//! // The pipeline is data: it can be listed without being run.
//! let definition = cpe::flow::definition(&cpe::flow::Options::default());
//! definition.validate().unwrap();
//! let steps: Vec<_> = definition.steps.iter().map(|step| step.name.as_str()).collect();
//! assert_eq!(steps, ["authenticate", "fetch_profile", "read_device", "build_config", "push_config", "verify"]);
//! ```

pub(crate) mod answers;
mod book;
mod caller;
mod command;
mod contract;
mod facts;
mod input;
mod intake;
mod inventory;
mod measure;
mod options;
mod projection;
mod provision;
mod requests;
mod runner;
mod watcher;

pub use self::{
    book::Book,
    caller::Caller,
    command::{COMMAND_COLLECTION, COMMAND_PIPELINE, Command, Transfer, command_definition, command_document},
    contract::{Assignment, Characteristic, Device, Parameter, Setting, SettingValue, ValueKind},
    facts::{DEVICE_COLLECTION, Facts},
    input::{ConnectionRequest, DeviceCommand, Provisioning, Trigger},
    intake::{Builders, CommandError, Intake, IntakeParts, ProvisionError},
    inventory::{EmbeddedInventory, EmbeddedProfile, INVENTORY_COLLECTION, Inventory, InventoryError, NewDevice, NewPlan, NewSetting, Owner},
    measure::{RESULTS, initial_series},
    options::{Options, Policy, StepOptions},
    projection::{DeviceState, STATE_COLLECTION, document},
    provision::{DEVICE_CONTRACT, PIPELINE, VERSION, definition},
    runner::{DEVICE_PROVIDER, DeviceRunner, Sessions},
    watcher::Watcher,
};

#[cfg(test)]
mod tests;

/// A host in memory, for tests of the interface.
#[cfg(test)]
pub(crate) mod testing {
    pub(crate) use super::tests::{Device, Setup, World};
}
