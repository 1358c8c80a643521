//! Ends of transactions, and what became of one whose end was not heard of.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::Client;

use super::{
    Inner,
    fault::{Fault, Kind},
};

/// How often a server that is gone is asked what became of a transaction, and how long it is waited in between.
const ASKED: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(250);

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Committed,
    /// Nothing of it was kept.
    Not(Fault),
    /// Nobody can tell now.
    Unknown(Fault),
}

impl Inner {
    /// Commits. If the connection is lost meanwhile, the server is asked over another what became of it.
    pub(super) async fn commit(&self, client: &Client) -> Ended {
        let transaction = match client.query_one("SELECT pg_current_xact_id()::text", &[]).await {
            Ok(row) => row.get::<_, String>(0),
            Err(error) => return Ended::Not(error.into()),
        };
        match client.batch_execute("COMMIT").await.map_err(Fault::from) {
            Ok(()) => Ended::Committed,
            Err(fault) if fault.kind == Kind::Lost => self.ask(&transaction, fault).await,
            Err(fault) => Ended::Not(fault),
        }
    }

    async fn ask(&self, transaction: &str, lost: Fault) -> Ended {
        for _ in 0..ASKED {
            if let Ok(lent) = self.lend().await
                && let Ok(row) = lent.session.client.query_one("SELECT pg_xact_status($1::text::xid8)", &[&transaction]).await
            {
                let status: Option<String> = row.get(0);
                lent.give_back();
                match status.as_deref() {
                    Some("committed") => return Ended::Committed,
                    Some("aborted") => return Ended::Not(lost),
                    // Its process has not noticed yet, or the server has forgotten.
                    Some(_) | None => {}
                }
            }
            sleep(BETWEEN).await;
        }
        Ended::Unknown(lost)
    }
}
