//! The book of slugs: who has which, in memory, so that a slug is claimed before anything is written. It is rebuilt from documents when the host starts.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use engine::port::{Document, DocumentQuery, Documents, ReadError};
use serde_json::Value;

use super::SignUpError;
use crate::projection::{TENANT_COLLECTION, TenantState};

/// How many documents are read at a time when the book is rebuilt.
const PAGE: u64 = 2_000;

/// Who has which slug, and how many tenants each plan has.
#[derive(Debug, Default)]
pub struct Book {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    holders: HashMap<String, Holder>,
    /// Tenants by plan.
    counts: HashMap<String, u64>,
}

/// Who has a slug.
#[derive(Debug)]
struct Holder {
    id: String,
    plan: String,
}

impl Book {
    /// Takes in every tenant that the store knows.
    ///
    /// # Errors
    ///
    /// The store could not be read.
    pub async fn load(&self, documents: &dyn Documents) -> Result<(), ReadError> {
        let mut offset = 0;
        loop {
            let query = DocumentQuery { collection: TENANT_COLLECTION, equal: Vec::new(), offset, limit: PAGE };
            let page = documents.find(query).await?;
            page.documents.iter().for_each(|document| self.follow(document));
            offset += PAGE;
            if offset >= page.total {
                return Ok(());
            }
        }
    }

    /// Holds or lets go of a slug as the document of its tenant says.
    pub(crate) fn follow(&self, document: &Document) {
        let text = |field: &str| document.body[field].as_str().unwrap_or_default();
        if is_free(&document.body) {
            self.release(text("slug"), &document.id);
        } else {
            self.hold(text("slug"), &document.id, text("plan"));
        }
    }

    /// Claims a slug for a tenant. Whether it had it before.
    pub(super) fn claim(&self, slug: &str, id: &str, plan: &str, quota: Option<u64>) -> Result<bool, SignUpError> {
        let mut state = self.lock();
        if let Some(holder) = state.holders.get(slug) {
            return if holder.id == id { Ok(true) } else { Err(SignUpError::Taken(slug.to_owned())) };
        }
        let count = state.counts.get(plan).copied().unwrap_or(0);
        if let Some(quota) = quota.filter(|quota| count >= *quota) {
            return Err(SignUpError::Full { plan: plan.to_owned(), quota });
        }
        state.insert(slug, id, plan);
        Ok(false)
    }

    /// Who has a slug.
    pub(super) fn holder(&self, slug: &str) -> Option<String> {
        self.lock().holders.get(slug).map(|holder| holder.id.clone())
    }

    /// Holds a slug for a tenant, unless somebody has it.
    pub(crate) fn hold(&self, slug: &str, id: &str, plan: &str) {
        let mut state = self.lock();
        if !state.holders.contains_key(slug) {
            state.insert(slug, id, plan);
        }
    }

    /// Lets go of a slug, if this tenant has it.
    pub(crate) fn release(&self, slug: &str, id: &str) {
        let mut state = self.lock();
        if state.holders.get(slug).is_none_or(|holder| holder.id != id) {
            return;
        }
        let Some(Holder { plan, .. }) = state.holders.remove(slug) else { return };
        if let Some(count) = state.counts.get_mut(&plan) {
            *count = count.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, slug: &str, id: &str, plan: &str) {
        self.holders.insert(slug.to_owned(), Holder { id: id.to_owned(), plan: plan.to_owned() });
        *self.counts.entry(plan.to_owned()).or_default() += 1;
    }
}

/// Whether nothing of a tenant exists any more, anywhere: only then may somebody else have its slug.
fn is_free(body: &Value) -> bool {
    let over = match body["state"].as_str().and_then(TenantState::of_name) {
        Some(TenantState::Failed | TenantState::Cancelled | TenantState::Removed) => true,
        Some(TenantState::Provisioning | TenantState::Ready | TenantState::Held | TenantState::Removing | TenantState::ManualCleanupRequired)
        | None => false,
    };
    over && body["resources"].as_array().into_iter().flatten().all(|resource| resource["state"] == "removed")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tenant(id: &str, state: &str, resource: &str) -> Document {
        let body = json!({"slug": "acme", "plan": "pro", "state": state, "resources": [{"state": "removed"}, {"state": resource}]});
        Document { collection: TENANT_COLLECTION, id: id.to_owned(), rank: 0, body, attributes: Vec::new() }
    }

    #[test]
    fn a_slug_is_free_when_nothing_of_its_tenant_is_left() {
        for (state, resource, free) in [
            ("provisioning", "removed", false),
            ("ready", "present", false),
            ("failed", "removed", true),
            ("failed", "left", false),
            ("removed", "present", false),
            ("removed", "removed", true),
            ("manual_cleanup_required", "left", false),
            ("a newer state", "removed", false),
        ] {
            let book = Book::default();
            book.follow(&tenant("t-1", "ready", "present"));
            book.follow(&tenant("t-1", state, resource));
            assert_eq!(book.claim("acme", "t-2", "pro", None).is_ok(), free, "{state} {resource}");
        }
    }

    #[test]
    fn a_claim_is_one_tenants_and_counts_against_its_plan() {
        let book = Book::default();
        assert_eq!(book.claim("acme", "t-1", "pro", Some(2)), Ok(false));
        assert_eq!(book.claim("acme", "t-1", "pro", Some(1)), Ok(true), "the same tenant again");
        assert_eq!(book.claim("acme", "t-2", "pro", Some(2)), Err(SignUpError::Taken("acme".to_owned())));
        assert_eq!(book.claim("other", "t-2", "pro", Some(1)), Err(SignUpError::Full { plan: "pro".to_owned(), quota: 1 }));
        book.release("acme", "t-2");
        assert!(book.claim("acme", "t-2", "pro", None).is_err(), "only who has it lets go of it");
        book.release("acme", "t-1");
        assert_eq!(book.claim("other", "t-2", "pro", Some(1)), Ok(false));
    }

    #[tokio::test]
    async fn the_book_is_rebuilt_from_the_documents() {
        let store = engine::testing::MemoryStore::default();
        store.put(vec![tenant("t-1", "failed", "left")]).await.unwrap();
        let book = Book::default();
        book.load(&store).await.unwrap();
        assert_eq!(book.claim("acme", "t-2", "pro", None), Err(SignUpError::Taken("acme".to_owned())));
    }
}
