//! How often anybody may sign up: token buckets, one for all and one for each address.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use pipeline::Timestamp;

use super::SignUpError;
use crate::options::SignUpOptions;

const MINUTE: u64 = 60_000_000;

/// How many addresses are remembered. Beyond it those whose buckets are full again are forgotten, and if there are none, all others wait for one.
const MAX_ADDRESSES: usize = 100_000;

/// The buckets.
#[derive(Debug)]
pub(super) struct Rates {
    all: Mutex<Bucket>,
    by_address: Mutex<HashMap<IpAddr, Bucket>>,
    per_minute: NonZeroU32,
    per_minute_and_address: NonZeroU32,
}

/// When the bucket will be full again. It is empty when that is a minute away.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    full_at: u64,
}

impl Bucket {
    /// Takes one out, or says how long to wait.
    fn take(&mut self, per_minute: NonZeroU32, now: u64) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + MINUTE / u64::from(per_minute.get());
        if full_at > now + MINUTE {
            return Err(Duration::from_micros(full_at - now - MINUTE));
        }
        self.full_at = full_at;
        Ok(())
    }
}

impl Rates {
    pub(super) fn new(options: SignUpOptions) -> Self {
        let SignUpOptions { per_minute, per_minute_and_address, open: _ } = options;
        Self { all: Mutex::default(), by_address: Mutex::default(), per_minute, per_minute_and_address }
    }

    /// Counts a sign-up, or refuses it. Whose address has no place left takes nothing from the others.
    pub(super) fn take(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), SignUpError> {
        if let Some(address) = address {
            let mut known = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MAX_ADDRESSES {
                known.retain(|_, bucket| bucket.full_at > now.0);
            }
            let address = whose(address);
            if known.len() >= MAX_ADDRESSES && !known.contains_key(&address) {
                return Err(SignUpError::TooMany { what: "sign-ups come from too many addresses", wait: Duration::from_secs(60) });
            }
            let taken = known.entry(address).or_default().take(self.per_minute_and_address, now.0);
            taken.map_err(|wait| SignUpError::TooMany { what: "there were too many sign-ups from this address", wait })?;
        }
        let taken = self.all.lock().unwrap_or_else(PoisonError::into_inner).take(self.per_minute, now.0);
        taken.map_err(|wait| SignUpError::TooMany { what: "there were too many sign-ups", wait })
    }
}

/// Whoever has one address of IPv6 has at least 2^64 of them.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(per_minute: u32, per_minute_and_address: u32) -> Rates {
        let not_zero = |number| NonZeroU32::new(number).unwrap();
        Rates::new(SignUpOptions { open: true, per_minute: not_zero(per_minute), per_minute_and_address: not_zero(per_minute_and_address) })
    }

    #[test]
    fn a_burst_of_a_minute_is_taken_and_then_one_after_the_other() {
        let rates = rates(4, 2);
        let at = |second: u64| Timestamp(1_700_000_000_000_000 + second * 1_000_000);
        let from = |address: &str| Some(address.parse().unwrap());
        let taken = |address, second| rates.take(address, at(second)).is_ok();
        assert!(taken(from("192.0.2.1"), 0) && taken(from("::ffff:192.0.2.1"), 0));
        assert!(!taken(from("192.0.2.1"), 0), "the same address in both its forms");
        assert!(taken(from("2001:db8::1"), 0) && taken(from("2001:db8::2"), 0));
        assert!(!taken(from("192.0.2.2"), 0) && !taken(None, 0), "four in all");
        assert!(taken(None, 15) && !taken(None, 15), "one more after a quarter of a minute");
        assert!(!taken(from("192.0.2.1"), 29) && taken(from("192.0.2.1"), 30));
    }
}
