//! Step `dns`: makes the tenant findable under its domain.

use std::net::IpAddr;

use pipeline::{Attributes, Failure, Mapped, MappingError, StepDefinition, View};
use serde_json::{Value, json};

use super::{CERTIFICATE, CREATE_RECORD, DNS, Plan, copied, effect, reason, same, selectors, tenant_id};
use crate::{
    contract::{DnsRecord, DnsRequest},
    input::TenantInput,
    options::Options,
};

pub(crate) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: DNS,
        interface: "dns",
        after: &[CREATE_RECORD],
        map,
        accept,
        limits: options.steps.dns,
        reason: reason::dns,
        span: |_| "tenant.provision.dns".to_owned(),
        label: "dns",
        attributes,
    };
    StepDefinition { selectors: selectors::ZONE, ..effect(options, plan) }
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: TenantInput = view.input_as()?;
    let records = records(&input);
    Ok(Mapped::one(json!(DnsRequest { owner: input.id, zone: input.zone, records })))
}

/// One set for each family of addresses, or one other name.
fn records(input: &TenantInput) -> Vec<DnsRecord> {
    let kind = |target: &String| match target.parse() {
        Ok(IpAddr::V4(_)) => "A",
        Ok(IpAddr::V6(_)) => "AAAA",
        Err(_) => "CNAME",
    };
    let set = |wanted: &str| {
        let values: Vec<String> = input.target.iter().filter(|target| kind(target) == wanted).cloned().collect();
        let record = DnsRecord { name: input.domain.clone(), kind: wanted.to_owned(), ttl: input.ttl, values, shared: false };
        (!record.values.is_empty()).then_some(record)
    };
    ["A", "AAAA", "CNAME"].into_iter().filter_map(set).collect()
}

/// Records of another zone or owner are not the tenant's.
pub(super) fn accept(request: &Value, output: &Value) -> Result<(), Failure> {
    same("zone", &request["zone"], &output["zone"])?;
    same("owner", &request["owner"], &output["owner"])
}

fn attributes(view: &View<'_>, request: &Value, output: Option<&Value>) -> Attributes {
    let mut attributes = tenant_id(view);
    let Some(output) = output else { return attributes };
    attributes.extend(copied(output, &[("dns.provider", "provider")]));
    attributes.extend(copied(&request["records"][0], &[("dns.subdomain", "name")]));
    // The certificate comes later: only where the records are made again it is there already.
    let provisioned = view.outputs(CERTIFICATE).next().is_some();
    attributes.extend(provisioned.then(|| ("dns.ssl.provisioned".to_owned(), true.into())));
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_become_the_records_that_they_are() {
        let input = |target: &[&str]| {
            let mut input = crate::simulation::input();
            input.target = target.iter().map(|target| (*target).to_owned()).collect();
            records(&input).into_iter().map(|record| format!("{} {} {:?}", record.name, record.kind, record.values)).collect::<Vec<_>>()
        };
        let both = ["acme.app.example.com A [\"192.0.2.1\", \"192.0.2.2\"]", "acme.app.example.com AAAA [\"2001:db8::1\"]"];
        assert_eq!(input(&["192.0.2.1", "2001:db8::1", "192.0.2.2"]), both);
        assert_eq!(input(&["edge.example.net"]), ["acme.app.example.com CNAME [\"edge.example.net\"]"]);
    }
}
