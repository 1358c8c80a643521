//! What a plugin asks for, and why. Each entry is a name alone, as manifests had it first, or an object that says why.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

/// What a plugin may reach if the operator grants it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Capabilities {
    /// Logical names of HTTP endpoints: `element` is reached as `http://element/...`.
    pub http: Vec<Asked>,
    /// Whether it opens TCP connections of its own. The operator grants addresses one by one.
    #[serde(deserialize_with = "wanted")]
    pub tcp: Option<Wanted>,
    /// Whether it keeps something in the host's key-value store.
    #[serde(deserialize_with = "wanted")]
    pub keyvalue: Option<Wanted>,
    /// Logical names of secrets, of which it gets handles.
    pub secrets: Vec<Asked>,
    /// The settings it reads.
    pub config: Vec<Setting>,
}

/// A named capability: `"element"` or `{"name": "element", "why": "..."}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The logical name.
    pub name: String,
    /// What it is for.
    pub why: Option<String>,
}

/// A capability without a name: `true` or `{"why": "..."}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// What it is for.
    pub why: Option<String>,
}

/// A setting: `"pools"` or `{"name": "pools", "why": "...", "schema": {...}, "required": true}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The key.
    pub name: String,
    /// What it is for.
    pub why: Option<String>,
    /// The JSON Schema of its value. A setting is a text: where the schema's type is `string` it is the value, otherwise it is read as JSON.
    pub schema: Option<Value>,
    /// Whether the plugin is of no use without it.
    pub required: bool,
}

impl From<String> for Asked {
    fn from(name: String) -> Self {
        Self { name, why: None }
    }
}

impl From<String> for Setting {
    fn from(name: String) -> Self {
        Self { name, why: None, schema: None, required: false }
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            name: String,
            #[serde(default)]
            why: Option<String>,
        }
        impl From<Fields> for Asked {
            fn from(Fields { name, why }: Fields) -> Self {
                Self { name, why }
            }
        }
        deserializer.deserialize_any(NameOr::<Fields, Self>(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            name: String,
            #[serde(default)]
            why: Option<String>,
            #[serde(default)]
            schema: Option<Value>,
            #[serde(default)]
            required: bool,
        }
        impl From<Fields> for Setting {
            fn from(Fields { name, why, schema, required }: Fields) -> Self {
                Self { name, why, schema, required }
            }
        }
        deserializer.deserialize_any(NameOr::<Fields, Self>(PhantomData))
    }
}

/// Reads a name, or an object with fields.
struct NameOr<F, T>(PhantomData<(F, T)>);

impl<'de, F: Deserialize<'de> + Into<T>, T: From<String>> Visitor<'de> for NameOr<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name or an object with `name` and `why`")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<T, E> {
        Ok(name.to_owned().into())
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        F::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
    }
}

/// Reads a capability without a name.
fn wanted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Wanted>, D::Error> {
    struct Reason;

    impl<'de> Visitor<'de> for Reason {
        type Value = Option<Wanted>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true, false or an object with `why`")
        }

        fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<Self::Value, E> {
            Ok(wanted.then(Wanted::default))
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Fields {
                #[serde(default)]
                why: Option<String>,
            }
            Fields::deserialize(MapAccessDeserializer::new(map)).map(|Fields { why }| Some(Wanted { why }))
        }
    }

    deserializer.deserialize_any(Reason)
}
