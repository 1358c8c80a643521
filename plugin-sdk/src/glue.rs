//! Joins the generated traits to the SDK's: whatever implements a contract's trait can be exported.

use std::marker::PhantomData;

use crate::{
    Call, Failure, Signal, bindings,
    contracts::{
        activation, billing, catalog, cpe, inventory, provisioning,
        tenant::{certificate, certificate_order, dns, integration, mail, seed, storage},
    },
    http,
};

/// A plugin as the generated code wants it.
#[derive(Debug)]
pub struct Exported<P>(PhantomData<P>);

macro_rules! pure {
    ($($trait:ident, $guest:path: $request:ty => $output:ty;)*) => {
        $(impl<P: crate::$trait> $guest for Exported<P> {
            fn apply(call: Call, request: $request) -> Result<$output, Failure> {
                http::begin_call();
                P::apply(&call, request)
            }
        })*
    };
}

pure! {
    Catalog, bindings::catalog::exports::jackfield::order::catalog::Guest: catalog::Request => catalog::Decomposition;
    DeviceInventory, bindings::device_inventory::exports::jackfield::cpe::inventory::Guest:
        cpe::device_inventory::Request => cpe::device_inventory::Subscription;
    Profile, bindings::profile::exports::jackfield::cpe::profile::Guest: cpe::profile::Request => cpe::ServiceProfile;
    Configuration, bindings::configuration::exports::jackfield::cpe::configuration::Guest:
        cpe::configuration::Request => cpe::configuration::DeviceConfiguration;
}

macro_rules! effectful {
    ($($package:ident/$contract:ident: $trait:ident),* $(,)?) => {
        $(impl<P: crate::$trait> bindings::$contract::exports::jackfield::$package::$contract::Guest for Exported<P> {
            fn apply(call: Call, request: $contract::Request) -> Result<$contract::Outcome, Failure> {
                http::begin_call();
                P::apply(&call, request)
            }

            fn resume(call: Call, checkpoint: String, signal: Signal) -> Result<$contract::Outcome, Failure> {
                http::begin_call();
                P::resume(&call, checkpoint, signal)
            }

            fn observe(call: Call, request: $contract::Request) -> Result<$contract::Observed, Failure> {
                http::begin_call();
                P::observe(&call, request)
            }

            fn undo(call: Call, receipt: $contract::Receipt) -> Result<$contract::Outcome, Failure> {
                http::begin_call();
                P::undo(&call, receipt)
            }
        })*
    };
}

effectful!(order/inventory: Inventory, order/provisioning: Provisioning, order/activation: Activation, order/billing: Billing);
effectful!(
    tenant/storage: Storage,
    tenant/dns: Dns,
    tenant/certificate_order: CertificateOrder,
    tenant/certificate: Certificate,
    tenant/seed: Seed,
    tenant/integration: Integration,
    tenant/mail: Mail,
);
