//! Certificates: from an order whose proofs are in place to a chain, a step of the authority at a time. Every call looks where the order stands, so that it
//! does not matter which of them was the last that was heard of.

use std::time::Duration;

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Observed, Runner, Signal};
use instant_acme::{AuthorizationStatus, Challenge, ChallengeStatus, ChallengeType, Error, Order, OrderStatus, RevocationReason, RevocationRequest};
use pipeline::{Failure, FailureClass};
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::timeout;

use super::{
    Acme,
    fault::{Stop, detail, is_lost, is_passing, kind},
    issued::{CERTIFICATE_COLLECTION, CertificateRow, leaf, read},
    order::why,
    patiently,
    proof::are_there,
    transport::watched,
};
use crate::{
    contract::{CertificateReceipt, CertificateRequest},
    providers::{
        effect::{self, Effect, done, drifted, held, ours, rejected, unavailable},
        names::{check_names, shown},
        signing::request_der,
    },
};

/// The contract `certificate` at an authority.
#[derive(Debug, Clone)]
pub struct AcmeCertificates(pub Acme);

/// What a pending issue goes on with.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
struct Checkpoint {
    /// Whether the authority was told that the proofs are in place, which would have it look again.
    #[serde(default)]
    ready: bool,
    /// Whether the authority may have been asked to issue: from then on nobody can promise that there is no certificate.
    finalized: bool,
}

/// Where an order stands.
enum Standing {
    /// There is a certificate: the chain.
    Issued(String),
    /// The authority works on it.
    Working,
}

impl Acme {
    async fn advance(&self, request: &CertificateRequest, mut at: Checkpoint) -> Result<Answer, Failure> {
        check_names(&request.names)?;
        let signing = request_der(&request.signing_request)
            .map_err(|why| rejected("bad_signing_request", format!("the signing request cannot be used: {why}")))?;
        if let Some(row) = self.read::<CertificateRow>(CERTIFICATE_COLLECTION, &request.order).await? {
            return match row {
                CertificateRow { owner, receipt, revoked: false, .. } if owner == request.owner => Ok(done(&receipt)),
                CertificateRow { .. } => Err(rejected("order_used", format!("the order {} has a certificate already", shown(&request.order)))),
            };
        }
        let standing = patiently!(self.step(&request.order, &signing, &mut at));
        match standing {
            Ok(Standing::Issued(chain)) => {
                let receipt = read(chain, &signing)?;
                self.keep(request, receipt.clone()).await?;
                Ok(done(&receipt))
            }
            Ok(Standing::Working) => Ok(Answer::Pending(self.pending(&request.order, json!(at).to_string()))),
            Err(stop) => Err(if at.finalized { stop.doubtful() } else { stop.failure() }),
        }
    }

    /// Does what the order needs next.
    async fn step(&self, url: &str, signing: &[u8], at: &mut Checkpoint) -> Result<Standing, Stop> {
        let mut order = self.find_order(url).await?;
        if order.state().status == OrderStatus::Pending {
            if !at.ready && self.are_proved(&mut order).await? {
                ready(&mut order).await?;
                at.ready = true;
            }
            return Ok(Standing::Working);
        }
        if order.state().status == OrderStatus::Ready {
            at.finalized = true;
            order.finalize_csr(signing).await.inspect_err(|error| at.finalized = !matches!(error, Error::Api(_)))?;
        }
        match order.state().status {
            OrderStatus::Pending | OrderStatus::Ready => Ok(Standing::Working),
            OrderStatus::Processing => {
                at.finalized = true;
                Ok(Standing::Working)
            }
            OrderStatus::Valid => {
                at.finalized = true;
                Ok(order.certificate().await?.map_or(Standing::Working, Standing::Issued))
            }
            OrderStatus::Invalid => {
                // It ended without a certificate.
                let why = why(&mut order).await?;
                at.finalized = false;
                Err(rejected("challenge_failed", format!("the certificate authority gave the order up: {why}")).into())
            }
        }
    }

    /// Whether the proofs can be seen, where the operator wants to know.
    async fn are_proved(&self, order: &mut Order) -> Result<bool, Stop> {
        let Some(server) = self.0.options.name_server else { return Ok(true) };
        let challenges = Self::challenges(order).await?;
        let limit = Duration::from_millis(self.0.options.timeout_ms);
        match timeout(limit, are_there(server, &challenges)).await {
            Ok(Ok(there)) => Ok(there),
            Ok(Err(error)) => Err(unavailable("dns_unreachable", format!("the name server {server} cannot be asked for the proofs: {error}")).into()),
            Err(_) => Err(unavailable("dns_unreachable", format!("the name server {server} does not answer")).into()),
        }
    }

    async fn find_order(&self, url: &str) -> Result<Order, Stop> {
        match self.account().await?.order(url.to_owned()).await {
            Err(Error::Api(problem)) if is_lost(&Error::Api(problem.clone())) => {
                let message = format!("the certificate authority does not know the order {}: {}", shown(url), detail(&problem));
                Err(rejected("order_lost", message).into())
            }
            other => Ok(other?),
        }
    }

    async fn keep(&self, request: &CertificateRequest, receipt: CertificateReceipt) -> Result<(), Failure> {
        let row = CertificateRow { owner: request.owner.clone(), names: request.names.clone(), receipt, revoked: false };
        let serial = row.receipt.serial.clone();
        self.write(CERTIFICATE_COLLECTION, &request.order, &row, Some(("serial", serial))).await.map_err(|failure| {
            // It is issued: the next attempt fetches it again.
            let class = if failure.class == FailureClass::Unavailable { FailureClass::Unknown } else { failure.class };
            Failure { class, ..failure }
        })
    }

    /// Looks at an order, and changes nothing.
    async fn look(&self, url: &str) -> Result<Option<Standing>, Stop> {
        let mut order = match self.find_order(url).await {
            Err(Stop::Failed(failure)) if failure.error_type == "order_lost" => return Ok(None),
            other => other?,
        };
        Ok(match order.state().status {
            OrderStatus::Pending | OrderStatus::Ready | OrderStatus::Invalid => None,
            OrderStatus::Processing => Some(Standing::Working),
            OrderStatus::Valid => Some(order.certificate().await?.map_or(Standing::Working, Standing::Issued)),
        })
    }

    async fn revoke(&self, chain: &str) -> Result<(), Stop> {
        let certificate = CertificateDer::from(leaf(chain)?);
        let request = RevocationRequest { certificate: &certificate, reason: Some(RevocationReason::CessationOfOperation) };
        match self.account().await?.revoke(&request).await {
            Err(Error::Api(problem)) if kind(&problem) == "alreadyRevoked" => Ok(()),
            other => Ok(other?),
        }
    }

    /// Nobody wants the certificate any more.
    async fn cancel(&self, order: &str, at: Checkpoint) -> Result<(), Failure> {
        match patiently!(self.look(order)).map_err(Stop::failure)? {
            Some(Standing::Issued(chain)) => patiently!(self.revoke(&chain)).map_err(Stop::failure),
            Some(Standing::Working) => {
                Err(unavailable("still_issuing", "the certificate authority issues the certificate, which can only be revoked then"))
            }
            None if at.finalized => Err(held("order_lost", format!("nobody can say whether the order {} has a certificate", shown(order)))),
            None => Ok(()),
        }
    }
}

/// Says that the proofs of an order are in place. Of a challenge that the authority has looked at meanwhile it does not want to hear: that is no refusal.
async fn ready(order: &mut Order) -> Result<(), Stop> {
    let mut refused = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let url = authorization.url().to_owned();
        let Some(mut challenge) = authorization.challenge(ChallengeType::Dns01) else {
            return Err(rejected("no_dns_challenge", "the certificate authority takes no proof in the DNS").into());
        };
        if challenge.status != ChallengeStatus::Pending {
            continue;
        }
        match challenge.set_ready().await {
            Err(Error::Api(problem)) if !is_passing(&problem) => refused.push((url, problem)),
            other => other?,
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    order.refresh().await?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        let untouched = |challenge: &Challenge| challenge.r#type == ChallengeType::Dns01 && challenge.status == ChallengeStatus::Pending;
        let open = authorization.status == AuthorizationStatus::Pending && authorization.challenges.iter().any(untouched);
        if let Some((_, problem)) = refused.iter().find(|(url, _)| open && url == authorization.url()) {
            return Err(rejected("challenge_failed", format!("the certificate authority refuses the proof: {}", detail(problem))).into());
        }
    }
    Ok(())
}

#[async_trait]
impl Runner for AcmeCertificates {
    async fn call(&self, call: Call) -> CallReport {
        watched(effect::run(self, &call)).await
    }
}

#[async_trait]
impl Effect for AcmeCertificates {
    type Request = CertificateRequest;
    type Receipt = CertificateReceipt;

    async fn apply(&self, _: &Call, request: CertificateRequest) -> Result<Answer, Failure> {
        self.0.advance(&request, Checkpoint::default()).await
    }

    async fn resume(&self, _: &Call, request: CertificateRequest, checkpoint: &str, signal: &Signal) -> Result<Answer, Failure> {
        let at = serde_json::from_str(checkpoint).map_err(|error| held("plugin.contract", format!("the checkpoint does not fit: {error}")))?;
        match signal {
            Signal::Timer | Signal::Callback(_) => self.0.advance(&request, at).await,
            Signal::Cancel => self.0.cancel(&request.order, at).await.map(|()| Answer::Undone),
        }
    }

    async fn observe(&self, _: &Call, request: CertificateRequest) -> Result<Observed, Failure> {
        if let Some(row) = self.0.read::<CertificateRow>(CERTIFICATE_COLLECTION, &request.order).await? {
            return Ok(match row {
                CertificateRow { owner, .. } if owner != request.owner => Observed::Foreign(owner),
                CertificateRow { receipt, revoked: true, .. } => drifted(&receipt),
                CertificateRow { receipt, .. } => ours(&receipt),
            });
        }
        let standing = patiently!(self.0.look(&request.order)).map_err(Stop::failure)?;
        Ok(match standing {
            None => Observed::Absent,
            Some(Standing::Working) => {
                Observed::Pending(self.0.pending(&request.order, json!(Checkpoint { ready: true, finalized: true }).to_string()))
            }
            Some(Standing::Issued(chain)) => {
                let signing = request_der(&request.signing_request).map_err(|why| rejected("bad_signing_request", why))?;
                ours(&read(chain, &signing)?)
            }
        })
    }

    async fn undo(&self, _: &Call, receipt: CertificateReceipt) -> Result<(), Failure> {
        let found = self.0.find::<CertificateRow>(CERTIFICATE_COLLECTION, "serial", &receipt.serial).await?;
        if found.as_ref().is_some_and(|(_, row)| row.revoked) || receipt.not_after <= self.0.seconds() {
            return Ok(());
        }
        patiently!(self.0.revoke(&receipt.chain)).map_err(Stop::failure)?;
        match found {
            Some((order, row)) => {
                let row = CertificateRow { revoked: true, ..row };
                self.0.write(CERTIFICATE_COLLECTION, &order, &row, Some(("serial", receipt.serial))).await
            }
            None => Ok(()),
        }
    }
}
