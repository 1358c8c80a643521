//! Readers: a few connections of their own, lent to blocking threads.

use std::{fmt, path::PathBuf, sync::Arc};

use engine::port::ReadError;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::{error::unreadable, open::open_reader};

/// Lends read-only connections; opens one when none is idle and the limit allows.
#[derive(Clone)]
pub(crate) struct Readers {
    path: Arc<PathBuf>,
    turns: Arc<Semaphore>,
    idle: Arc<std::sync::Mutex<Vec<Connection>>>,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Readers {
    /// At most `count` connections to a database.
    pub(crate) fn new(path: PathBuf, count: usize) -> Self {
        Self { path: Arc::new(path), turns: Arc::new(Semaphore::new(count.max(1))), idle: Arc::default() }
    }

    /// Runs a query on a blocking thread. A connection on which a query failed is not lent again.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| ReadError::Unavailable("the store is closed".to_owned()))?;
        let readers = self.clone();
        let work = move || {
            let _turn = turn;
            let mut connection = match readers.take() {
                Some(connection) => connection,
                None => open_reader(&readers.path)?,
            };
            let answer = query(&mut connection)?;
            readers.put(connection);
            Ok(answer)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(answer) => answer.map_err(unreadable),
            Err(error) => Err(ReadError::Unavailable(format!("the query was not finished: {error}"))),
        }
    }

    /// Refuses further queries and closes what is idle.
    pub(crate) fn close(&self) {
        self.turns.close();
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }

    fn take(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop()
    }

    fn put(&self, connection: Connection) {
        if !self.turns.is_closed() {
            self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(connection);
        }
    }
}
