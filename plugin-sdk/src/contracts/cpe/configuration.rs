//! `jackfield:cpe/configuration`: which parameters a profile comes to on a device of one vendor. A function of its request and of
//! the plugin's settings.

use super::{Characteristic, Device, ServiceProfile, SettingValue};

/// The type of a parameter (TR-106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Text.
    String,
    /// A signed number of 32 bits.
    Int,
    /// An unsigned number of 32 bits.
    UnsignedInt,
    /// A signed number of 64 bits.
    Long,
    /// An unsigned number of 64 bits.
    UnsignedLong,
    /// `true` or `false`.
    Boolean,
    /// An instant (ISO 8601).
    DateTime,
    /// Bytes in base64.
    Base64,
    /// Bytes in hexadecimal digits.
    HexBinary,
}

#[cfg(target_family = "wasm")]
impl ValueKind {
    /// The case with this WIT discriminant; the bindings call it.
    #[doc(hidden)]
    #[allow(unsafe_code, clippy::missing_safety_doc, reason = "the bindings call it as an unsafe function")]
    pub unsafe fn _lift(discriminant: u8) -> Self {
        const ALL: [ValueKind; 9] = [
            ValueKind::String,
            ValueKind::Int,
            ValueKind::UnsignedInt,
            ValueKind::Long,
            ValueKind::UnsignedLong,
            ValueKind::Boolean,
            ValueKind::DateTime,
            ValueKind::Base64,
            ValueKind::HexBinary,
        ];
        let Some(kind) = ALL.get(usize::from(discriminant)) else { panic!("the host sent kind {discriminant}, which the canonical ABI forbids") };
        *kind
    }
}

/// A parameter with the value that it has on the device now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The full path.
    pub name: String,
    /// The value as the device wrote it; empty where the data model hides it.
    pub value: String,
    /// Its type.
    pub kind: ValueKind,
}

/// What is to be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The device.
    pub device: Device,
    /// The plan, as the inventory named it.
    pub plan: String,
    /// What the customer bought.
    pub profile: ServiceProfile,
    /// What is known of the device's present values.
    pub current: Vec<Parameter>,
}

/// A parameter with the value that it is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The full path: 1 to 256 bytes. `{label}` in it stands for the instance number of the object of that label.
    pub name: String,
    /// The value in the form of its type.
    pub value: SettingValue,
    /// The type.
    pub kind: ValueKind,
}

impl Assignment {
    /// Sets a text.
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: SettingValue::Text(value.into()), kind: ValueKind::String }
    }

    /// Sets an unsigned number.
    pub fn number(name: impl Into<String>, value: u32) -> Self {
        Self { name: name.into(), value: SettingValue::Text(value.to_string()), kind: ValueKind::UnsignedInt }
    }

    /// Switches something on or off.
    pub fn switch(name: impl Into<String>, on: bool) -> Self {
        Self { name: name.into(), value: SettingValue::Text(on.to_string()), kind: ValueKind::Boolean }
    }

    /// Sets a text that may be secret.
    pub fn setting(name: impl Into<String>, value: &SettingValue) -> Self {
        Self { name: name.into(), value: value.clone(), kind: ValueKind::String }
    }
}

/// An instance of a multi-instance object that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What names and other objects call it: 1 to 32 characters of `[a-z0-9_]`, unique.
    pub label: String,
    /// The path of the table with the dot at its end; may contain `{label}` of objects before it.
    pub path: String,
    /// The instance that it is known to be; nothing is looked for or added then.
    pub instance: Option<u32>,
    /// What it is found again by: names relative to the instance. Without any, one is always added.
    pub key: Vec<Assignment>,
}

/// How a device tells of changes of a parameter (TR-069 A.3.2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The full path, as in an [`Assignment`].
    pub name: String,
    /// 0 off, 1 passive, 2 active; 3 to 6 as 1 and 2 with lightweight notifications.
    pub level: u8,
}

/// What the host is to do with the device: removals, objects, assignments, notifications, reboot, in this order.
/// One beyond the limits below is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceConfiguration {
    /// At most 256 instances that are to be deleted, as full paths with the dot at their end.
    pub removals: Vec<String>,
    /// At most 256 instances that must be there.
    pub objects: Vec<Object>,
    /// At most 4096, no name twice. The host sends only what differs, and reads every one of them back.
    pub assignments: Vec<Assignment>,
    /// At most 256.
    pub notifications: Vec<Notification>,
    /// At most 256 parameters that cannot be read back on this device, beyond those that the data models hide.
    pub hidden: Vec<String>,
    /// How this device differs from the standard, as the operator's records of quirks have it; at most 256. What the operator said wins.
    pub quirks: Vec<Characteristic>,
    /// Whether the device applies the values only after a reboot.
    pub reboot: bool,
}

impl DeviceConfiguration {
    /// Adds an assignment.
    pub fn set(&mut self, assignment: Assignment) {
        self.assignments.push(assignment);
    }
}

/// The parameters of a vendor's devices: a function of the request and of the plugin's settings.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement a contract that `export!` names",
    note = "write `impl Configuration for {Self}`, or take the contract out of `export!`"
)]
pub trait Configuration {
    /// Builds the configuration.
    ///
    /// # Errors
    /// A profile that this device cannot have is [`Failure::Rejected`](crate::Failure::Rejected).
    fn apply(call: &crate::Call, request: Request) -> Result<DeviceConfiguration, crate::Failure>;
}
