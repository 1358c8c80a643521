//! The setting `pools`: JSON text that maps each resource type to a pool or a list of pools.
//!
//! ```json
//! { "port":      [{ "element": "olt-1", "count": 128, "location": "north" }, { "element": "olt-2", "count": 64 }],
//!   "ipv4":      { "cidr": "198.51.100.0/24", "gateway": "198.51.100.1" },
//!   "ipv6":      { "cidr": "2001:db8:100::/40", "prefix": 56 },
//!   "vlan":      { "element": "olt-1", "from": 100, "to": 199 },
//!   "equipment": { "element": "warehouse", "serials": ["ONT-0001", "ONT-0002"] } }
//! ```
//!
//! A pool with a `location` serves only orders with that location; one without serves all. Two pools of one type must not
//! hold the same resource.

use std::{collections::BTreeMap, net::IpAddr};

use jackfield_plugin_sdk::{Characteristic, Failure, inventory};
use serde::Deserialize;

use crate::BAD_CONFIG;

/// All pools, by resource type.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pools(BTreeMap<String, OneOrMany>);

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Settings),
    Many(Vec<Settings>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    element: Option<String>,
    location: Option<String>,
    count: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
    cidr: Option<String>,
    gateway: Option<IpAddr>,
    prefix: Option<u32>,
    serials: Option<Vec<String>>,
}

/// A numbered set of resources of one type.
#[derive(Debug)]
pub(crate) struct Pool {
    /// The network element that has them.
    pub(crate) element: String,
    resource_type: String,
    named_after_element: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Numbers { first: u64, count: u64 },
    Addresses { base: u128, bits: u32, prefix: u32, skip_ends: bool, gateway: Option<IpAddr> },
    Serials(Vec<String>),
}

impl Pools {
    /// Whether any pool of that type is configured.
    pub(crate) fn has(&self, resource_type: &str) -> bool {
        self.0.contains_key(resource_type)
    }

    /// The pools that may serve the request, best first: the preferred element, then the place, then the rest.
    pub(crate) fn suitable(&self, request: &inventory::Request) -> Result<Vec<Pool>, Failure> {
        let wanted = &request.service.resource_type;
        let mut settings: Vec<&Settings> = match self.0.get(wanted) {
            None => Vec::new(),
            Some(OneOrMany::One(one)) => vec![one],
            Some(OneOrMany::Many(many)) => many.iter().collect(),
        };
        let here = request.location.as_deref().map(fold);
        settings.retain(|it| it.location.is_none() || it.location.as_deref().map(fold) == here);
        settings.sort_by_key(|it| {
            let preferred = request.preferred_element.is_some() && it.element == request.preferred_element;
            (!preferred, it.location.is_none())
        });
        settings.into_iter().map(|it| Pool::new(wanted, it)).collect()
    }
}

impl Pool {
    fn new(resource_type: &str, settings: &Settings) -> Result<Self, Failure> {
        let kind = match settings.clone() {
            Settings { count: Some(count), from: None, to: None, cidr: None, serials: None, .. } => Ok(Kind::Numbers { first: 1, count }),
            Settings { from: Some(first), to: Some(last), count: None, cidr: None, serials: None, .. } if first <= last && last < u64::MAX => {
                Ok(Kind::Numbers { first, count: last - first + 1 })
            }
            Settings { cidr: Some(cidr), prefix, gateway, count: None, from: None, to: None, serials: None, .. } => addresses(&cidr, prefix, gateway),
            Settings { serials: Some(serials), count: None, from: None, to: None, cidr: None, .. } => Ok(Kind::Serials(serials)),
            _ => Err("expected exactly one of count, from and to (from not above to), cidr, serials".to_owned()),
        };
        let kind = kind.map_err(|why| Failure::rejected(BAD_CONFIG, format!("the setting pools, type {resource_type}: {why}")))?;
        Ok(Self {
            element: settings.element.clone().unwrap_or_else(|| format!("{resource_type}-pool")),
            resource_type: resource_type.to_owned(),
            named_after_element: settings.element.is_some(),
            kind,
        })
    }

    /// How many resources it holds, taken or not.
    pub(crate) fn size(&self) -> u64 {
        match &self.kind {
            Kind::Numbers { count, .. } => *count,
            Kind::Addresses { bits, prefix, skip_ends, .. } => {
                let all = 1u128 << (prefix - bits).min(64);
                u64::try_from(all - if *skip_ends { 2 } else { 0 }).unwrap_or(u64::MAX)
            }
            Kind::Serials(serials) => serials.len() as u64,
        }
    }

    /// The id of resource number `index`, below the size, and what later steps need to know about it. None where the
    /// number is never given out.
    pub(crate) fn at(&self, index: u64) -> Option<(String, Vec<Characteristic>)> {
        match &self.kind {
            Kind::Numbers { first, .. } => {
                let number = (first + index).to_string();
                Some((self.qualified(&number), vec![Characteristic::new(&self.resource_type, number)]))
            }
            Kind::Serials(serials) => {
                let serial = serials.get(usize::try_from(index).ok()?)?;
                Some((self.qualified(serial), vec![Characteristic::new("serial", serial)]))
            }
            Kind::Addresses { base, bits: _, prefix, skip_ends, gateway } => address(*base, *prefix, index + u64::from(*skip_ends), *gateway),
        }
    }

    fn qualified(&self, name: &str) -> String {
        if self.named_after_element { format!("{}/{}/{name}", self.element, self.resource_type) } else { format!("{}/{name}", self.resource_type) }
    }
}

/// IPv4 is kept as its v4-mapped IPv6 address, so that one arithmetic serves both.
const V4_MAPPED: u128 = 0xffff_0000_0000;

fn addresses(cidr: &str, prefix: Option<u32>, gateway: Option<IpAddr>) -> Result<Kind, String> {
    let wrong = || format!("{cidr:?} is no network; expected address/length, for example 198.51.100.0/24");
    let (address, bits) = cidr.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let bits: u32 = bits.parse().map_err(|_| wrong())?;
    let (base, shift) = match address {
        IpAddr::V4(it) => (V4_MAPPED | u128::from(u32::from(it)), 96),
        IpAddr::V6(it) => (u128::from(it), 0),
    };
    let bits = bits.checked_add(shift).filter(|it| *it <= 128).ok_or_else(wrong)?;
    let single = prefix.is_none();
    let prefix = prefix.map_or(Some(128), |it| it.checked_add(shift)).filter(|it| (bits..=128).contains(it));
    let prefix = prefix.ok_or_else(|| format!("prefix must lie between the length of {cidr} and that of an address"))?;
    let low = 1u128.checked_shl(128 - bits).map_or(u128::MAX, |it| it - 1);
    if base & low != 0 {
        return Err(format!("{cidr} has bits set beyond its length"));
    }
    // The first and last address of an IPv4 network name the network and everybody in it (RFC 1812, section 4.2.3.1);
    // networks of two (RFC 3021) and of one have neither.
    let skip_ends = shift == 96 && single && bits <= 126;
    Ok(Kind::Addresses { base, bits, prefix, skip_ends, gateway })
}

fn address(base: u128, prefix: u32, index: u64, gateway: Option<IpAddr>) -> Option<(String, Vec<Characteristic>)> {
    let value = base + (u128::from(index) << (128 - prefix).min(127));
    let (address, length) = if base >> 32 == V4_MAPPED >> 32 {
        (IpAddr::V4(u32::try_from(value & 0xffff_ffff).ok()?.into()), prefix - 96)
    } else {
        (IpAddr::V6(value.into()), prefix)
    };
    if gateway == Some(address) {
        return None;
    }
    let id = if prefix == 128 { address.to_string() } else { format!("{address}/{length}") };
    let mut known = vec![Characteristic::new("address", &id)];
    known.extend(gateway.map(|it| Characteristic::new("gateway", it.to_string())));
    Some((id, known))
}

fn fold(place: &str) -> String {
    place.trim().to_lowercase()
}
