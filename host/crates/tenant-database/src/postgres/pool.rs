//! The host's own connections: few, and given back only by who is done with them well.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Inner, connect::Session, fault::Fault};

#[derive(Debug)]
pub(super) struct Pool {
    most: Semaphore,
    idle: Mutex<Vec<Session>>,
}

/// A connection of the pool. Dropped, it is closed; nothing that is left open in it reaches anybody else.
#[derive(Debug)]
pub(super) struct Lent<'a> {
    pub(super) session: Session,
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(most: usize) -> Self {
        Self { most: Semaphore::new(most.max(1)), idle: Mutex::default() }
    }

    fn take(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| idle.pop()).find(|session| !session.client.is_closed())
    }
}

impl Inner {
    /// A connection as the host's own role.
    pub(super) async fn lend(&self) -> Result<Lent<'_>, Fault> {
        let permit = self.pool.most.acquire().await.map_err(|error| Fault::lost(error.to_string()))?;
        let session = match self.pool.take() {
            Some(session) => session,
            None => self.server.connect().await?,
        };
        Ok(Lent { session, pool: &self.pool, _permit: permit })
    }
}

impl Lent<'_> {
    /// Gives it back: no transaction is open.
    pub(super) fn give_back(self) {
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.session);
    }
}
