//! The addresses that one rule reaches: public ones, and what the operator granted beside them.

use std::net::IpAddr;

use ipnet::IpNet;

use super::address::{Class, class, embedded};

/// The addresses that one rule reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    granted: Vec<IpNet>,
}

impl Reach {
    pub(crate) fn new(granted: Vec<IpNet>) -> Self {
        Self { granted }
    }

    /// Whether an address may be connected to.
    ///
    /// An address that carries another is judged by both: a granted translator does not lead to what is not granted itself. A metadata service is granted by its
    /// own address only, never by a range that happens to hold it.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Class> {
        let Some(class) = class(address) else { return Ok(()) };
        if self.granted.iter().any(|range| *range == IpNet::from(address)) {
            return Ok(());
        }
        if class == Class::Metadata || !self.granted.iter().any(|range| range.contains(&address)) {
            return Err(class);
        }
        embedded(address).into_iter().try_for_each(|inner| self.check(inner.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_must_be_granted_with_what_it_carries() {
        let cases: [(&[&str], &str, bool); 12] = [
            (&[], "8.8.8.8", true),
            (&[], "10.0.0.1", false),
            (&["10.0.0.0/8"], "10.0.0.1", true),
            (&["10.0.0.0/8"], "::ffff:10.0.0.1", false),
            (&["10.0.0.0/8", "::ffff:0:0/96"], "::ffff:10.0.0.1", true),
            (&["::ffff:0:0/96"], "::ffff:10.0.0.1", false),
            (&["64:ff9b::/96"], "64:ff9b::8.8.8.8", true),
            (&["64:ff9b::/96"], "64:ff9b::169.254.169.254", false),
            (&["0.0.0.0/0", "::/0"], "169.254.169.254", false),
            (&["169.254.0.0/16"], "169.254.169.254", false),
            (&["169.254.169.254/32"], "169.254.169.254", true),
            (&["fd00::/8"], "fd00:ec2::254", false),
        ];
        for (granted, address, expected) in cases {
            let reach = Reach::new(granted.iter().map(|range| range.parse().unwrap()).collect());
            assert_eq!(reach.check(address.parse().unwrap()).is_ok(), expected, "{granted:?} {address}");
        }
    }
}
