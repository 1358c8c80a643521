//! The names of a tenant's schema and role, and what says whose they are.

use pipeline::Failure;

use crate::{
    failure::{DATABASE_REFUSED, rejected},
    names::TenantId,
};

/// The longest identifier that PostgreSQL does not cut off.
const LONGEST: usize = 63;
const MARK: &str = "jackfield:tenant=";

/// A tenant's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// The tenant's id.
    pub(super) tenant: String,
    /// The schema, and the role: `t_` and the id with `_` for `-`. Two ids may have the same; the mark tells whose it is.
    pub(super) name: String,
}

impl Names {
    pub(super) fn of(tenant: &TenantId) -> Result<Self, Failure> {
        let name = format!("t_{}", tenant.as_str().replace('-', "_"));
        if name.len() > LONGEST {
            return Err(rejected(DATABASE_REFUSED, format_args!("tenant id {tenant} is too long for a schema: at most {} characters", LONGEST - 2)));
        }
        Ok(Self { tenant: tenant.as_str().to_owned(), name })
    }

    /// The name as an identifier in SQL. It has nothing but `[a-z0-9_]`.
    pub(super) fn quoted(&self) -> String {
        format!("\"{}\"", self.name)
    }

    /// What the comments on schema and role say.
    pub(super) fn mark(&self, effect: &str) -> String {
        format!("{MARK}{};effect={effect}", self.tenant)
    }
}

/// The tenant of a mark, if it is one.
pub(super) fn tenant_of_mark(comment: &str) -> Option<&str> {
    comment.strip_prefix(MARK)?.split_once(';').map(|(tenant, _)| tenant)
}

/// A text as a literal in SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_ids_and_marks_tell_ids_of_one_name_apart() {
        let names = |id: &str| Names::of(&TenantId::parse(id).unwrap());
        let (one, other) = (names("a-b").unwrap(), names("a_b").unwrap());
        assert_eq!((one.quoted().as_str(), one.name == other.name), ("\"t_a_b\"", true));
        assert_eq!(tenant_of_mark(&one.mark("0f")), Some("a-b"));
        assert_eq!((tenant_of_mark("jackfield:tenant="), tenant_of_mark("somebody's")), (None, None));
        names(&"x".repeat(61)).unwrap();
        names(&"x".repeat(62)).unwrap_err();
    }
}
