//! Operations that wait for an event from outside, by the name that is no secret: for senders that prove themselves by a signature and not by the address.

use pipeline::{Activity, Provider};

use crate::{
    Driver,
    api::{Engine, EngineError},
    token::Named,
};

/// An operation that was given an address for an event from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// What was asked for the operation, and knows the sender therefore.
    pub provider: Provider,
    /// With what the event is delivered ([`Engine::signal`]). To be kept from everybody.
    pub token: String,
    /// Whether the item waits, so that the event would change something.
    pub waits: bool,
}

impl Driver {
    /// What is known of an operation ([`CallbackAddress::operation`](crate::port::CallbackAddress)); nothing of one that there never was.
    ///
    /// # Errors
    ///
    /// See [`Engine::query`].
    pub async fn awaited(&self, operation: &str) -> Result<Option<Awaited>, EngineError> {
        let Some(named) = Named::read(operation) else { return Ok(None) };
        let Some(view) = self.query(&named.run).await? else { return Ok(None) };
        let pack = self.shared().definitions.get(&view.run.started().pipeline, view.run.started().version);
        let item = pack.and_then(|pack| {
            let id = named.item_id(&pack.definition)?;
            view.run.item(&pack.definition, &id).filter(|item| item.round == id.round).cloned()
        });
        Ok(item.and_then(|item| {
            let waits = matches!(item.activity, Activity::Pending(_) | Activity::Ready(_));
            Some(Awaited { provider: item.pin.as_ref()?.provider.clone(), token: self.shared().tokens.make(operation), waits })
        }))
    }
}
