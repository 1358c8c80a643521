//! What bindings may choose a provider by.
//!
//! | selector | value |
//! |---|---|
//! | `plan` | what the tenant bought |
//! | `region` | where its data may be |
//! | `zone` | the zone of the records: `dns`, `challenge` |
//! | `template` | the data that the database begins with: `seed_data` |
//! | `integration` | the system that is told: `integrations` |

use pipeline::{Selectors, View};
use serde_json::Value;

const PLAN: &str = "plan";
const REGION: &str = "region";

pub(crate) const TENANT: Selectors = Selectors { names: &[PLAN, REGION], of: |view, _| tenant(view) };

pub(crate) const ZONE: Selectors = Selectors { names: &[PLAN, REGION, "zone"], of: |view, request| with(view, request, "zone") };

pub(crate) const TEMPLATE: Selectors = Selectors { names: &[PLAN, REGION, "template"], of: |view, request| with(view, request, "template") };

pub(crate) const INTEGRATION: Selectors = Selectors { names: &[PLAN, REGION, "integration"], of: |view, request| with(view, request, "integration") };

/// Values by name.
type Values = Vec<(&'static str, String)>;

fn tenant(view: &View<'_>) -> Values {
    [PLAN, REGION].into_iter().filter_map(|name| Some((name, view.input()[name].as_str()?.to_owned()))).collect()
}

fn with(view: &View<'_>, request: &Value, name: &'static str) -> Values {
    let mut values = tenant(view);
    values.extend(request[name].as_str().map(|value| (name, value.to_owned())));
    values
}
