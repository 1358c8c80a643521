//! Tickets: what lets somebody without a token see the one tenant that it signed up.

use std::fmt;

/// What tickets are made with: 256 bits that nobody else knows.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl Key {
    /// The key that belongs to a secret, which has other uses.
    pub fn of(secret: &[u8; 32]) -> Self {
        Self(blake3::derive_key("jackfield tenants: tickets of those who sign up without a token", secret))
    }

    /// What shows one tenant.
    pub(super) fn ticket(&self, id: &str) -> String {
        blake3::keyed_hash(&self.0, id.as_bytes()).to_hex()[..32].to_owned()
    }

    /// Whether a ticket is this tenant's. Comparing takes the same time wherever they differ.
    pub fn opens(&self, id: &str, ticket: &str) -> bool {
        blake3::hash(self.ticket(id).as_bytes()) == blake3::hash(ticket.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_opens_one_tenant_under_one_key() {
        let key = Key::of(&[1; 32]);
        let ticket = key.ticket("t-1");
        assert!(key.opens("t-1", &ticket));
        assert!(!key.opens("t-2", &ticket) && !key.opens("t-1", "") && !Key::of(&[2; 32]).opens("t-1", &ticket));
    }
}
