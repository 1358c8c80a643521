//! The provider `sqlite` of `jackfield:tenant/database`.

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Observed, Runner, Verb};
use pipeline::{Failure, Pin};
use serde_json::json;

use super::{Inner, SqliteDatabases, look::Found};
use crate::{
    contract::{DatabaseReceipt, DatabaseRequest, read},
    failure::{misfit, unknown},
    names::TenantId,
};

/// Answers `jackfield:tenant/database` with a file for each tenant.
#[derive(Debug, Clone)]
pub struct SqliteRunner(pub SqliteDatabases);

impl SqliteRunner {
    /// The name of the provider in bindings.
    pub const NAME: &'static str = "sqlite";

    /// What the step is bound to.
    pub fn pin() -> Pin {
        crate::contract::pin(Self::NAME)
    }

    async fn answer(&self, call: &Call, sent: &mut bool) -> Result<Answer, Failure> {
        let effect = call.key.as_str().to_owned();
        let tenant = match &call.verb {
            Verb::Undo { receipt } => read::<DatabaseReceipt>(receipt, "receipt")?.tenant,
            Verb::Apply | Verb::Observe => read::<DatabaseRequest>(&call.request, "request")?.tenant,
            Verb::Resume { .. } => return Err(misfit("nothing of this contract is ever pending")),
        };
        let tenant = TenantId::parse(&tenant)?;
        let (answer, began) = match call.verb {
            Verb::Apply => self.work(move |inner, sent| inner.apply(&tenant, &effect, sent).map(|receipt| Answer::Done(json!(receipt)))).await,
            Verb::Undo { .. } => self.work(move |inner, sent| inner.undo(&tenant, sent).map(|()| Answer::Undone)).await,
            Verb::Observe | Verb::Resume { .. } => self.work(move |inner, _| inner.observe(&tenant).map(Answer::Observed)).await,
        };
        *sent = began;
        answer
    }

    async fn work(&self, work: impl FnOnce(&Inner, &mut bool) -> Result<Answer, Failure> + Send + 'static) -> (Result<Answer, Failure>, bool) {
        let done = self.0.on_thread(move |inner| {
            let mut sent = false;
            (work(inner, &mut sent), sent)
        });
        done.await.unwrap_or_else(|error| (Err(unknown(format_args!("the work on a database broke down: {error}"))), true))
    }
}

impl Inner {
    fn observe(&self, tenant: &TenantId) -> Result<Observed, Failure> {
        Ok(match self.look(tenant)? {
            Found::Absent => Observed::Absent,
            Found::Foreign(whose) => Observed::Foreign(whose),
            Found::Ours(made) => {
                let receipt = json!(self.receipt(tenant, made.last().map_or(0, |(version, _)| *version)));
                match self.options.migrations.missing(&made) {
                    Ok(missing) if missing.is_empty() => Observed::Ours(receipt),
                    Ok(_) | Err(_) => Observed::Drifted(receipt),
                }
            }
        })
    }
}

#[async_trait]
impl Runner for SqliteRunner {
    async fn call(&self, call: Call) -> CallReport {
        let mut sent = false;
        let answer = self.answer(&call, &mut sent).await;
        CallReport { answer, sent, attributes: Vec::new(), writes: Vec::new() }
    }
}
