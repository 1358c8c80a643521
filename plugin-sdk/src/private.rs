//! What the expansion of `export!` refers to. Not for use by hand.

pub use crate::manifest::{json, json_len};

/// Fails to compile, with the contract's own message, unless the plugin implements it.
pub const fn catalog<P: crate::Catalog>() {}
/// See [`catalog`].
pub const fn inventory<P: crate::Inventory>() {}
/// See [`catalog`].
pub const fn provisioning<P: crate::Provisioning>() {}
/// See [`catalog`].
pub const fn activation<P: crate::Activation>() {}
/// See [`catalog`].
pub const fn billing<P: crate::Billing>() {}
/// See [`catalog`].
pub const fn device_inventory<P: crate::DeviceInventory>() {}
/// See [`catalog`].
pub const fn profile<P: crate::Profile>() {}
/// See [`catalog`].
pub const fn configuration<P: crate::Configuration>() {}
/// See [`catalog`].
pub const fn storage<P: crate::Storage>() {}
/// See [`catalog`].
pub const fn dns<P: crate::Dns>() {}
/// See [`catalog`].
pub const fn certificate_order<P: crate::CertificateOrder>() {}
/// See [`catalog`].
pub const fn certificate<P: crate::Certificate>() {}
/// See [`catalog`].
pub const fn seed<P: crate::Seed>() {}
/// See [`catalog`].
pub const fn integration<P: crate::Integration>() {}
/// See [`catalog`].
pub const fn mail<P: crate::Mail>() {}

#[cfg(target_family = "wasm")]
pub use crate::{bindings, glue::Exported};
