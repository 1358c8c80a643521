//! The gate for capabilities: what a component imports, what its manifest asks for, what the operator grants.

use std::{collections::BTreeMap, sync::Arc};

use package::{Ask, Capabilities, Manifest};
use wasmtime::{
    Engine,
    component::{
        Component,
        types::{ComponentInstance, ComponentItem},
    },
};

use crate::{
    error::LoadError,
    grant::Grant,
    host::{
        http::{Rule, Rules},
        interface::Offered,
        secrets::{MIN_SECRET, Secrets},
    },
    plugin::Granted,
    runtime::Shared,
    shape::FunctionShape,
};

/// Packages of WASI that are always linked. They are empty by value: no environment, no files, standard input closed, standard error captured.
const BASELINE: [&str; 5] = ["wasi:cli/", "wasi:io/", "wasi:clocks/", "wasi:random/", "wasi:filesystem/"];

/// Refuses imports that the manifest does not ask for and those that nothing provides.
pub(super) fn check(engine: &Engine, component: &Component, manifest: &Manifest, offered: &[Offered]) -> Result<(), LoadError> {
    examine(engine, component, manifest, offered).into_iter().try_for_each(|(_, judged)| judged)
}

/// Every import by name, and why it is refused if it is.
pub(super) fn examine(engine: &Engine, component: &Component, manifest: &Manifest, offered: &[Offered]) -> Vec<(String, Result<(), LoadError>)> {
    let judge = |name: &str, item: ComponentItem| match item {
        ComponentItem::ComponentInstance(instance) if only_types(engine, &instance) => Ok(()),
        ComponentItem::ComponentInstance(instance) => one(engine, name, &instance, &manifest.capabilities, offered),
        ComponentItem::Type(_) => Ok(()),
        ComponentItem::ComponentFunc(_)
        | ComponentItem::CoreFunc(_)
        | ComponentItem::Module(_)
        | ComponentItem::Component(_)
        | ComponentItem::Resource(_) => Err(refused(name, "is not an interface: a plugin imports interfaces only")),
    };
    component.component_type().imports(engine).map(|(name, item)| (name.to_owned(), judge(name, item.ty))).collect()
}

fn one(engine: &Engine, name: &str, instance: &ComponentInstance, asked: &Capabilities, offered: &[Offered]) -> Result<(), LoadError> {
    let interface = name.split_once('@').map_or(name, |(interface, _)| interface);
    if let Some(own) = offered.iter().find(|own| own.name == name) {
        return fits(engine, name, instance, own);
    }
    if BASELINE.iter().any(|package| interface.starts_with(package)) {
        return Ok(());
    }
    match interface {
        "jackfield:host/telemetry" | "jackfield:host/spans" | "jackfield:host/metrics" | "jackfield:host/config" => Ok(()),
        "jackfield:host/keyvalue" if asked.keyvalue.is_some() => Ok(()),
        "jackfield:host/keyvalue" => Err(refused(name, "its manifest does not ask for: set `capabilities.keyvalue` to true")),
        "wasi:http/types" | "wasi:http/outgoing-handler" if !asked.http.is_empty() => Ok(()),
        "wasi:http/types" | "wasi:http/outgoing-handler" => {
            Err(refused(name, "its manifest does not ask for: list the logical names of its endpoints in `capabilities.http`"))
        }
        "jackfield:host/secrets" if !asked.secrets.is_empty() => Ok(()),
        "jackfield:host/secrets" => Err(refused(name, "its manifest does not ask for: list the names of its secrets in `capabilities.secrets`")),
        other if other.starts_with("wasi:sockets/") && asked.tcp.is_some() => Ok(()),
        other if other.starts_with("wasi:sockets/") => Err(refused(
            name,
            "its manifest does not ask for: use wasi:http/outgoing-handler, or say in `capabilities.tcp` what it opens connections for",
        )),
        _ => Err(refused(name, "this host does not offer")),
    }
}

/// A pack's interface does not evolve: the plugin must have been built from the WIT that is offered.
fn fits(engine: &Engine, name: &str, instance: &ComponentInstance, own: &Offered) -> Result<(), LoadError> {
    for (function, item) in instance.exports(engine) {
        let ComponentItem::ComponentFunc(ty) = item.ty else { continue };
        let plugin = FunctionShape::of_component_func(&ty).map_err(|error| refused(name, &format!("cannot be linked: {function}: {error}")))?;
        match own.functions.get(function) {
            Some(host) if host.result == plugin.result && host.params.iter().map(|p| &p.shape).eq(plugin.params.iter().map(|p| &p.shape)) => {}
            Some(host) => {
                let why = format!("differs from what this host offers:\n{function}: the type changed\n  host:   {host}\n  plugin: {plugin}");
                return Err(refused(name, &why));
            }
            None => return Err(refused(name, &format!("has no function `{function}` in this host"))),
        }
    }
    Ok(())
}

fn only_types(engine: &Engine, instance: &ComponentInstance) -> bool {
    instance.exports(engine).all(|(_, item)| matches!(item.ty, ComponentItem::Type(_)))
}

fn refused(import: &str, why: &str) -> LoadError {
    LoadError::Import { import: import.to_owned(), why: why.to_owned() }
}

/// What a plugin gets: what its manifest asks for and the operator grants. Everything it asks for must be granted, but settings may stay unset.
pub(super) fn granted(manifest: &Manifest, grant: &Grant, shared: &Shared) -> Result<Granted, LoadError> {
    let wrong = |problem: String| LoadError::Grant { plugin: manifest.name.clone(), problem };
    let Capabilities { http, tcp, keyvalue, secrets, config } = &manifest.capabilities;
    let mut rules = BTreeMap::new();
    for asked in http {
        let name = &asked.name;
        let rule = grant.http.get(name).ok_or_else(|| missing(format!("the HTTP endpoint `{name}`"), Ask::http(asked)))?;
        let rule = Rule::parse(rule, &shared.outside).map_err(|problem| wrong(format!("http.{name}: {problem}")))?;
        rules.insert(name.clone(), rule);
    }
    if let Some(wanted) = tcp
        && grant.tcp.is_empty()
    {
        return Err(missing("TCP connections".to_owned(), Ask::tcp(wanted)));
    }
    if let Some(wanted) = keyvalue
        && !grant.keyvalue
    {
        return Err(missing("the key-value store".to_owned(), Ask::keyvalue(wanted)));
    }
    let mut handed = BTreeMap::new();
    for asked in secrets {
        let name = &asked.name;
        let secret = grant.secrets.get(name).ok_or_else(|| missing(format!("the secret `{name}`"), Ask::secret(asked)))?;
        if secret.reveal().len() < MIN_SECRET {
            return Err(wrong(format!("secrets.{name}: it has {} bytes, expected at least {MIN_SECRET}", secret.reveal().len())));
        }
        handed.insert(name.clone(), secret.clone());
    }
    if let Some(key) = grant.config.keys().find(|key| !config.iter().any(|setting| setting.name == **key)) {
        let known = config.iter().map(|setting| setting.name.as_str()).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "no settings".to_owned() } else { known };
        return Err(wrong(format!("config.{key}: the plugin does not read this setting, it reads {known}")));
    }
    manifest.check_settings(&grant.config).map_err(|error| wrong(error.to_string()))?;
    let added = rules.keys().filter_map(|name| Some((name.clone(), grant.http.get(name)?.added()))).collect();
    let secrets = Secrets::new(handed, &added, shared.options.seal_key.clone(), !secrets.is_empty());
    Ok(Granted {
        http: Arc::new(Rules::new(manifest.name.clone(), rules)),
        config: Arc::new(grant.config.clone()),
        tcp: if tcp.is_some() { grant.tcp.clone().into() } else { Arc::default() },
        secrets: Arc::new(secrets),
    })
}

fn missing(capability: String, ask: Ask) -> LoadError {
    LoadError::NotGranted { capability, line: ask.line }
}
