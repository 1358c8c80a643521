//! Step `challenge`: puts into the DNS what the authority wants to see. It goes when the certificate is there.

use std::collections::BTreeMap;

use pipeline::{Attributes, Mapped, MappingError, StepDefinition, Undo, View};
use serde_json::{Value, json};

use super::{
    AT_MOST_ONE, CERTIFICATE, CERTIFICATE_ORDER, CHALLENGE, Plan, certificate_order::Wanted, copied, dns, effect, reason, selectors, tenant_id, word,
};
use crate::{
    contract::{CertificateOrderReceipt, DnsRecord, DnsRequest},
    options::Options,
};

pub(crate) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: CHALLENGE,
        interface: "dns",
        after: &[CERTIFICATE_ORDER],
        map,
        accept: dns::accept,
        limits: options.steps.challenge,
        reason: reason::dns,
        span: |_| "tenant.provision.dns_challenge".to_owned(),
        label: "dns_challenge",
        attributes,
    };
    let step = effect(options, plan);
    StepDefinition { fan_out: AT_MOST_ONE, undo: Undo::After(word(CERTIFICATE)), selectors: selectors::ZONE, ..step }
}

/// All values of one name are one set of records, which others may have values in: a name and the names below it are proved in the same place.
fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let wanted: Wanted = view.input_as()?;
    let orders: Vec<CertificateOrderReceipt> = view.outputs_as(CERTIFICATE_ORDER)?;
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for challenge in orders.into_iter().flat_map(|order| order.challenges) {
        values.entry(challenge.name).or_default().push(challenge.value);
    }
    let ttl = wanted.ttl.min(60);
    let records: Vec<_> = values.into_iter().map(|(name, values)| DnsRecord { name, kind: "TXT".to_owned(), ttl, values, shared: true }).collect();
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let request = DnsRequest { owner: wanted.id, zone: wanted.zone.clone(), records };
    Ok(vec![Mapped { label: wanted.zone, request: json!(request) }])
}

fn attributes(view: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let mut attributes = tenant_id(view);
    attributes.extend(output.map(|output| copied(output, &[("dns.provider", "provider")])).unwrap_or_default());
    attributes
}
