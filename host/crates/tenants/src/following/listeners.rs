//! Who listens to which tenant. A listener is told that something changed, and looks at the document itself: it misses nothing and no queue grows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// How many listeners there are at a time.
const MAX_LISTENERS: usize = 512;

/// The listeners of all tenants.
#[derive(Debug, Default)]
pub struct Listeners {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tenants: HashMap<String, watch::Sender<u64>>,
    count: usize,
    closed: bool,
}

/// Somebody who listens to a tenant.
#[derive(Debug)]
pub struct Listener {
    id: String,
    changes: watch::Receiver<u64>,
    all: Arc<Listeners>,
}

impl Listeners {
    /// Begins to listen; `None` when there are as many listeners as there may be.
    pub fn listen(self: &Arc<Self>, id: &str) -> Option<Listener> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed || state.count >= MAX_LISTENERS {
            return None;
        }
        state.count += 1;
        let changes = state.tenants.entry(id.to_owned()).or_insert_with(|| watch::Sender::new(0)).subscribe();
        Some(Listener { id: id.to_owned(), changes, all: self.clone() })
    }

    /// Tells whoever listens to a tenant that something has changed.
    pub(crate) fn tell(&self, id: &str) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = state.tenants.get(id) {
            sender.send_modify(|changes| *changes += 1);
        }
    }

    /// Lets all listeners go; nobody listens after that.
    pub fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        state.tenants.clear();
    }
}

impl Listener {
    /// Returns when something has changed since the last time; `false` when nobody will be told any more.
    pub async fn changed(&mut self) -> bool {
        self.changes.changed().await.is_ok()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut state = self.all.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.count -= 1;
        // This one still counts among the receivers.
        if state.tenants.get(&self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            state.tenants.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn listeners_hear_of_their_tenant_and_are_bounded() {
        let listeners = Arc::new(Listeners::default());
        let mut first = listeners.listen("t-1").unwrap();
        listeners.tell("t-2");
        listeners.tell("t-1");
        listeners.tell("t-1");
        assert!(first.changed().await);
        assert!(!first.changes.has_changed().unwrap(), "several changes are one");
        let others: Vec<_> = (1..MAX_LISTENERS).map(|_| listeners.listen("t-2").unwrap()).collect();
        assert!(listeners.listen("t-3").is_none());
        drop((first, others));
        assert!(listeners.state.lock().unwrap().tenants.is_empty());
        let mut last = listeners.listen("t-3").unwrap();
        listeners.close();
        assert!(!last.changed().await && listeners.listen("t-3").is_none());
    }
}
