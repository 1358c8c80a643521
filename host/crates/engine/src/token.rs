//! One-time callback tokens. A token names its item and proves itself by a keyed hash, so nothing about it has to be stored before the call.
//!
//! That it is used once is the run's business: the first body that is recorded uses it up, in the same transaction.

use pipeline::{Definition, ItemId, RunId};

/// Makes and reads the tokens of one store.
#[derive(Clone)]
pub(crate) struct Tokens {
    key: [u8; 32],
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// What a genuine token names: the run, the position of the step, the item, the round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) run: RunId,
    step: u32,
    item: u32,
    round: u32,
}

impl Named {
    /// What people and outside systems call the wait of an item: run, step, item and round, separated by dots. No secret.
    pub(crate) fn operation(definition: &Definition, run: &RunId, item: &ItemId) -> Option<String> {
        let (step, _) = definition.step(&item.step)?;
        Some(format!("{run}.{step}.{}.{}", item.item, item.round))
    }

    /// What an operation names.
    pub(crate) fn read(operation: &str) -> Option<Self> {
        let mut parts = operation.split('.');
        let run = RunId::new(parts.next()?).ok()?;
        let mut number = || parts.next()?.parse().ok();
        let named = Self { run, step: number()?, item: number()?, round: number()? };
        parts.next().is_none().then_some(named)
    }

    pub(crate) fn item_id(&self, definition: &Definition) -> Option<ItemId> {
        let step = definition.steps.get(self.step as usize)?;
        Some(ItemId { step: step.name.clone(), item: self.item, round: self.round })
    }
}

impl Tokens {
    /// Tokens of the store with this secret.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self { key: blake3::derive_key("jackfield 2026 callback token", secret) }
    }

    /// The token of an operation: its name and a 64-digit proof, separated by a dot.
    pub(crate) fn make(&self, operation: &str) -> String {
        let proof = blake3::keyed_hash(&self.key, operation.as_bytes());
        format!("{operation}.{}", proof.to_hex())
    }

    /// What a token names, if this store made it. The proof is compared in constant time.
    pub(crate) fn read(&self, token: &str) -> Option<Named> {
        if token.len() > 192 {
            return None;
        }
        let (body, proof) = token.rsplit_once('.')?;
        if blake3::keyed_hash(&self.key, body.as_bytes()) != blake3::Hash::from_hex(proof).ok()? {
            return None;
        }
        Named::read(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_by_the_store_that_made_it_and_by_no_other() {
        let definition = pipeline::testing::linear(&["a", "b"]);
        let item = ItemId { step: definition.steps[1].name.clone(), item: 3, round: 2 };
        let (ours, theirs) = (Tokens::new(&[1; 32]), Tokens::new(&[2; 32]));
        let token = ours.make(&Named::operation(&definition, &pipeline::testing::run_id(7), &item).unwrap());
        let named = ours.read(&token).unwrap();
        assert_eq!((named.run.clone(), named.item_id(&definition)), (pipeline::testing::run_id(7), Some(item)));
        assert_eq!(theirs.read(&token), None);
        assert_eq!(ours.read(&token.replace(".3.", ".4.")), None);
        for bad in ["", ".", "a.b.c.d.e", &"x".repeat(10_000)] {
            assert_eq!(ours.read(bad), None);
        }
    }
}
