//! The parameters of one device: what differs from its model is all that it keeps.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use super::{
    model::{Access, Base, Leaf, Model, pattern},
    options::DeviceOptions,
};

/// The parameters.
#[derive(Debug)]
pub(super) struct Tree {
    base: &'static Base,
    values: BTreeMap<String, Written>,
    /// Instances that were added, and those of the factory that were deleted.
    added: BTreeSet<String>,
    removed: BTreeSet<String>,
    /// The highest instance number that was ever given out or taken back, by table.
    highest: BTreeMap<String, u32>,
    notifications: BTreeMap<String, u8>,
    /// What a device knows of itself.
    pub(super) key: String,
    pub(super) url: String,
    started: Instant,
}

/// A value that is not the factory's.
#[derive(Debug, Clone)]
struct Written {
    value: String,
    /// How often somebody else has written it.
    times: u32,
}

/// A parameter as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) xsd: &'static str,
    pub(super) value: String,
}

impl Tree {
    pub(super) fn new(of: &DeviceOptions) -> Self {
        let mut tree = Self::empty(of.model);
        if let Some(firmware) = &of.firmware {
            tree.change(&of.parameter("DeviceInfo.SoftwareVersion"), firmware);
        }
        tree
    }

    fn empty(model: Model) -> Self {
        Self {
            base: model.base(),
            values: BTreeMap::new(),
            added: BTreeSet::new(),
            removed: BTreeSet::new(),
            highest: BTreeMap::new(),
            notifications: BTreeMap::new(),
            key: String::new(),
            url: String::new(),
            started: Instant::now(),
        }
    }

    /// Everything but address and firmware is the factory's again.
    pub(super) fn reset(&mut self, of: &DeviceOptions) {
        let url = std::mem::take(&mut self.url);
        let firmware = self.values.remove_entry(&of.parameter("DeviceInfo.SoftwareVersion"));
        *self = Self { url, values: firmware.into_iter().collect(), ..Self::empty(of.model) };
    }

    /// What kind of parameter this is; `None` if the device has none of this name.
    pub(super) fn leaf(&self, name: &str) -> Option<Leaf> {
        if let Some(leaf) = self.base.leaves.get(name) {
            let removed = !self.removed.is_empty() && self.removed.iter().any(|object| name.starts_with(object));
            return (!removed).then_some(*leaf);
        }
        let there = self.added.iter().any(|object| name.strip_prefix(object.as_str()).is_some_and(|rest| !has_instance(rest)));
        if there { self.base.templates.get(pattern(name).as_str()).copied() } else { None }
    }

    /// The value that a parameter really has.
    pub(super) fn value(&self, name: &str, of: &DeviceOptions) -> Option<String> {
        let leaf = self.leaf(name)?;
        if let Some(written) = self.values.get(name) {
            return Some(written.value.clone());
        }
        Some(match leaf.value.strip_prefix('#') {
            Some(table) => self.instances(table).len().to_string(),
            None if leaf.value.contains('{') => self.fill(leaf.value, of),
            None => leaf.value.to_owned(),
        })
    }

    fn fill(&self, text: &str, of: &DeviceOptions) -> String {
        match text {
            "{acs}" => of.acs_url.clone(),
            "{user}" => of.username(),
            "{password}" => of.password.clone(),
            "{key}" => self.key.clone(),
            "{url}" => self.url.clone(),
            "{mac}" => of.mac(),
            "{uptime}" => self.started.elapsed().as_secs().to_string(),
            "{now}" => now(),
            _ => text.replace("{oui}", &of.oui).replace("{class}", &of.product_class).replace("{serial}", &of.serial),
        }
    }

    /// Somebody else writes a value. Whether that is allowed is not asked.
    pub(super) fn write(&mut self, name: &str, value: &str) {
        self.put(name, value, 1);
    }

    /// The device itself has a new value.
    pub(super) fn change(&mut self, name: &str, value: &str) {
        self.put(name, value, 0);
    }

    fn put(&mut self, name: &str, value: &str, times: u32) {
        match self.values.get_mut(name) {
            Some(written) => {
                value.clone_into(&mut written.value);
                written.times += times;
            }
            None => drop(self.values.insert(name.to_owned(), Written { value: value.to_owned(), times })),
        }
    }

    /// How often a parameter was written.
    pub(super) fn writes(&self, name: &str) -> u32 {
        self.values.get(name).map_or(0, |written| written.times)
    }

    /// The parameters under an object, by name. `None` if there is no such object.
    pub(super) fn under(&self, object: &str) -> Option<Vec<String>> {
        let own = self.base.leaves.range(object.to_owned()..).map(|(name, _)| name).take_while(|name| name.starts_with(object));
        let mut names: Vec<String> = own.filter(|name| !self.removed.iter().any(|removed| name.starts_with(removed))).cloned().collect();
        for added in &self.added {
            if added.starts_with(object) || object.starts_with(added.as_str()) {
                names.extend(self.base.instance(added).into_iter().map(|(name, _)| name).filter(|name| name.starts_with(object)));
            }
        }
        names.sort_unstable();
        names.dedup();
        (!names.is_empty() || self.base.tables.contains(format!("{}{{i}}.", pattern(object)).as_str())).then_some(names)
    }

    /// The numbers of a table's instances.
    pub(super) fn instances(&self, table: &str) -> BTreeSet<u32> {
        let names = self.under(table).unwrap_or_default();
        names.iter().filter_map(|name| name.strip_prefix(table)?.split('.').next()?.parse().ok()).collect()
    }

    /// Adds an instance and says its number. `None` if nothing can be added there.
    pub(super) fn add(&mut self, table: &str) -> Option<u32> {
        let parent = table.trim_end_matches('.').rsplit_once('.').map_or("", |(parent, _)| parent);
        self.under(&format!("{parent}."))?;
        self.base.tables.get(format!("{}{{i}}.", pattern(table)).as_str())?;
        let highest = self.instances(table).last().copied().unwrap_or_default().max(self.highest.get(table).copied().unwrap_or_default());
        let number = highest + 1;
        self.highest.insert(table.to_owned(), number);
        self.added.insert(format!("{table}{number}."));
        Some(number)
    }

    /// Deletes an instance; `false` if there is none, or it cannot be deleted.
    pub(super) fn delete(&mut self, object: &str) -> bool {
        if !self.base.tables.contains(pattern(object).as_str()) || self.under(object).is_none_or(|names| names.is_empty()) {
            return false;
        }
        let (table, number) = place(object);
        let highest = self.highest.entry(table).or_default();
        *highest = number.max(*highest);
        self.added.retain(|added| !added.starts_with(object));
        self.values.retain(|name, _| !name.starts_with(object));
        self.notifications.retain(|name, _| !name.starts_with(object));
        if self.base.leaves.range(object.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(object)) {
            self.removed.insert(object.to_owned());
        }
        true
    }

    /// Whether instances can be added to this table, or this instance can be deleted.
    pub(super) fn is_writable_object(&self, object: &str) -> bool {
        self.base.tables.contains(pattern(object).as_str()) || self.base.tables.contains(format!("{}{{i}}.", pattern(object)).as_str())
    }

    pub(super) fn notification(&self, name: &str) -> u8 {
        self.notifications.get(name).copied().unwrap_or_else(|| if self.base.inform.contains(&name) { 2 } else { 0 })
    }

    pub(super) fn notify(&mut self, name: &str, level: u8) {
        self.notifications.insert(name.to_owned(), level);
    }

    /// The configuration as a file: what can be written and read, a line each.
    pub(super) fn configuration(&self, of: &DeviceOptions) -> String {
        let names = self.under(of.model.root()).unwrap_or_default();
        let readable = names.iter().filter(|name| self.leaf(name).is_some_and(|leaf| leaf.access == Access::Write));
        readable.filter_map(|name| Some(format!("{name}={}\n", self.value(name, of)?))).collect()
    }

    /// What every Inform carries.
    pub(super) fn inform(&self) -> &'static [&'static str] {
        &self.base.inform
    }
}

impl Leaf {
    pub(super) fn is_writable(&self) -> bool {
        self.access != Access::Read
    }
}

/// The table of an instance, and its number there.
fn place(object: &str) -> (String, u32) {
    let object = object.trim_end_matches('.');
    let (table, number) = object.rsplit_once('.').unwrap_or(("", object));
    (format!("{table}."), number.parse().unwrap_or_default())
}

fn has_instance(rest: &str) -> bool {
    rest.split('.').any(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The time as CWMP writes it.
pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
