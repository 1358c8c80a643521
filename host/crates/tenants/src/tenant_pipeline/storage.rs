//! Step `storage`: the place where a tenant keeps files.

use pipeline::{Attributes, Mapped, MappingError, StepDefinition, View};
use serde_json::{Value, json};

use super::{CREATE_RECORD, Plan, STORAGE, copied, effect, reason, same, tenant_id};
use crate::{contract::StorageRequest, input::TenantInput, options::Options};

/// The name of a tenant's bucket. Names of buckets are shared with the whole world; the id makes it one that nobody else has.
pub fn bucket(id: &str) -> String {
    format!("tenant-{id}-assets")
}

pub(crate) fn step(options: &Options) -> StepDefinition {
    let plan = Plan {
        name: STORAGE,
        interface: "storage",
        after: &[CREATE_RECORD],
        map,
        accept: |request, output| {
            same("bucket", &request["bucket"], &output["bucket"])?;
            same("owner", &request["tenant"]["id"], &output["owner"])
        },
        limits: options.steps.storage,
        reason: reason::storage,
        span: |_| "tenant.provision.storage".to_owned(),
        label: "storage",
        attributes,
    };
    effect(options, plan)
}

fn map(view: &View<'_>) -> Result<Vec<Mapped>, MappingError> {
    let input: TenantInput = view.input_as()?;
    let request = StorageRequest { bucket: bucket(&input.id), tenant: input.tenant(), labels: input.labels };
    Ok(Mapped::one(json!(request)))
}

fn attributes(view: &View<'_>, _: &Value, output: Option<&Value>) -> Attributes {
    let mut attributes = tenant_id(view);
    let Some(output) = output else { return attributes };
    attributes.extend(copied(output, &[("cloud.provider", "provider"), ("storage.bucket", "bucket")]));
    // Every vendor outside speaks the protocol of S3; a folder of the host's is no service of a cloud.
    let outside = output["provider"].as_str().is_some_and(|provider| !provider.starts_with("local"));
    attributes.extend(outside.then(|| ("cloud.service".to_owned(), "s3".into())));
    attributes
}
