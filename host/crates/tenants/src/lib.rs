//! Tenants of a service: the pipeline `tenant`, the interface over which they come and go, and the providers that the host has for their steps.
//!
//! ```
//! // The pipeline is data: it can be listed without being run.
//! let definition = tenants::definition(&tenants::Options::default());
//! definition.validate().unwrap();
//! let steps: Vec<_> = definition.steps.iter().map(|step| step.name.as_str()).collect();
//! assert_eq!(steps[..4], ["create_record", "database", "storage", "dns"]);
//! assert_eq!(steps[4..], ["certificate_order", "challenge", "certificate", "install_certificate", "seed_data", "integrations", "admin_user", "activate", "welcome_email"]);
//! ```

pub mod api;
mod certificate_pipeline;
pub mod contract;
mod credentials;
mod drift;
mod following;
mod input;
mod measure;
mod options;
mod projection;
pub mod providers;
mod removal;
mod renewal;
mod repair_pipeline;
mod sign_up;
mod slug;
mod tenant_pipeline;

#[cfg(test)]
mod simulation;

pub use self::{
    certificate_pipeline::{CERTIFICATE_PIPELINE, certificate_definition},
    credentials::{Credential, CredentialError, CredentialParts, Credentials},
    following::{Follower, Listener, Listeners, RestedRuns},
    input::{Admin, CertificateInput, IntegrationInput, RepairInput, RepairItem, Sealed, TenantInput},
    measure::{initial_series, measure},
    options::{InvalidOptions, Options, PlanOptions, Policy, SignUpOptions, StepOptions, StepsOptions},
    projection::{CERTIFICATE_COLLECTION, REPAIR_COLLECTION, TENANT_COLLECTION, TenantState, certificate_document, document, repair_document},
    removal::{Removal, RemovalError, Remover},
    renewal::{Caretaker, CaretakerParts},
    repair_pipeline::{REPAIR_PIPELINE, REPAIRED_STEPS, repair_definition},
    sign_up::{Accepted, Book, Caller, Intake, IntakeParts, SignUp, SignUpError},
    slug::{InvalidSlug, RESERVED, Slug},
    tenant_pipeline::{PIPELINE, REASONS, VERSION, bucket, definition},
};
