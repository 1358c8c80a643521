//! Implementations inside the host: which contracts they answer, and that a table has a rule for each of them without anybody writing one.

use engine::{Binding, BindingTable};
use pipeline::{ContractTrack, Pin, Provider, Verbs};
use tenant_database::{PostgresRunner, SqliteRunner};
use tenants::providers::{Acme, Directory, LocalCa, LocalStorage, LocalZone, Maildir, Smtp};

use crate::config::{BindingSettings, Config, NATIVE, Tenants};

/// Everything that is done with a device.
pub(crate) const CWMP: &str = cpe::flow::DEVICE_PROVIDER;
/// The inventory of devices in the host's own store.
pub(crate) const EMBEDDED_INVENTORY: &str = "embedded-inventory";
/// The profiles of plans in the host's own store.
pub(crate) const EMBEDDED_PROFILE: &str = "embedded-profile";

/// The implementations that this host has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Natives(Vec<Native>);

#[derive(Debug, Clone)]
struct Native {
    name: String,
    track: ContractTrack,
    pin: Pin,
    /// Nothing else may answer the contract.
    alone: bool,
}

impl Natives {
    /// Those of a configuration. Of several that answer a contract the first is bound to it unless an operator says otherwise.
    pub(crate) fn of(config: &Config) -> Self {
        let mut natives = Vec::new();
        if config.cpe.is_enabled() {
            natives.extend(of_devices());
        }
        if let Some(tenants) = &config.tenants {
            natives.extend(of_tenants(tenants));
        }
        Self(natives)
    }

    /// The pin of one for a contract.
    pub(super) fn pin(&self, contract: &ContractTrack, name: &str) -> Result<Pin, String> {
        self.0.iter().find(|native| native.name == name && native.track == *contract).map(|native| native.pin.clone()).ok_or_else(|| {
            let known: Vec<String> =
                self.0.iter().filter(|native| native.track == *contract).map(|native| format!("{NATIVE}{}", native.name)).collect();
            let known =
                if known.is_empty() { "nothing inside the host does".to_owned() } else { format!("inside the host {} does", known.join(", ")) };
            format!("bindings.\"{contract}\" names `{NATIVE}{name}`, which does not answer it; {known}")
        })
    }

    /// Whether what an operator wrote leaves alone what is the host's, and names implementations that there are.
    pub(crate) fn check(&self, settings: &BindingSettings) -> Result<(), String> {
        let own = |contract: &&ContractTrack| self.0.iter().any(|native| native.alone && native.track == **contract);
        if let Some(contract) = settings.contracts.keys().find(own) {
            return Err(format!("bindings.\"{contract}\": the contract is answered by the host itself and cannot be bound"));
        }
        settings.natives().try_for_each(|(contract, name)| self.pin(contract, name).map(drop))
    }

    /// The table with a rule for every contract of these that it has none for. A rule for one that nothing else may answer is as this host has it.
    pub(super) fn complete(&self, mut table: BindingTable) -> BindingTable {
        for native in &self.0 {
            let rule = Binding::to(native.track.clone(), native.pin.clone().into());
            let known = table.rules.iter().any(|known| known.contract == native.track);
            if native.alone && known && !table.rules.contains(&rule) {
                table.rules.retain(|known| known.contract != native.track);
                table.rules.push(rule);
            } else if !known {
                table.rules.push(rule);
            }
        }
        table
    }
}

fn native(pin: Pin, alone: bool) -> Native {
    let (track, _) = pin.contract.split_once('.').expect("the contracts of the host have whole versions");
    let track = track.parse().expect("the contracts of the host are valid tracks");
    Native { name: pin.provider.name().to_owned(), track, pin, alone }
}

fn of_devices() -> [Native; 3] {
    let embedded = |contract: &str, name: &str| {
        let provider = Provider::Native { name: name.to_owned() };
        native(Pin { provider, contract: contract.to_owned(), verbs: Verbs::default(), idempotent: true }, false)
    };
    [
        native(cpe::flow::DeviceRunner::pin(), true),
        embedded("jackfield:cpe/inventory@1.0.0", EMBEDDED_INVENTORY),
        embedded("jackfield:cpe/profile@1.0.0", EMBEDDED_PROFILE),
    ]
}

fn of_tenants(settings: &Tenants) -> Vec<Native> {
    let (providers, mut natives) = (&settings.providers, vec![native(Directory::pin(), true)]);
    if providers.database.postgres.is_some() {
        natives.push(native(PostgresRunner::pin(), false));
    }
    if providers.acme.is_some() {
        natives.extend([native(Acme::order_pin(), false), native(Acme::certificate_pin(), false)]);
    }
    if providers.smtp.is_some() {
        natives.push(native(Smtp::pin(), false));
    }
    let embedded = [SqliteRunner::pin(), LocalStorage::pin(), LocalZone::pin(), LocalCa::order_pin(), LocalCa::certificate_pin(), Maildir::pin()];
    natives.extend(embedded.map(|pin| native(pin, false)));
    natives
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    fn natives() -> Natives {
        let config: Config = toml::from_str("[cpe]\nlisten = \"127.0.0.1:7547\"").unwrap();
        Natives::of(&config)
    }

    fn bound(table: &BindingTable) -> Vec<String> {
        table.rules.iter().map(|rule| format!("{} = {}", rule.contract, rule.choices[0].pin.provider.name())).collect()
    }

    #[test]
    fn a_table_is_completed_once_and_what_is_bound_stays() {
        assert_eq!(Natives::of(&Config::default()).complete(BindingTable::default()), BindingTable::default());
        let empty = natives().complete(BindingTable::default());
        let device = "jackfield:cpe/device@1 = cwmp";
        assert_eq!(bound(&empty), [device, "jackfield:cpe/inventory@1 = embedded-inventory", "jackfield:cpe/profile@1 = embedded-profile"]);
        assert_eq!(natives().complete(empty.clone()), empty);

        let mut own = empty.clone();
        let pin = Pin { provider: Provider::Native { name: "crm".to_owned() }, ..(*own.rules[1].choices[0].pin).clone() };
        own.rules[1].choices[0].pin = pin.into();
        assert_eq!(natives().complete(own.clone()), own);
        // What an older host wrote about its own contract.
        let mut older = empty.clone();
        let pin = Pin { verbs: Verbs::default(), ..(*older.rules[0].choices[0].pin).clone() };
        older.rules[0].choices[0].pin = pin.into();
        assert_eq!(natives().complete(older).rules.last(), empty.rules.first());
    }

    #[test]
    fn what_does_not_fit_is_said_with_what_would() {
        let check = |value: Value| {
            let table: BTreeMap<String, Value> = serde_json::from_value(value).unwrap();
            natives().check(&BindingSettings::read(&table).unwrap())
        };
        assert_eq!(check(json!({"jackfield:cpe/profile@1": "native:embedded-profile", "jackfield:cpe/inventory@1": "crm"})), Ok(()));
        for (given, expected) in [
            (json!({"jackfield:cpe/device@1": "native:cwmp"}), "is answered by the host itself"),
            (json!({"jackfield:cpe/profile@1": "native:cwmp"}), "which does not answer it; inside the host native:embedded-profile does"),
            (json!({"jackfield:order/billing@1": "native:cwmp"}), "nothing inside the host does"),
        ] {
            let refused = check(given).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
