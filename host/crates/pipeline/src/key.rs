//! What identifies one effect and one attempt: stable ids from which keys and span ids are derived, never drawn.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{RunId, StepName, TenantName};

/// Whether a call does the work of a step or takes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The work of the step.
    Do,
    /// Its compensation.
    Undo,
}

impl Direction {
    fn tag(self) -> u8 {
        match self {
            Self::Do => 0,
            Self::Undo => 1,
        }
    }
}

/// One item of one step in one round: the unit that is bound, called, retried and undone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemId {
    /// The step.
    pub step: StepName,
    /// The position in the fan-out; 0 for a step without one.
    pub item: u32,
    /// How often the step was scheduled anew after an undo or with other input; the first is 1.
    pub round: u32,
}

/// One try of an item. It is the stable identity of a command: carrying it out twice is a no-op.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptId {
    /// What is tried.
    #[serde(flatten)]
    pub item: ItemId,
    /// Doing or undoing.
    pub direction: Direction,
    /// The number of the attempt, from 1, within (item, direction).
    pub attempt: u32,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ItemId { step, item, round } = &self.item;
        let direction = match self.direction {
            Direction::Do => "",
            Direction::Undo => " undo",
        };
        write!(f, "{step}[{item}] round {round}{direction} attempt {}", self.attempt)
    }
}

/// The key under which a back end may recognise a repeated request: the same for every attempt of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// blake3(tenant, run, step, item, round, direction) in 64 hexadecimal digits.
    pub fn derive(tenant: &TenantName, run: &RunId, item: &ItemId, direction: Direction) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("jackfield 2026 idempotency key");
        for part in [tenant.as_str(), run.as_str(), item.step.as_str()] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        hasher.update(&item.item.to_le_bytes());
        hasher.update(&item.round.to_le_bytes());
        hasher.update(&[direction.tag()]);
        Self(hasher.finalize().to_hex().to_string())
    }

    /// The key in its text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key for tests of arithmetic.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_every_part_and_on_nothing_else() {
        let tenant = TenantName::new("default").unwrap();
        let run = RunId::new("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
        let item = |step: &str, item, round| ItemId { step: StepName::new(step).unwrap(), item, round };
        let key = |i: ItemId, d| IdempotencyKey::derive(&tenant, &run, &i, d);
        let base = key(item("a", 0, 1), Direction::Do);
        assert_eq!(base, key(item("a", 0, 1), Direction::Do));
        for other in [key(item("b", 0, 1), Direction::Do), key(item("a", 1, 1), Direction::Do), key(item("a", 0, 2), Direction::Do)] {
            assert_ne!(base, other);
        }
        assert_ne!(base, key(item("a", 0, 1), Direction::Undo));
    }
}
