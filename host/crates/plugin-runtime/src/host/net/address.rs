//! Addresses by what they lead to. What is not plainly an address of the public internet has a class, and is denied unless it is granted.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// What an address is, where it is not a public one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Unspecified,
    Loopback,
    Private,
    /// Between a carrier and its customers.
    Shared,
    LinkLocal,
    /// Where clouds hand out credentials.
    Metadata,
    Multicast,
    Broadcast,
    Benchmarking,
    Documentation,
    /// An IPv4 address in the form of an IPv6 address.
    Mapped,
    /// An IPv4 address behind a translator or at the end of a tunnel.
    Translated,
    Reserved,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "the unspecified address",
            Self::Loopback => "an address of this machine",
            Self::Private => "a private address",
            Self::Shared => "an address of a carrier's network",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the metadata service of a cloud",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Benchmarking => "an address for benchmarks",
            Self::Documentation => "an address for documentation",
            Self::Mapped => "an IPv4 address written as an IPv6 address",
            Self::Translated => "an IPv4 address behind a translator or tunnel",
            Self::Reserved => "a reserved address",
        })
    }
}

/// The services that hand out credentials of the machine: AWS, Google and most others; Oracle; Alibaba; Azure.
const METADATA_V4: [Ipv4Addr; 5] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];
/// The same of AWS and of Google.
const METADATA_V6: [Ipv6Addr; 2] = [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// What an address is; `None` for a public one.
pub(crate) fn class(address: IpAddr) -> Option<Class> {
    match address {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

/// IANA's registry of special-purpose IPv4 addresses.
fn class_v4(address: Ipv4Addr) -> Option<Class> {
    if METADATA_V4.contains(&address) {
        return Some(Class::Metadata);
    }
    Some(match address.octets() {
        [0, 0, 0, 0] => Class::Unspecified,
        [127, ..] => Class::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Class::Private,
        [100, 64..=127, ..] => Class::Shared,
        [169, 254, ..] => Class::LinkLocal,
        [198, 18..=19, ..] => Class::Benchmarking,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Class::Documentation,
        [192, 88, 99, _] => Class::Translated,
        [224..=239, ..] => Class::Multicast,
        [255, 255, 255, 255] => Class::Broadcast,
        [0 | 240..=255, ..] | [192, 0, 0, _] => Class::Reserved,
        _ => return None,
    })
}

/// IANA's registry of special-purpose IPv6 addresses; public addresses begin with the bits 001.
fn class_v6(address: Ipv6Addr) -> Option<Class> {
    if METADATA_V6.contains(&address) {
        return Some(Class::Metadata);
    }
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Class::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0, 0, 0, 0, 0, 0, ..] => Class::Mapped,
        [0x64, 0xff9b, ..] | [0x2001, 0, ..] | [0x2002, ..] => Class::Translated,
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => Class::Translated,
        [0xfc00..=0xfdff, ..] => Class::Private,
        [0xfe80..=0xfeff, ..] => Class::LinkLocal,
        [0xff00..=0xffff, ..] => Class::Multicast,
        [0x2001, 2, 0, ..] => Class::Benchmarking,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Class::Documentation,
        [0x2001, 0..=0x1ff, ..] => Class::Reserved,
        [0x2000..=0x3fff, ..] => return None,
        _ => Class::Reserved,
    })
}

/// The IPv4 addresses to which a packet to this address may be carried on.
pub(crate) fn embedded(address: IpAddr) -> Vec<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return Vec::new() };
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] => vec![v4(high, low)],
        // RFC 6052: the last 32 bits of the well-known prefix. A local prefix (RFC 8215) may also be /48, /56 or /64, around bits 64 to 71.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => vec![v4(high, low)],
        [0x64, 0xff9b, 1, a, b, c, high, low] => {
            let byte = |word: u16| word & 0xff;
            vec![
                v4(high, low),
                v4(a, (byte(b) << 8) | (c >> 8)),
                v4((byte(a) << 8) | byte(b), c),
                v4((byte(b) << 8) | (c >> 8), (byte(c) << 8) | (high >> 8)),
            ]
        }
        // RFC 4380: the server, and the client with all bits inverted.
        [0x2001, 0, high, low, _, _, client_high, client_low] => vec![v4(high, low), v4(!client_high, !client_low)],
        // RFC 3056.
        [0x2002, high, low, ..] => vec![v4(high, low)],
        // RFC 5214.
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => vec![v4(high, low)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_that_is_not_public_has_a_class() {
        for (address, expected) in [
            ("0.0.0.0", Some(Class::Unspecified)),
            ("0.1.2.3", Some(Class::Reserved)),
            ("127.0.0.1", Some(Class::Loopback)),
            ("127.255.0.9", Some(Class::Loopback)),
            ("10.1.2.3", Some(Class::Private)),
            ("172.15.0.1", None),
            ("172.16.0.1", Some(Class::Private)),
            ("172.32.0.1", None),
            ("192.168.1.1", Some(Class::Private)),
            ("100.63.0.1", None),
            ("100.64.0.1", Some(Class::Shared)),
            ("100.100.100.200", Some(Class::Metadata)),
            ("169.254.1.1", Some(Class::LinkLocal)),
            ("169.254.169.254", Some(Class::Metadata)),
            ("168.63.129.16", Some(Class::Metadata)),
            ("192.0.0.192", Some(Class::Metadata)),
            ("192.0.0.1", Some(Class::Reserved)),
            ("192.0.2.1", Some(Class::Documentation)),
            ("192.88.99.1", Some(Class::Translated)),
            ("198.18.0.1", Some(Class::Benchmarking)),
            ("198.51.100.7", Some(Class::Documentation)),
            ("203.0.113.7", Some(Class::Documentation)),
            ("224.0.0.1", Some(Class::Multicast)),
            ("240.0.0.1", Some(Class::Reserved)),
            ("255.255.255.255", Some(Class::Broadcast)),
            ("8.8.8.8", None),
            ("::", Some(Class::Unspecified)),
            ("::1", Some(Class::Loopback)),
            ("::ffff:8.8.8.8", Some(Class::Mapped)),
            ("::ffff:0:8.8.8.8", Some(Class::Mapped)),
            ("::7f00:1", Some(Class::Mapped)),
            ("64:ff9b::8.8.8.8", Some(Class::Translated)),
            ("64:ff9b:1::1", Some(Class::Translated)),
            ("2001::1", Some(Class::Translated)),
            ("2002:7f00:1::", Some(Class::Translated)),
            ("2a00::5efe:7f00:1", Some(Class::Translated)),
            ("fc00::1", Some(Class::Private)),
            ("fd00:ec2::254", Some(Class::Metadata)),
            ("fe80::1", Some(Class::LinkLocal)),
            ("fec0::1", Some(Class::LinkLocal)),
            ("ff02::1", Some(Class::Multicast)),
            ("100::1", Some(Class::Reserved)),
            ("2001:2::1", Some(Class::Benchmarking)),
            ("2001:20::1", Some(Class::Reserved)),
            ("2001:db8::1", Some(Class::Documentation)),
            ("3fff::1", Some(Class::Documentation)),
            ("5f00::1", Some(Class::Reserved)),
            ("2606:4700::1111", None),
        ] {
            assert_eq!(class(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn an_address_inside_another_is_found() {
        for (address, expected) in [
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("::169.254.169.254", "169.254.169.254"),
            ("64:ff9b::10.0.0.1", "10.0.0.1"),
            ("64:ff9b:1:a9fe:a9:fe00::", "169.254.169.254"),
            ("64:ff9b:1:a9:fe:a9fe::", "169.254.169.254"),
            ("64:ff9b:1:0:a9:fea9:fe00:0", "169.254.169.254"),
            ("64:ff9b:1::a9fe:a9fe", "169.254.169.254"),
            ("2002:a9fe:a9fe::1", "169.254.169.254"),
            ("2001:0:7f00:1::", "127.0.0.1"),
            ("2001:0:808:808::80ff:fffe", "127.0.0.1"),
            ("2a00::200:5efe:a00:1", "10.0.0.1"),
        ] {
            let found = embedded(address.parse().unwrap());
            assert!(found.contains(&expected.parse().unwrap()), "{address}: {found:?}");
        }
        assert!(embedded("2606:4700::1111".parse().unwrap()).is_empty());
    }
}
