//! Takes sign-ups in: checks them, claims the slug, draws passwords and keys, and starts the run. What is secret is sealed before anything is written.

mod book;
mod draw;
mod error;
mod rate;
mod request;

use std::{net::IpAddr, sync::Arc};

use engine::{
    api::{Engine, InboundTrace, Start, StartError},
    port::{Clock, Documents, Secrets},
};
use pipeline::{Event, PipelineName, RunId, TenantName};
use serde_json::json;

pub use self::{book::Book, error::SignUpError, request::SignUp};
pub(crate) use self::{draw::password, request::shown};
use self::{
    draw::{Drawn, draw},
    rate::Rates,
    request::{Checked, characteristics, integrations, settings},
};
use crate::{
    input::TenantInput,
    options::{Options, PlanOptions},
    projection::TENANT_COLLECTION,
    tenant_pipeline::PIPELINE,
};

/// What intake works with.
#[derive(Debug, Clone)]
pub struct IntakeParts {
    /// Starts and shows runs.
    pub engine: Arc<dyn Engine>,
    /// The projected tenants.
    pub documents: Arc<dyn Documents>,
    /// Seals passwords and keys.
    pub secrets: Arc<dyn Secrets>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What the operator decided.
    pub options: Arc<Options>,
    /// Whose runs these are.
    pub service: TenantName,
}

/// Takes sign-ups in.
#[derive(Debug)]
pub struct Intake {
    pub(crate) parts: IntakeParts,
    book: Arc<Book>,
    rates: Rates,
}

/// Who signs somebody up.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Whose token it is; empty without one.
    pub name: String,
    /// Where the request comes from, where that counts.
    pub address: Option<IpAddr>,
}

/// A sign-up that was taken, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The tenant.
    pub id: String,
    /// The run that makes it.
    pub run: RunId,
    /// Where it will be found.
    pub domain: String,
    /// Whether this call took it.
    pub created: bool,
}

impl Intake {
    /// Intake over a book that was loaded.
    pub fn new(parts: IntakeParts, book: Arc<Book>) -> Self {
        let rates = Rates::new(parts.options.sign_up);
        Self { parts, book, rates }
    }

    /// Takes a sign-up. When it returns, the run that makes the tenant is durable. The same key of the same caller begins nothing new.
    ///
    /// # Errors
    ///
    /// [`SignUpError`]; nothing was made then.
    pub async fn accept(&self, sign_up: SignUp, key: Option<String>, caller: &Caller, trace: Option<InboundTrace>) -> Result<Accepted, SignUpError> {
        let IntakeParts { engine, documents, clock, options, service, .. } = &self.parts;
        self.rates.take(caller.address, clock.now())?;
        let Checked { slug, plan } = sign_up.check(options)?;
        let id = draw::id(&caller.name, key.as_deref())?;
        if key.is_some()
            && let Some(document) = documents.get(TENANT_COLLECTION, &id).await?
            && let Some(run) = document.body["run"].as_str().and_then(|run| RunId::new(run).ok())
        {
            return self.again(&run, &sign_up).await;
        }
        let had = self.claim(slug.as_str(), &id, &sign_up.plan, plan).await?;
        let claim = Claim { book: &self.book, slug: slug.as_str(), id: &id, kept: had };
        let domain = slug.domain(&options.zone);
        let input = self.input(&id, &sign_up, plan, &domain)?;
        let start = Start {
            tenant: service.clone(),
            pipeline: PipelineName::new(PIPELINE).expect("the pipeline's name is a valid name"),
            input: json!(input),
            idempotency_key: key.map(|_| format!("sign-up:{id}")),
            trace,
        };
        let started = engine.start(start).await?;
        claim.keep();
        if started.created { Ok(Accepted { id, run: started.run, domain, created: true }) } else { self.again(&started.run, &sign_up).await }
    }

    /// Claims a slug. The book follows the documents at a distance, so where somebody has the slug, the document has the last word.
    async fn claim(&self, slug: &str, id: &str, name: &str, plan: &PlanOptions) -> Result<bool, SignUpError> {
        let refused = match self.book.claim(slug, id, name, plan.quota) {
            Err(SignUpError::Taken(slug)) => SignUpError::Taken(slug),
            claimed => return claimed,
        };
        let Some(holder) = self.book.holder(slug) else { return self.book.claim(slug, id, name, plan.quota) };
        match self.parts.documents.get(TENANT_COLLECTION, &holder).await? {
            Some(document) => self.book.follow(&document),
            None => return Err(refused),
        }
        self.book.claim(slug, id, name, plan.quota)
    }

    /// What the same key began before, if it was for the same sign-up.
    async fn again(&self, run: &RunId, sign_up: &SignUp) -> Result<Accepted, SignUpError> {
        let unknown = || StartError::Unavailable(format!("run {run} is not to be found"));
        let view = self.parts.engine.query(run).await?.ok_or_else(unknown)?;
        let first = view.records.first().map(|record| &record.event);
        let Some(Event::RunStarted(started)) = first else { return Err(unknown().into()) };
        let Ok(input) = serde_json::from_value::<TenantInput>(started.input.clone()) else { return Err(unknown().into()) };
        let (used, given) = (asked(&input).digest(), sign_up.digest());
        if used != given {
            return Err(SignUpError::KeyUsed { used, given });
        }
        Ok(Accepted { id: input.id, run: run.clone(), domain: input.domain, created: false })
    }

    fn input(&self, id: &str, sign_up: &SignUp, plan: &PlanOptions, domain: &str) -> Result<TenantInput, SignUpError> {
        let IntakeParts { options, secrets, service, .. } = &self.parts;
        let Drawn { sealed, signing_request } = draw(&**secrets, service, plan.certificate.then_some(domain))?;
        let SignUp { name, plan: plan_name, region, slug, admin, labels } = sign_up.clone();
        Ok(TenantInput {
            id: id.to_owned(),
            slug,
            name,
            plan: plan_name,
            region,
            domain: domain.to_owned(),
            zone: options.zone.clone(),
            ttl: options.ttl_s,
            target: options.target.clone(),
            admin,
            labels: characteristics(&labels),
            template: plan.template.clone(),
            settings: settings(plan),
            integrations: integrations(plan),
            certificate: plan.certificate,
            ready_without_tls: plan.ready_without_tls,
            sealed,
            signing_request,
        })
    }
}

/// The sign-up that an input was made of.
fn asked(input: &TenantInput) -> SignUp {
    let TenantInput { name, plan, region, slug, admin, labels, .. } = input.clone();
    let labels = labels.into_iter().map(|label| (label.name, label.value)).collect();
    SignUp { name, plan, region, slug, admin, labels }
}

/// A slug that is let go of again unless a run has it.
struct Claim<'a> {
    book: &'a Book,
    slug: &'a str,
    id: &'a str,
    kept: bool,
}

impl Claim<'_> {
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.book.release(self.slug, self.id);
        }
    }
}
