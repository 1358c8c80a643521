//! The built-in data models. `model/tr181.txt` says how they are written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

use super::kind::Kind;

/// What a virtual device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// A router with Wi-Fi in two bands, telephone lines and VLANs (TR-181, root `Device.`).
    #[default]
    Tr181Router,
    /// An optical terminal (TR-098, root `InternetGatewayDevice.`).
    Tr098Ont,
}

/// Who may do what with a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    /// Can be written, and reads empty.
    Hidden,
}

/// A parameter as it is when the device leaves the factory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    pub(super) kind: Kind,
    pub(super) access: Access,
    pub(super) value: &'static str,
}

/// A data model, shared by all devices that have it.
#[derive(Debug, Default)]
pub(super) struct Base {
    /// Parameters of the factory, by name.
    pub(super) leaves: BTreeMap<String, Leaf>,
    /// Parameters of an instance, by name with `{i}`.
    pub(super) templates: BTreeMap<&'static str, Leaf>,
    /// Tables to which instances can be added, as their instances are written: `Device.WiFi.SSID.{i}.`.
    pub(super) tables: BTreeSet<&'static str>,
    /// What every Inform carries.
    pub(super) inform: Vec<&'static str>,
}

static TR181: LazyLock<Base> = LazyLock::new(|| Base::parse(include_str!("model/tr181.txt")));
static TR098: LazyLock<Base> = LazyLock::new(|| Base::parse(include_str!("model/tr098.txt")));

impl Model {
    /// The object under which everything is.
    pub fn root(self) -> &'static str {
        match self {
            Self::Tr181Router => "Device.",
            Self::Tr098Ont => "InternetGatewayDevice.",
        }
    }

    /// Who makes it.
    pub fn manufacturer(self) -> &'static str {
        match self {
            Self::Tr181Router => "Norrland",
            Self::Tr098Ont => "Fenwick",
        }
    }

    /// The organisation of its maker.
    pub fn oui(self) -> &'static str {
        match self {
            Self::Tr181Router => "0A11CE",
            Self::Tr098Ont => "0AF0CC",
        }
    }

    /// Its product class.
    pub fn product_class(self) -> &'static str {
        match self {
            Self::Tr181Router => "NR-2200",
            Self::Tr098Ont => "FN-100G",
        }
    }

    pub(super) fn base(self) -> &'static Base {
        match self {
            Self::Tr181Router => &TR181,
            Self::Tr098Ont => &TR098,
        }
    }
}

impl Base {
    fn parse(text: &'static str) -> Self {
        let mut base = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (what, rest) = line.split_once(' ').expect("a line of a built-in model has a sign and a name");
            match what {
                "A" => drop(base.tables.insert(rest)),
                "!" => base.inform.push(rest),
                "+" => base.instantiate(rest),
                "=" => base.set(rest),
                _ => base.declare(what, rest),
            }
        }
        base
    }

    fn declare(&mut self, access: &str, rest: &'static str) {
        let access = match access {
            "R" => Access::Read,
            "W" => Access::Write,
            _ => Access::Hidden,
        };
        let mut parts = rest.splitn(3, ' ');
        let (name, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let kind = Kind::parse(kind).unwrap_or_else(|| panic!("the built-in model gives {name} a type that is none: {kind}"));
        let leaf = Leaf { kind, access, value: parts.next().unwrap_or_default() };
        if name.contains("{i}") {
            self.templates.insert(name, leaf);
        } else {
            self.leaves.insert(name.to_owned(), leaf);
        }
    }

    fn instantiate(&mut self, object: &'static str) {
        for (name, leaf) in self.instance(object) {
            self.leaves.insert(name, leaf);
        }
    }

    fn set(&mut self, rest: &'static str) {
        let (name, value) = rest.split_once(' ').expect("a value of a built-in model has a name");
        self.leaves.get_mut(name).unwrap_or_else(|| panic!("the built-in model has no {name}")).value = value;
    }

    /// The parameters of an instance such as `Device.WiFi.SSID.3.`, without those of tables below it.
    pub(super) fn instance(&self, object: &str) -> Vec<(String, Leaf)> {
        let pattern = pattern(object);
        let own = self.templates.range(pattern.as_str()..).take_while(|(name, _)| name.starts_with(&pattern));
        let own = own.filter(|(name, _)| !name[pattern.len()..].contains("{i}"));
        own.map(|(name, leaf)| (format!("{object}{}", &name[pattern.len()..]), *leaf)).collect()
    }
}

/// A name with `{i}` where it has instance numbers.
pub(super) fn pattern(name: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split('.').map(|part| if is_number(part) { "{i}" } else { part }).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::Model;

    #[test]
    fn the_built_in_models_are_consistent() {
        for model in [Model::Tr181Router, Model::Tr098Ont] {
            let base = model.base();
            assert!(base.leaves.keys().all(|name| name.starts_with(model.root())));
            assert!(base.inform.iter().all(|name| base.leaves.contains_key(*name)), "{:?}", base.inform);
            for (name, leaf) in &base.leaves {
                let computed = leaf.value.contains('{') || leaf.value.starts_with('#') || leaf.value.is_empty();
                assert!(computed || leaf.kind.takes(leaf.value), "{name} is {:?}", leaf.value);
            }
            for table in &base.tables {
                assert!(base.templates.keys().any(|name| name.starts_with(table)), "instances of {table} would be empty");
            }
        }
    }
}
