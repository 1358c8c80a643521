//! Ports that nothing uses.

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

use crate::Error;

/// Below the ports that the system gives to clients, which could take one between two starts of a server.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// How often a server is started again, on other ports, when another program was faster.
const TRIES: u32 = 5;

/// Starts something on ports that are free now; should they be taken a moment later, on others.
pub(crate) fn on_free<const N: usize, T>(mut start: impl FnMut([u16; N]) -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..TRIES {
        match start(free()) {
            Err(error) if error.is_port_taken() => {}
            other => return other,
        }
    }
    start(free())
}

/// Different free ports, which this process has not handed out before it had all others.
fn free<const N: usize>() -> [u16; N] {
    // Processes that run at the same time start at different places.
    static HANDED_OUT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id().wrapping_mul(37) % u32::from(COUNT)).unwrap_or(0);
    std::array::from_fn(|_| {
        loop {
            let next = HANDED_OUT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let port = FIRST + (start + next) % COUNT;
            if is_free(port) {
                return port;
            }
        }
    })
}

/// For TCP and UDP: a name server needs both.
fn is_free(port: u16) -> bool {
    let address = (Ipv4Addr::LOCALHOST, port);
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_different_and_below_those_of_clients() {
        let mut ports: Vec<u16> = free::<20>().into_iter().chain(free::<20>()).collect();
        assert!(ports.iter().all(|port| (FIRST..FIRST + COUNT).contains(port)));
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 40);
    }

    #[test]
    fn another_port_is_tried_only_when_the_first_is_taken() {
        let failure = |log: &str| Error::Start { what: "it", why: "ended".to_owned(), log: log.to_owned() };
        let mut tried = Vec::new();
        let port = on_free(|[port]: [u16; 1]| {
            tried.push(port);
            if tried.len() < 3 { Err(failure("bind: Address already in use")) } else { Ok(port) }
        });
        assert_eq!((port.unwrap(), tried.len()), (tried[2], 3));
        let mut starts = 0;
        let broken = on_free(|[_]: [u16; 1]| {
            starts += 1;
            Err::<(), _>(failure("syntax error"))
        });
        assert!(broken.is_err() && starts == 1);
    }
}
