//! From an offering to services: follows bundles, refuses cycles, merges characteristics.

use std::collections::BTreeMap;

use jackfield_plugin_sdk::{
    Characteristic, Failure, ServiceSpec,
    catalog::{Action, Decomposition, Request},
};

use crate::{
    codes::{BAD_CATALOG, CATALOG_CYCLE, CATALOG_LIMIT, EMPTY_DECOMPOSITION, NOT_SELLABLE},
    documents::{ProductOffering, ServiceSpecification, bundled_offering, ordered_offering, preset, product_specification, service_specification},
};

/// Bundles within bundles. Real catalogues have three or four levels.
const DEPTH: usize = 16;
/// Services of one order item: each becomes a resource, a configuration and a span.
const SERVICES: usize = 64;
/// Documents read for one order item: the bound on the time a call can take.
const DOCUMENTS: usize = 128;

/// Characteristics by name, those that are more special over those that are more general.
type Values = BTreeMap<String, String>;

/// Decomposes an order item.
pub(crate) fn decompose(request: &Request) -> Result<Decomposition, Failure> {
    let offering = ordered_offering(&request.offering)?;
    if request.action == Action::Add {
        sellable(&request.offering, &offering)?;
    }
    let chosen = request.characteristics.iter().map(|it| (it.name.clone(), it.value.clone())).collect();
    let mut walk = Walk { chosen, path: Vec::new(), documents: 0, services: Vec::new(), plan: None };
    walk.offering(&request.offering, &offering, &Values::new())?;
    let Walk { services, plan, .. } = walk;
    let quantity = usize::try_from(request.quantity).unwrap_or(usize::MAX);
    let total = services.len().saturating_mul(quantity);
    if total == 0 {
        let message = format!("the product offering {:?} consists of no service", request.offering);
        return Err(Failure::rejected(EMPTY_DECOMPOSITION, message));
    }
    if total > SERVICES {
        return Err(limit(format!("the order item comes to {total} services, at most {SERVICES} are allowed")));
    }
    let services = unique(services.iter().cycle().take(total).cloned());
    Ok(Decomposition { services, plan })
}

struct Walk {
    /// What the customer chose.
    chosen: Values,
    /// The documents between the ordered offering and the present one, by kind and id.
    path: Vec<String>,
    documents: usize,
    services: Vec<ServiceSpec>,
    plan: Option<String>,
}

impl Walk {
    fn offering(&mut self, id: &str, offering: &ProductOffering, outer: &Values) -> Result<(), Failure> {
        self.enter("product offering", id)?;
        let mut values = outer.clone();
        for it in &offering.prod_spec_char_value_use {
            values.extend(preset(&it.product_spec_characteristic_value).map(|value| (it.name.clone(), value)));
        }
        if self.plan.is_none() {
            self.plan = offering.product_offering_price.first().map(|it| it.id.clone());
        }
        if let Some(specification) = &offering.product_specification {
            self.read()?;
            for service in product_specification(&specification.id)?.service_specification {
                self.service(&service.id, &values)?;
            }
        }
        for member in &offering.bundled_product_offering {
            self.check("product offering", &member.id)?;
            self.read()?;
            self.offering(&member.id, &bundled_offering(&member.id)?, &values)?;
        }
        self.path.pop();
        Ok(())
    }

    fn service(&mut self, id: &str, outer: &Values) -> Result<(), Failure> {
        self.enter("service specification", id)?;
        self.read()?;
        let specification = service_specification(id)?;
        let mut values = Values::new();
        for it in &specification.spec_characteristic {
            let value = self.chosen.get(&it.name).or_else(|| outer.get(&it.name)).cloned();
            let value = value.or_else(|| preset(&it.characteristic_value_specification));
            values.extend(value.map(|value| (it.name.clone(), value)));
        }
        self.resources(id, &specification, &values)?;
        if specification.is_bundle {
            let mut inherited = outer.clone();
            inherited.extend(values);
            for member in &specification.service_spec_relationship {
                self.service(&member.id, &inherited)?;
            }
        }
        self.path.pop();
        Ok(())
    }

    /// One service per resource that the specification needs.
    fn resources(&mut self, id: &str, specification: &ServiceSpecification, values: &Values) -> Result<(), Failure> {
        let needed = &specification.resource_specification;
        if needed.is_empty() && !specification.is_bundle {
            let message = format!("the service specification {id:?} names no resource specification and is no bundle");
            return Err(Failure::rejected(BAD_CATALOG, message));
        }
        for resource in needed {
            let resource_type = &resource.name;
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if resource_type.is_empty() || resource_type.len() > 32 || !resource_type.bytes().all(fits) {
                let message = format!(
                    "the service specification {id:?} names the resource type {resource_type:?}; expected 1 to 32 characters of a-z, 0-9 and _"
                );
                return Err(Failure::rejected(BAD_CATALOG, message));
            }
            if self.services.len() == SERVICES {
                return Err(limit(format!("the offering comes to more than {SERVICES} services")));
            }
            let name = &specification.name;
            self.services.push(ServiceSpec {
                name: if needed.len() == 1 { name.clone() } else { format!("{name}/{resource_type}") },
                resource_type: resource_type.clone(),
                characteristics: values.iter().map(|(name, value)| Characteristic::new(name, value)).collect(),
            });
        }
        Ok(())
    }

    fn enter(&mut self, kind: &str, id: &str) -> Result<(), Failure> {
        self.check(kind, id)?;
        if self.path.len() == DEPTH {
            return Err(limit(format!("the offering is nested deeper than {DEPTH} levels at the {kind} {id:?}")));
        }
        self.path.push(format!("{kind} {id:?}"));
        Ok(())
    }

    fn check(&self, kind: &str, id: &str) -> Result<(), Failure> {
        let here = format!("{kind} {id:?}");
        match self.path.iter().position(|it| *it == here) {
            None => Ok(()),
            Some(start) => {
                let around = self.path[start..].join(" > ");
                Err(Failure::rejected(CATALOG_CYCLE, format!("the catalogue has a cycle: {around} > {here}")))
            }
        }
    }

    fn read(&mut self) -> Result<(), Failure> {
        self.documents += 1;
        if self.documents > DOCUMENTS {
            return Err(limit(format!("the offering takes more than {DOCUMENTS} documents of the catalogue")));
        }
        Ok(())
    }
}

fn sellable(id: &str, offering: &ProductOffering) -> Result<(), Failure> {
    let status = offering.lifecycle_status.as_deref().unwrap_or("Active");
    let ended = ["retired", "obsolete", "rejected"].contains(&status.to_lowercase().as_str());
    if ended {
        return Err(Failure::rejected(NOT_SELLABLE, format!("the product offering {id:?} cannot be ordered: it is {status}")));
    }
    if offering.is_sellable == Some(false) {
        return Err(Failure::rejected(NOT_SELLABLE, format!("the product offering {id:?} is sold in a bundle only")));
    }
    Ok(())
}

fn limit(message: String) -> Failure {
    Failure::rejected(CATALOG_LIMIT, message)
}

/// Names are unique within a decomposition: the second `access` becomes `access#2`.
fn unique(services: impl Iterator<Item = ServiceSpec>) -> Vec<ServiceSpec> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    services
        .map(|mut it| {
            let count = seen.entry(it.name.clone()).or_default();
            *count += 1;
            if *count > 1 {
                it.name = format!("{}#{count}", it.name);
            }
            it
        })
        .collect()
}
