//! What a plugin may reach, each with the reason that an operator reads before granting it.

/// What a plugin may reach.
///
/// ```
/// use jackfield_plugin_sdk::{Capabilities, Endpoint, Setting};
///
/// const CAPABILITIES: Capabilities = Capabilities {
///     http: &[Endpoint::new("element", "configures the access port")],
///     keyvalue: Some("remembers which port belongs to which service"),
///     config: &[Setting::new("ports", "how many ports there are").schema(r#"{"type": "integer", "minimum": 1}"#).required()],
///     ..Capabilities::NONE
/// };
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// HTTP endpoints by logical names: `element` is reached as `http://element/...`.
    pub http: &'static [Endpoint],
    /// Why it opens TCP connections of its own; `None`: it does not. The operator grants addresses one by one.
    pub tcp: Option<&'static str>,
    /// Why it keeps something in the host's key-value store; `None`: it does not.
    pub keyvalue: Option<&'static str>,
    /// The secrets of which it gets handles.
    pub secrets: &'static [Secret],
    /// The settings it reads.
    pub config: &'static [Setting],
}

impl Capabilities {
    /// Nothing at all.
    pub const NONE: Self = Self { http: &[], tcp: None, keyvalue: None, secrets: &[], config: &[] };
}

/// An HTTP endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The logical name: 1 to 63 characters of `[a-z0-9-]`.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub why: &'static str,
}

impl Endpoint {
    /// An endpoint and what it is for.
    pub const fn new(name: &'static str, why: &'static str) -> Self {
        Self { name, why }
    }
}

/// A secret.
#[derive(Debug, Clone, Copy)]
pub struct Secret {
    /// The logical name: 1 to 63 characters of `[a-z0-9-]`.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub why: &'static str,
}

impl Secret {
    /// A secret and what it is for.
    pub const fn new(name: &'static str, why: &'static str) -> Self {
        Self { name, why }
    }
}

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub why: &'static str,
    /// The JSON Schema of its value, or nothing. The host checks with it what an operator writes: where the schema's type is `string` the text, otherwise
    /// the text read as JSON.
    pub schema: &'static str,
    /// Whether the plugin is of no use without it. The host does not start without it then.
    pub required: bool,
}

impl Setting {
    /// A setting that may stay unset and may have any value.
    pub const fn new(name: &'static str, why: &'static str) -> Self {
        Self { name, why, schema: "", required: false }
    }

    /// The same with a JSON Schema for its value.
    #[must_use]
    pub const fn schema(self, schema: &'static str) -> Self {
        Self { schema, ..self }
    }

    /// The same, but it must be set.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}
