//! Addresses that an operator grants: one, or a range of them.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::Deserialize;

/// One address or a range in the form `ADDRESS/BITS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AddressRange(IpNet);

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address or a range of addresses: expected for example 10.1.2.3 or {expected}")]
pub struct AddressRangeError {
    text: String,
    expected: String,
}

impl AddressRange {
    pub(crate) fn net(self) -> IpNet {
        self.0
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |expected: String| AddressRangeError { text: text.to_owned(), expected };
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.into()));
        }
        let net: IpNet = text.parse().map_err(|_| wrong("10.1.2.0/24".to_owned()))?;
        // A range whose address has bits beyond its length was meant otherwise.
        if net == net.trunc() { Ok(Self(net)) } else { Err(wrong(net.trunc().to_string())) }
    }
}

impl TryFrom<String> for AddressRange {
    type Error = AddressRangeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_an_address_or_begins_where_it_says() {
        for (text, expected) in [
            ("10.1.2.3", "10.1.2.3"),
            ("10.1.2.0/24", "10.1.2.0/24"),
            ("::1/128", "::1"),
            ("10.1.2.3/24", "`10.1.2.3/24` is not an address or a range of addresses: expected for example 10.1.2.3 or 10.1.2.0/24"),
            ("olt", "`olt` is not an address or a range of addresses: expected for example 10.1.2.3 or 10.1.2.0/24"),
        ] {
            let found = text.parse::<AddressRange>().map_or_else(|error| error.to_string(), |range| range.to_string());
            assert_eq!(found, expected);
        }
    }
}
