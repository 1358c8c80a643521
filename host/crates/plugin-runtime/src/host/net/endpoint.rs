//! The endpoint of a rule: what the operator wrote, the addresses behind it that may be used, and connections to them.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::uri::Authority;
use ipnet::IpNet;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::{address::Class, reach::Reach, resolve::Resolve};

/// A connection that is not there by then will not come.
const CONNECT: Duration = Duration::from_secs(10);

/// Where the connections of one rule go, whatever a request says.
#[derive(Debug)]
pub(crate) struct Endpoint {
    host: Host,
    port: u16,
    reach: Reach,
    resolver: Arc<dyn Resolve>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// Addresses that the operator wrote, which grants them.
    Addresses(Vec<IpAddr>),
    Name(String),
}

/// Why there is no connection. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The name has no address.
    #[error("`{name}` cannot be resolved: {problem}")]
    Resolve { name: String, problem: io::Error },
    /// None of its addresses may be used.
    #[error("`{name}` resolves to {address}, {class}")]
    Prohibited { name: String, address: IpAddr, class: Class },
    /// Nobody answers at those that may.
    #[error("no connection: {0}")]
    Io(io::Error),
}

impl Endpoint {
    /// Reads the host and port that an operator wrote, with no user and no password before them.
    pub(crate) fn new(authority: &Authority, default_port: u16, mut granted: Vec<IpNet>, resolver: Arc<dyn Resolve>) -> Result<Self, String> {
        let port = match authority.as_str().strip_prefix(authority.host()) {
            None | Some("") => default_port,
            Some(rest) => rest[1..].parse().map_err(|_| format!("`{}` is not a port", &rest[1..]))?,
        };
        let host = Host::parse(authority.host())?;
        if let Host::Addresses(addresses) = &host {
            granted.extend(addresses.iter().copied().map(IpNet::from));
        }
        Ok(Self { host, port, reach: Reach::new(granted), resolver })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Resolves once, judges every address, and connects to one that passed: there is nothing in between in which a name could change.
    pub(crate) async fn connect(&self) -> Result<TcpStream, ConnectError> {
        let end = Instant::now() + CONNECT;
        let addresses = self.addresses().await?;
        let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let mut first = None;
        for address in addresses {
            // The last address gets all the time that is left, those before it their share.
            let share = end.saturating_duration_since(Instant::now()) / left.max(1);
            left = left.saturating_sub(1);
            match timeout_at(Instant::now() + share, TcpStream::connect(SocketAddr::new(address, self.port))).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true).map_err(ConnectError::Io)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => first = first.or(Some(error)),
                Err(_elapsed) => first = first.or_else(|| Some(io::Error::new(io::ErrorKind::TimedOut, "nobody answered in time"))),
            }
        }
        Err(ConnectError::Io(first.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))))
    }

    /// The addresses that may be used. A name that leads nowhere else is refused with the first that may not.
    async fn addresses(&self) -> Result<Vec<IpAddr>, ConnectError> {
        let name = match &self.host {
            Host::Addresses(addresses) => return Ok(addresses.clone()),
            Host::Name(name) => name,
        };
        let found = self.resolver.resolve(name).await.map_err(|problem| ConnectError::Resolve { name: name.clone(), problem })?;
        let (mut usable, mut refused) = (Vec::with_capacity(found.len()), None);
        for address in found {
            match self.reach.check(address) {
                Ok(()) => usable.push(address),
                Err(class) => refused = refused.or(Some((address, class))),
            }
        }
        match refused {
            Some((address, class)) if usable.is_empty() => Err(ConnectError::Prohibited { name: name.clone(), address, class }),
            _ => Ok(usable),
        }
    }
}

impl Host {
    /// One spelling for each host: others mean different things to different resolvers.
    fn parse(host: &str) -> Result<Self, String> {
        if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address: Ipv6Addr = inner.parse().map_err(|_| format!("`{host}` is not an IPv6 address: expected for example [2001:db8::1]"))?;
            return Ok(Self::Addresses(vec![address.into()]));
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Ok(Self::Addresses(vec![address.into()]));
        }
        // RFC 6761: the name means this machine, whatever a resolver says.
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(Self::Addresses(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]));
        }
        if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return Err(format!("`{host}` is not a host: expected letters, digits, `-`, `_` and `.`"));
        }
        let last = host.rsplit('.').next().unwrap_or_default();
        if last.is_empty() || host.starts_with('.') || host.contains("..") {
            return Err(format!("`{host}` is not a host: expected no dot at its beginning or end, and no two together"));
        }
        let number = last.bytes().all(|b| b.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x");
        if number {
            return Err(format!("`{host}` is no name, and no address as addresses are written: expected for example 192.0.2.1"));
        }
        Ok(Self::Name(host.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, expected: &str) {
        let found = match Host::parse(host) {
            Ok(Host::Addresses(addresses)) => format!("{addresses:?}"),
            Ok(Host::Name(name)) => name,
            Err(problem) => problem,
        };
        assert!(found.contains(expected), "{host}: {found}");
    }

    #[test]
    fn an_operator_writes_each_host_in_one_way() {
        check("olt-1.example", "olt-1.example");
        check("192.0.2.7", "[192.0.2.7]");
        check("[::1]", "[::1]");
        check("LOCALHOST", "[127.0.0.1, ::1]");
        for number in ["2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.01", "1.2.3.4.5", "x.0X7f"] {
            check(number, "no address as addresses are written");
        }
        for zone in ["[fe80::1%25eth0]", "[fe80::1%eth0]", "[127.0.0.1]"] {
            check(zone, "is not an IPv6 address");
        }
        for dots in ["olt.example.", ".olt", "olt..example"] {
            check(dots, "no dot");
        }
        for other in ["", "olt%2eexample", "ölt.example", "olt*"] {
            check(other, "expected letters");
        }
    }
}
