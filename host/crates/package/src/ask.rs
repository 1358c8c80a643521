//! What a manifest asks of an operator, with the line of configuration that grants each.

use std::fmt;

use serde::Serialize;

use crate::manifest::{Asked, Capabilities, Manifest, Setting, Wanted};

/// One capability that a plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ask {
    /// Which: `http.element`, `keyvalue`, `config.pools`.
    pub capability: String,
    /// What the vendor says it is for.
    pub why: Option<String>,
    /// The line below `[plugins.NAME.grant]` that grants it, with placeholders where only the operator knows.
    pub line: String,
}

impl Ask {
    /// An HTTP endpoint.
    pub fn http(asked: &Asked) -> Self {
        let name = &asked.name;
        Self::new(format!("http.{name}"), asked.why.as_deref(), format!("http.{name} = {{ url = \"https://...\", methods = [\"GET\"] }}"))
    }

    /// TCP connections.
    pub fn tcp(wanted: &Wanted) -> Self {
        Self::new("tcp".to_owned(), wanted.why.as_deref(), "tcp = [\"ADDRESS:PORT\"]".to_owned())
    }

    /// The key-value store.
    pub fn keyvalue(wanted: &Wanted) -> Self {
        Self::new("keyvalue".to_owned(), wanted.why.as_deref(), "keyvalue = true".to_owned())
    }

    /// A secret.
    pub fn secret(asked: &Asked) -> Self {
        let name = &asked.name;
        Self::new(format!("secrets.{name}"), asked.why.as_deref(), format!("secrets.{name} = \"env:...\""))
    }

    /// A setting.
    pub fn setting(setting: &Setting) -> Self {
        let name = &setting.name;
        Self::new(format!("config.{name}"), setting.why.as_deref(), format!("config.\"{name}\" = \"...\""))
    }

    fn new(capability: String, why: Option<&str>, line: String) -> Self {
        Self { capability, why: why.map(str::to_owned), line }
    }
}

impl fmt::Display for Ask {
    /// Which, with the vendor's reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Some(why) => write!(f, "{}: {why}", self.capability),
            None => f.write_str(&self.capability),
        }
    }
}

impl Manifest {
    /// Everything that it asks for, in the order of the manifest. Settings may stay unset unless they are required.
    pub fn asks(&self) -> Vec<Ask> {
        let Capabilities { http, tcp, keyvalue, secrets, config } = &self.capabilities;
        let mut asks: Vec<Ask> = http.iter().map(Ask::http).collect();
        asks.extend(tcp.as_ref().map(Ask::tcp));
        asks.extend(keyvalue.as_ref().map(Ask::keyvalue));
        asks.extend(secrets.iter().map(Ask::secret));
        asks.extend(config.iter().map(Ask::setting));
        asks
    }
}
