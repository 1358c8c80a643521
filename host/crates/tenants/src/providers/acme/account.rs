//! This host's account at an authority: made once, its key sealed.

use instant_acme::{Account, AccountCredentials, ExternalAccountKey, NewAccount};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Acme, fault::Stop};
use crate::providers::effect::held;

/// The collection of accounts, by the address of the authority.
pub const ACCOUNT_COLLECTION: &str = "tenant-acme-account";

/// An account.
#[derive(Debug, Serialize, Deserialize)]
struct AccountRow {
    /// Its address at the authority.
    account: String,
    /// What it is used with, with its key: sealed.
    credentials: String,
}

impl Acme {
    /// The account, which is made when there is none.
    pub(super) async fn account(&self) -> Result<Account, Stop> {
        let mut kept = self.0.account.lock().await;
        if let Some(account) = &*kept {
            return Ok(account.clone());
        }
        let account = match self.read::<AccountRow>(ACCOUNT_COLLECTION, &self.0.options.directory).await? {
            Some(row) => self.open(&row).await?,
            None => self.register().await?,
        };
        *kept = Some(account.clone());
        Ok(account)
    }

    /// The authority does not know an account any more: the next order has another made.
    pub(super) async fn forget_account(&self, lost: &Account) -> Result<(), Stop> {
        let mut kept = self.0.account.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.id() == lost.id()) {
            self.remove(ACCOUNT_COLLECTION, &self.0.options.directory).await?;
            *kept = None;
        }
        Ok(())
    }

    async fn open(&self, row: &AccountRow) -> Result<Account, Stop> {
        let parts = &self.0.parts;
        let text = parts.secrets.open(&parts.owner, None, &row.credentials).map_err(|error| sealed(&error))?;
        let credentials: AccountCredentials =
            serde_json::from_str(&text).map_err(|error| held("host.internal", format!("the ACME account cannot be read: {error}")))?;
        Ok(Account::builder_with_http(Box::new(self.0.transport.clone())).from_credentials(credentials).await?)
    }

    /// Whether its key can be sealed is found out first: an account whose key is lost is of no use to anybody.
    async fn register(&self) -> Result<Account, Stop> {
        let (parts, options) = (&self.0.parts, &self.0.options);
        parts.secrets.seal(&parts.owner, "").map_err(|error| sealed(&error))?;
        let contacts: Vec<_> = options.contacts.iter().map(String::as_str).collect();
        let wanted = NewAccount { contact: &contacts, terms_of_service_agreed: true, only_return_existing: false };
        let binding = self.0.binding.as_ref().map(|binding| ExternalAccountKey::new(binding.id.clone(), &binding.key));
        let builder = Account::builder_with_http(Box::new(self.0.transport.clone()));
        let (account, credentials) = builder.create(&wanted, options.directory.clone(), binding.as_ref()).await?;
        let text = Zeroizing::new(serde_json::to_string(&credentials).map_err(|error| held("host.internal", error.to_string()))?);
        let credentials = parts.secrets.seal(&parts.owner, &text).map_err(|error| sealed(&error))?;
        self.write(ACCOUNT_COLLECTION, &options.directory, &AccountRow { account: account.id().to_owned(), credentials }, None).await?;
        Ok(account)
    }
}

fn sealed(error: &engine::port::SecretsError) -> pipeline::Failure {
    held("ca_account", format!("the key of the ACME account cannot be sealed or opened: {error}"))
}
