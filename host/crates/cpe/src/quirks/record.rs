//! What can be different about a device.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{BooleanForm, Termination};
use crate::{
    soap::{Namespace, Style},
    value,
};

/// Writes the fields once: as what a device is like, and as what a record changes of it.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr,)*) => {
        /// How one device is spoken to.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Quirks {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Default for Quirks {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        /// What a record changes. A field that it does not name stays as it was.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct QuirkChanges {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<$type>,)*
        }

        impl QuirkChanges {
            /// Makes the changes.
            pub fn apply(&self, quirks: &mut Quirks) {
                $(if let Some(value) = &self.$name { quirks.$name.clone_from(value); })*
            }
        }
    };
}

fields! {
    /// How booleans are written. Default: `"1"`.
    boolean: BooleanForm = BooleanForm::Digit,
    /// Whether messages begin with an XML declaration. Default: true.
    prolog: bool = true,
    /// The namespace to answer in. Default: that of the device.
    namespace: Option<Namespace> = None,
    /// How many parameters are set by one request. Default: 256, because a request is applied as a whole or not at all.
    set_batch: NonZeroU32 = BATCH,
    /// How many parameters are read by one request. Default: 256.
    get_batch: NonZeroU32 = BATCH,
    /// The path of the session's cookie. Default: `/`.
    cookie_path: String = "/".to_owned(),
    /// How the device is told that nothing is left to do. Default: `"204"`.
    termination: Termination = Termination::NoContent,
    /// How long the device needs until a value that was set is read back, in milliseconds. Default: 0.
    read_back_delay_ms: u32 = 0,
    /// The root of its data model, `Device.` or `InternetGatewayDevice.`. Default: what its Inform shows.
    parameter_root: Option<String> = None,
    /// Whether the device cannot take a ParameterKey, and gets an empty one. Default: false.
    omit_parameter_key: bool = false,
    /// Whether it may report the entries of a list in another order. Default: false.
    unordered_lists: bool = false,
    /// Parameters that read empty, beyond those of the standard: names in which `{i}` is any number. Default: none.
    hidden: Vec<String> = Vec::new(),
    /// Parameters that are read before a configuration is made. Default: none.
    read_first: Vec<String> = Vec::new(),
    /// Whether values that were set apply after a restart only, whatever the status says. Default: false.
    needs_reboot_to_apply: bool = false,
    /// Whether times are sent with milliseconds. Default: false.
    datetime_milliseconds: bool = false,
    /// After so many seconds a download counts as done when no `TransferComplete` came. Default: never.
    download_success_without_transfer_complete_s: Option<u32> = None,
    /// Whether an object is added without a look at what is there. Default: false.
    skip_add_object_probe: bool = false,
}

/// Entries of one request: as many as the standard's own tables of one object have at most.
const BATCH: NonZeroU32 = NonZeroU32::new(256).expect("256 is not 0");

impl Quirks {
    /// How messages to the device are written.
    #[must_use]
    pub fn style(&self) -> Style {
        Style { prolog: self.prolog, boolean: self.boolean }
    }

    /// Whether a parameter reads empty whatever it holds: by the standard, or by this device.
    #[must_use]
    pub fn is_hidden(&self, root: &str, name: &str) -> bool {
        value::hidden(root, name) || self.hidden.iter().any(|pattern| value::fits(pattern, name))
    }

    /// The same of a full name, whichever data model it is of: what reads empty is secret, also where a device reads it out.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        ["Device.", "InternetGatewayDevice."].into_iter().any(|root| self.is_hidden(root, name))
    }
}
