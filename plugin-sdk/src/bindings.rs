//! The generated bindings; nothing outside the SDK sees them but through `export!`.
//!
//! The WIT types are remapped to the SDK's own, so there is no second set of types and nothing to convert. Each contract
//! has a world of its own, and the type section of its export is emitted where `export!` is expanded: linking the SDK
//! alone promises no export.
#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    reason = "generated code"
)]

mod tenant;

pub(crate) use self::tenant::sql;
pub use self::tenant::{certificate, certificate_order, dns, integration, mail, seed, storage};

/// What a plugin may import.
pub(crate) mod imports {
    wit_bindgen::generate!({
        path: "wit/order",
        // The worlds of the contracts stay as they were published, and a plugin in another language imports what it uses.
        inline: "
            package jackfield:sdk;
            world imports {
                include jackfield:order/plugin-imports@1.1.0;
                import jackfield:host/secrets@1.0.0;
            }
        ",
        world: "jackfield:sdk/imports",
        generate_all,
        with: {
            "jackfield:host/keyvalue@1.0.0/versioned": crate::kv::Versioned,
            "jackfield:host/keyvalue@1.0.0/error": crate::kv::Error,
            "jackfield:host/secrets@1.0.0/error": crate::secrets::Error,
            "jackfield:host/secrets@1.0.0/algorithm": crate::secrets::Algorithm,
            "jackfield:host/telemetry@1.0.0/value": crate::telemetry::Value,
            "jackfield:host/telemetry@1.0.0/attribute": crate::telemetry::Attribute,
            "jackfield:host/telemetry@1.0.0/trace-context": crate::telemetry::TraceContext,
            "jackfield:host/telemetry@1.0.0/level": crate::telemetry::Level,
            "jackfield:host/metrics@1.0.0/label": crate::metrics::Label,
        },
    });
}

pub mod catalog {
    wit_bindgen::generate!({
        path: "wit/order",
        inline: "package jackfield:sdk; world catalog { export jackfield:order/catalog@1.1.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:order/types@1.1.0": crate::contracts,
            "jackfield:order/catalog@1.1.0/action": crate::contracts::catalog::Action,
            "jackfield:order/catalog@1.1.0/request": crate::contracts::catalog::Request,
            "jackfield:order/catalog@1.1.0/decomposition": crate::contracts::catalog::Decomposition,
        },
    });
}

pub mod inventory {
    wit_bindgen::generate!({
        path: "wit/order",
        inline: "package jackfield:sdk; world inventory { export jackfield:order/inventory@1.1.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:order/types@1.1.0": crate::contracts,
            "jackfield:order/inventory@1.1.0/request": crate::contracts::inventory::Request,
            "jackfield:order/inventory@1.1.0/outcome": crate::contracts::inventory::Outcome,
            "jackfield:order/inventory@1.1.0/observed": crate::contracts::inventory::Observed,
        },
    });
}

pub mod provisioning {
    wit_bindgen::generate!({
        path: "wit/order",
        inline: "package jackfield:sdk; world provisioning { export jackfield:order/provisioning@1.1.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:order/types@1.1.0": crate::contracts,
            "jackfield:order/provisioning@1.1.0/request": crate::contracts::provisioning::Request,
            "jackfield:order/provisioning@1.1.0/receipt": crate::contracts::provisioning::Receipt,
            "jackfield:order/provisioning@1.1.0/outcome": crate::contracts::provisioning::Outcome,
            "jackfield:order/provisioning@1.1.0/observed": crate::contracts::provisioning::Observed,
        },
    });
}

pub mod activation {
    wit_bindgen::generate!({
        path: "wit/order",
        inline: "package jackfield:sdk; world activation { export jackfield:order/activation@1.1.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:order/types@1.1.0": crate::contracts,
            "jackfield:order/activation@1.1.0/request": crate::contracts::activation::Request,
            "jackfield:order/activation@1.1.0/receipt": crate::contracts::activation::Receipt,
            "jackfield:order/activation@1.1.0/outcome": crate::contracts::activation::Outcome,
            "jackfield:order/activation@1.1.0/observed": crate::contracts::activation::Observed,
        },
    });
}

pub mod billing {
    wit_bindgen::generate!({
        path: "wit/order",
        inline: "package jackfield:sdk; world billing { export jackfield:order/billing@1.1.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:order/billing@1.1.0/request": crate::contracts::billing::Request,
            "jackfield:order/billing@1.1.0/receipt": crate::contracts::billing::Receipt,
            "jackfield:order/billing@1.1.0/outcome": crate::contracts::billing::Outcome,
            "jackfield:order/billing@1.1.0/observed": crate::contracts::billing::Observed,
        },
    });
}

pub mod device_inventory {
    wit_bindgen::generate!({
        path: "wit/cpe",
        inline: "package jackfield:sdk; world device-inventory { export jackfield:cpe/inventory@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:cpe/types@1.0.0": crate::contracts::cpe,
            "jackfield:cpe/inventory@1.0.0/request": crate::contracts::cpe::device_inventory::Request,
            "jackfield:cpe/inventory@1.0.0/subscription": crate::contracts::cpe::device_inventory::Subscription,
        },
    });
}

pub mod profile {
    wit_bindgen::generate!({
        path: "wit/cpe",
        inline: "package jackfield:sdk; world profile { export jackfield:cpe/profile@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:cpe/types@1.0.0": crate::contracts::cpe,
            "jackfield:cpe/profile@1.0.0/request": crate::contracts::cpe::profile::Request,
        },
    });
}

pub mod configuration {
    wit_bindgen::generate!({
        path: "wit/cpe",
        inline: "package jackfield:sdk; world configuration { export jackfield:cpe/configuration@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:cpe/types@1.0.0": crate::contracts::cpe,
            "jackfield:cpe/configuration@1.0.0/value-kind": crate::contracts::cpe::configuration::ValueKind,
            "jackfield:cpe/configuration@1.0.0/parameter": crate::contracts::cpe::configuration::Parameter,
            "jackfield:cpe/configuration@1.0.0/request": crate::contracts::cpe::configuration::Request,
            "jackfield:cpe/configuration@1.0.0/assignment": crate::contracts::cpe::configuration::Assignment,
            "jackfield:cpe/configuration@1.0.0/object": crate::contracts::cpe::configuration::Object,
            "jackfield:cpe/configuration@1.0.0/notification": crate::contracts::cpe::configuration::Notification,
            "jackfield:cpe/configuration@1.0.0/configuration": crate::contracts::cpe::configuration::DeviceConfiguration,
        },
    });
}
