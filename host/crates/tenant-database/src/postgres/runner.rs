//! The provider `postgres` of `jackfield:tenant/database`.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Observed, Runner, Verb};
use pipeline::{Failure, Pin};
use serde_json::json;

use super::{
    Inner, PostgresDatabases,
    look::{State, look},
    make::Progress,
    names::Names,
};
use crate::{
    contract::{DatabaseReceipt, DatabaseRequest, read},
    failure::{misfit, unavailable, unknown},
    names::TenantId,
};

/// Answers `jackfield:tenant/database` with a schema and a role for each tenant.
#[derive(Debug, Clone)]
pub struct PostgresRunner(pub PostgresDatabases);

impl PostgresRunner {
    /// The name of the provider in bindings.
    pub const NAME: &'static str = "postgres";

    /// What the step is bound to.
    pub fn pin() -> Pin {
        crate::contract::pin(Self::NAME)
    }

    async fn answer(&self, call: &Call, progress: &Progress) -> Result<Answer, Failure> {
        let inner = &self.0.inner;
        match &call.verb {
            Verb::Apply => {
                let request: DatabaseRequest = read(&call.request, "request")?;
                let names = Names::of(&TenantId::parse(&request.tenant)?)?;
                let password = inner.open(&call.tenant, &request.password)?;
                let receipt = inner.apply(&names, &password, call.key.as_str(), progress).await?;
                Ok(Answer::Done(json!(receipt)))
            }
            Verb::Observe => {
                let request: DatabaseRequest = read(&call.request, "request")?;
                let names = Names::of(&TenantId::parse(&request.tenant)?)?;
                inner.observe(&names).await.map(Answer::Observed)
            }
            Verb::Undo { receipt } => {
                let receipt: DatabaseReceipt = read(receipt, "receipt")?;
                let names = Names::of(&TenantId::parse(&receipt.tenant)?)?;
                if receipt.schema != names.name || receipt.database != inner.server.database() {
                    return Err(misfit(format_args!(
                        "the receipt is of schema {} in database {}, which this host does not have",
                        receipt.schema, receipt.database
                    )));
                }
                inner.undo(&names, progress).await.map(|()| Answer::Undone)
            }
            Verb::Resume { .. } => Err(misfit("nothing of this contract is ever pending")),
        }
    }
}

impl Inner {
    async fn observe(&self, names: &Names) -> Result<Observed, Failure> {
        let lent = self.lend().await.map_err(|fault| fault.failure())?;
        let found = look(&lent.session.client, names).await.map_err(|fault| fault.failure())?;
        lent.give_back();
        let whole = found.is_whole();
        Ok(match found.state {
            State::Absent => Observed::Absent,
            State::Foreign(whose) => Observed::Foreign(whose),
            State::Ours(made) => {
                let receipt = json!(self.receipt(names, made.last().map_or(0, |(version, _)| *version)));
                match self.options.migrations.missing(&made) {
                    Ok(missing) if missing.is_empty() && whole => Observed::Ours(receipt),
                    Ok(_) | Err(_) => Observed::Drifted(receipt),
                }
            }
        })
    }
}

#[async_trait]
impl Runner for PostgresRunner {
    async fn call(&self, call: Call) -> CallReport {
        let progress = Progress::default();
        let answer = match tokio::time::timeout(call.timeout, self.answer(&call, &progress)).await {
            Ok(answer) => answer,
            Err(_) => {
                let message = format!("the database server did not answer in {:?}", call.timeout);
                Err(if progress.sent.load(Ordering::Relaxed) { unknown(message) } else { unavailable(message) })
            }
        };
        CallReport { answer, sent: progress.sent.load(Ordering::Relaxed), attributes: Vec::new(), writes: Vec::new() }
    }
}
