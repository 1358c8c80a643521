//! Runs sign-ups through the pure functions alone, with scripted answers, and writes down what people and metrics would see.

use crate::TenantInput;

/// A sign-up that was accepted.
pub(crate) fn input() -> TenantInput {
    serde_json::from_value(serde_json::json!({
        "id": "t-0123456789abcdefghij", "slug": "acme", "name": "Acme", "plan": "pro", "region": "eu", "domain": "acme.app.example.com",
        "zone": "app.example.com", "ttl": 300, "target": ["192.0.2.1"], "admin": {"email": "ann@example.net", "name": "Ann"}, "certificate": true,
        "sealed": {"database": "sealed:1", "admin": "sealed:2", "certificate-key": "sealed:3"}, "signing-request": "MII=", "template": "shop",
        "integrations": [{"name": "crm"}, {"name": "billing"}],
    }))
    .unwrap()
}
