//! Which addresses a device may be reached at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Whether a device that last came from `peer` may be reached at an address.
///
/// The address that it came from is its own, or that of its router. Any other one must be granted; and so must one that no device outside can have.
pub(super) fn allows(address: IpAddr, peer: Option<IpAddr>, granted: &[IpNet]) -> bool {
    // An IPv4 address in the form of an IPv6 one is what it stands for.
    let address = address.to_canonical();
    if granted.iter().any(|range| *range == IpNet::from(address)) {
        return true;
    }
    if is_metadata(address) || is_no_host(address) {
        return false;
    }
    granted.iter().any(|range| range.contains(&address)) || (peer.map(|peer| peer.to_canonical()) == Some(address) && !is_local(address))
}

/// Services that give away the secrets of the machine that asks.
fn is_metadata(address: IpAddr) -> bool {
    const V4: [Ipv4Addr; 4] =
        [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(169, 254, 170, 2), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    const V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match address {
        IpAddr::V4(address) => V4.contains(&address),
        IpAddr::V6(address) => address == V6,
    }
}

/// Addresses of no single host.
fn is_no_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast() || address.octets()[0] == 0 || address.octets()[0] >= 240,
        IpAddr::V6(address) => address.is_multicast() || address.is_unspecified(),
    }
}

/// Addresses of this host, and of whatever is plugged in beside it.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_reached_where_it_came_from_or_where_the_operator_says() {
        for (address, peer, granted, expected) in [
            ("192.0.2.1", "192.0.2.1", &[][..], true),
            ("10.1.2.3", "10.1.2.3", &[], true),
            ("::ffff:192.0.2.1", "192.0.2.1", &[], true),
            ("192.0.2.1", "::ffff:192.0.2.1", &[], true),
            ("2001:db8::1", "2001:db8::1", &[], true),
            ("192.0.2.2", "192.0.2.1", &[], false),
            ("192.0.2.1", "", &[], false),
            ("10.1.2.3", "192.0.2.1", &["10.0.0.0/8"], true),
            ("::ffff:10.1.2.3", "192.0.2.1", &["10.0.0.0/8"], true),
            ("10.1.2.3", "192.0.2.1", &["10.2.0.0/16"], false),
            ("127.0.0.1", "127.0.0.1", &[], false),
            ("127.0.0.1", "127.0.0.1", &["127.0.0.0/8"], true),
            ("::1", "::1", &[], false),
            ("fe80::1", "fe80::1", &[], false),
            ("169.254.1.1", "169.254.1.1", &[], false),
            ("169.254.1.1", "192.0.2.1", &["169.254.0.0/16"], true),
            ("169.254.169.254", "169.254.169.254", &["0.0.0.0/0"], false),
            ("::ffff:169.254.169.254", "192.0.2.1", &["0.0.0.0/0", "::/0"], false),
            ("169.254.169.254", "192.0.2.1", &["169.254.169.254/32"], true),
            ("fd00:ec2::254", "fd00:ec2::254", &["fd00::/8"], false),
            ("0.0.0.0", "0.0.0.0", &["0.0.0.0/0"], false),
            ("224.0.0.1", "224.0.0.1", &["0.0.0.0/0"], false),
            ("255.255.255.255", "192.0.2.1", &["0.0.0.0/0"], false),
            ("ff02::1", "ff02::1", &["::/0"], false),
        ] {
            let granted: Vec<IpNet> = granted.iter().map(|range| range.parse().unwrap()).collect();
            assert_eq!(allows(address.parse().unwrap(), peer.parse().ok(), &granted), expected, "{address} from {peer} with {granted:?}");
        }
    }
}
