//! `[tokens]`: whose token it is, and what may be done with it.
//!
//! ```toml
//! [tokens]
//! web-shop = { blake3 = "...", roles = ["orders"] }
//! ann = { blake3 = "...", roles = ["viewer", "publisher"] }
//! ```

use std::{collections::BTreeMap, collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::ADMIN;

/// What may be done with a token. A token may have several; each stands for what it names and nothing else, but for `admin`, which is everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Looks at everything: orders, runs, devices and whose they are, plugins, bindings, the audit trail.
    Viewer,
    /// Sends orders and looks at them: a sales channel.
    Orders,
    /// Looks at everything and decides about runs and devices: resolve, undo, repin, backup; takes in, provisions, commands and forgets devices.
    Operator,
    /// Signs tenants up, looks at them, gives out their passwords and deletes them: a portal of customers.
    Tenants,
    /// Installs files of plugins; puts none into service.
    Publisher,
    /// Everything, and alone what decides which plugin runs with which grant.
    Admin,
}

/// A token that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The hexadecimal blake3 hash of the token.
    pub(crate) blake3: String,
    /// What may be done with it; `None` where only the hash is written, which is everything.
    pub(crate) roles: Option<BTreeSet<Role>>,
}

/// The form with roles.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    blake3: String,
    roles: BTreeSet<Role>,
}

impl Role {
    pub(crate) const ALL: [Self; 6] = [Self::Viewer, Self::Orders, Self::Operator, Self::Tenants, Self::Publisher, Self::Admin];

    /// As it is written in a configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Orders => "orders",
            Self::Operator => "operator",
            Self::Tenants => "tenants",
            Self::Publisher => "publisher",
            Self::Admin => "admin",
        }
    }

    /// Roles in a sentence.
    pub(crate) fn list(roles: impl IntoIterator<Item = Self>) -> String {
        roles.into_iter().map(Self::name).collect::<Vec<_>>().join(", ")
    }
}

impl Token {
    /// The roles that it has.
    pub(crate) fn roles(&self) -> BTreeSet<Role> {
        self.roles.clone().unwrap_or_else(|| [Role::Admin].into())
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TokenVisitor)
    }
}

/// Reads both forms. Written by hand, because a choice between forms would not say which key is wrong.
struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ blake3 = \"HASH\", roles = [\"viewer\"] }")
    }

    fn visit_str<E>(self, hash: &str) -> Result<Token, E> {
        Ok(Token { blake3: hash.to_owned(), roles: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Token, A::Error> {
        let Full { blake3, roles } = Full::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(Token { blake3, roles: Some(roles) })
    }
}

/// What the types do not say.
pub(super) fn check(tokens: &BTreeMap<String, Token>) -> Result<(), String> {
    if tokens.contains_key(ADMIN) {
        return Err(format!("tokens.{ADMIN}: the name is the administrator's, whose token the first start makes: expected another name"));
    }
    let mut owners = BTreeMap::new();
    for (name, Token { blake3: hash, roles }) in tokens {
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!(
                "tokens.{name}: expected the blake3 hash of the token, 64 hexadecimal digits (`jackfield token new NAME` prints it)"
            ));
        }
        if roles.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(format!("tokens.{name}.roles is empty: expected one or more of {}", Role::list(Role::ALL)));
        }
        if let Some(other) = owners.insert(hash.to_ascii_lowercase(), name) {
            return Err(format!("tokens.{name} has the hash of tokens.{other}: expected a token of its own for each"));
        }
    }
    Ok(())
}
