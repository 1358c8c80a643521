//! Orders: what the authority wants to see in the DNS.

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Observed, Runner};
use instant_acme::{Account, AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order};
use pipeline::Failure;
use serde::{Deserialize, Serialize};

use super::{
    Acme,
    fault::{Stop, detail, is_account_lost, is_lost},
    patiently,
    transport::watched,
};
use crate::{
    contract::{CertificateOrderReceipt, CertificateOrderRequest, Challenge},
    providers::{
        effect::{self, Effect, done, drifted, ours, rejected},
        names::check_names,
    },
};

/// The collection of orders, by their address at the authority.
pub const ORDER_COLLECTION: &str = "tenant-acme-order";

/// The contract `certificate-order` at an authority.
#[derive(Debug, Clone)]
pub struct AcmeOrders(pub Acme);

/// An order, under the key of the effect that placed it.
#[derive(Debug, Serialize, Deserialize)]
struct OrderRow {
    owner: String,
    names: Vec<String>,
    receipt: CertificateOrderReceipt,
}

impl Acme {
    /// Places an order. One whose answer is lost ends at the authority by itself.
    async fn place(&self, names: &[String]) -> Result<(Account, Order), Stop> {
        let names: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
        let mut again = true;
        loop {
            let account = self.account().await?;
            match account.new_order(&NewOrder::new(&names)).await {
                Ok(order) => return Ok((account, order)),
                Err(error) if is_account_lost(&error) && again => {
                    again = false;
                    self.forget_account(&account).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What proves the names of an order that are not proved yet.
    pub(super) async fn challenges(order: &mut Order) -> Result<Vec<Challenge>, Stop> {
        let mut found = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            if authorization.status != AuthorizationStatus::Pending {
                return Err(rejected("challenge_failed", "the certificate authority holds a name for refused already").into());
            }
            let Some(challenge) = authorization.challenge(ChallengeType::Dns01) else {
                return Err(rejected("no_dns_challenge", "the certificate authority takes no proof in the DNS").into());
            };
            let Identifier::Dns(name) = challenge.identifier().identifier else {
                return Err(rejected("ca_refused", "the certificate authority wants proof of something that is no name").into());
            };
            found.push(Challenge { name: format!("_acme-challenge.{name}"), value: challenge.key_authorization().dns_value() });
        }
        Ok(found)
    }

    async fn order(&self, request: &CertificateOrderRequest) -> Result<CertificateOrderReceipt, Stop> {
        let (_, mut order) = patiently!(self.place(&request.names))?;
        // What is known of the order already is not asked for again.
        let challenges = patiently!(Self::challenges(&mut order))?;
        Ok(CertificateOrderReceipt { order: order.url().to_owned(), challenges })
    }

    /// Gives up what the order has proved or was to prove.
    async fn give_up(&self, url: &str) -> Result<(), Stop> {
        let account = self.account().await?;
        let mut order = match account.order(url.to_owned()).await {
            Err(error) if is_lost(&error) => return Ok(()),
            other => other?,
        };
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if matches!(authorization.status, AuthorizationStatus::Pending | AuthorizationStatus::Valid) {
                authorization.deactivate().await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Runner for AcmeOrders {
    async fn call(&self, call: Call) -> CallReport {
        watched(effect::run(self, &call)).await
    }
}

#[async_trait]
impl Effect for AcmeOrders {
    type Request = CertificateOrderRequest;
    type Receipt = CertificateOrderReceipt;

    async fn apply(&self, call: &Call, request: CertificateOrderRequest) -> Result<Answer, Failure> {
        check_names(&request.names)?;
        if let Some((_, row)) = self.0.find::<OrderRow>(ORDER_COLLECTION, "key", call.key.as_str()).await? {
            return Ok(done(&row.receipt));
        }
        let receipt = self.0.order(&request).await.map_err(Stop::failure)?;
        let row = OrderRow { owner: request.owner, names: request.names, receipt };
        self.0.write(ORDER_COLLECTION, &row.receipt.order, &row, Some(("key", call.key.as_str().to_owned()))).await?;
        Ok(done(&row.receipt))
    }

    async fn observe(&self, call: &Call, request: CertificateOrderRequest) -> Result<Observed, Failure> {
        Ok(match self.0.find::<OrderRow>(ORDER_COLLECTION, "key", call.key.as_str()).await? {
            None => Observed::Absent,
            Some((_, row)) if (&row.owner, &row.names) == (&request.owner, &request.names) => ours(&row.receipt),
            Some((_, row)) => drifted(&row.receipt),
        })
    }

    async fn undo(&self, _: &Call, receipt: CertificateOrderReceipt) -> Result<(), Failure> {
        if self.0.read::<OrderRow>(ORDER_COLLECTION, &receipt.order).await?.is_some() {
            patiently!(self.0.give_up(&receipt.order)).map_err(Stop::failure)?;
            self.0.remove(ORDER_COLLECTION, &receipt.order).await?;
        }
        Ok(())
    }
}

/// Why an authority holds an order for failed.
pub(super) async fn why(order: &mut Order) -> Result<String, Stop> {
    if let Some(problem) = &order.state().error {
        return Ok(detail(problem));
    }
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        for challenge in &authorization.challenges {
            if let Some(problem) = &challenge.error {
                return Ok(detail(problem));
            }
        }
    }
    Ok("it does not say why".to_owned())
}
