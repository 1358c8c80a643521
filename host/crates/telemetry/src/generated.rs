//! Generated from `registry.yaml`; a test fails when it is stale. Regenerate: `UPDATE_EXPECT=1 cargo test -p telemetry --test registry`.

use crate::registry::{AttributeRow, Counterpart, Form, Instrument, Kind, MetricRow, Number, SpanRow, ValueType, When};

pub(crate) static ATTRIBUTES: &[AttributeRow] = &[
    AttributeRow { key: "aws.s3.bucket", value: ValueType::Text, pii: false, id: true, semconv: None },
    AttributeRow { key: "bss.activation.result", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.activation.test_call", value: ValueType::Boolean, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.allocated_resources", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.billing.account_id", value: ValueType::Text, pii: true, id: true, semconv: None },
    AttributeRow { key: "bss.billing.effective_date", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.billing.plan_id", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.channel", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.customer_id", value: ValueType::Text, pii: true, id: true, semconv: None },
    AttributeRow { key: "bss.decomposition.service_count", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.decomposition.service_names", value: ValueType::Texts, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.decomposition.services", value: ValueType::Text, pii: false, id: false, semconv: Some(Counterpart { key: "bss.decomposition.service_names", form: Form::List }) },
    AttributeRow { key: "bss.location", value: ValueType::Text, pii: true, id: false, semconv: None },
    AttributeRow { key: "bss.network_element", value: ValueType::Text, pii: false, id: true, semconv: None },
    AttributeRow { key: "bss.order.id", value: ValueType::Text, pii: false, id: true, semconv: None },
    AttributeRow { key: "bss.order.status", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.order_id", value: ValueType::Text, pii: false, id: true, semconv: Some(Counterpart { key: "bss.order.id", form: Form::Same }) },
    AttributeRow { key: "bss.order_type", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.priority", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.product_offering", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.product_offerings", value: ValueType::Texts, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.provision.result", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "bss.resource_id", value: ValueType::Text, pii: false, id: true, semconv: None },
    AttributeRow { key: "bss.resource_type", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "channel", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cloud.provider", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cloud.region", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cloud.service", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.command.operation", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.config.has_iptv", value: ValueType::Boolean, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.config.has_voip", value: ValueType::Boolean, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.config.object_count", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.config.param_count", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.config.pushed", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.config.wifi_bands", value: ValueType::Texts, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.customer_id", value: ValueType::Text, pii: true, id: true, semconv: None },
    AttributeRow { key: "cpe.event_codes", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.fault_code", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.firmware_version", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.location_id", value: ValueType::Text, pii: true, id: true, semconv: None },
    AttributeRow { key: "cpe.manufacturer", value: ValueType::Text, pii: false, id: false, semconv: Some(Counterpart { key: "device.manufacturer", form: Form::Same }) },
    AttributeRow { key: "cpe.model", value: ValueType::Text, pii: false, id: false, semconv: Some(Counterpart { key: "device.model.name", form: Form::Same }) },
    AttributeRow { key: "cpe.oui", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.profile.parameter_count", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.profile.version", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.read.param_count", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.rpc.method", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.serial_number", value: ValueType::Text, pii: true, id: true, semconv: Some(Counterpart { key: "device.id", form: Form::Same }) },
    AttributeRow { key: "cpe.service_plan", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.session.end", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.session.exchanges", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.trigger", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.verify.checked", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.verify.hidden", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "cpe.verify.mismatches", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "db.migrations.applied", value: ValueType::Boolean, pii: false, id: false, semconv: None },
    AttributeRow { key: "db.operation", value: ValueType::Text, pii: false, id: false, semconv: Some(Counterpart { key: "db.operation.name", form: Form::Same }) },
    AttributeRow { key: "db.operation.name", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "db.schema", value: ValueType::Text, pii: false, id: true, semconv: None },
    AttributeRow { key: "db.system", value: ValueType::Text, pii: false, id: false, semconv: Some(Counterpart { key: "db.system.name", form: Form::Same }) },
    AttributeRow { key: "db.system.name", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "device.id", value: ValueType::Text, pii: true, id: true, semconv: None },
    AttributeRow { key: "device.manufacturer", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "device.model.name", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "dns.provider", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "dns.ssl.provisioned", value: ValueType::Boolean, pii: false, id: false, semconv: None },
    AttributeRow { key: "dns.subdomain", value: ValueType::Text, pii: true, id: true, semconv: None },
    AttributeRow { key: "error.type", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "exception.message", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "exception.stacktrace", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "exception.type", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "http.request.method", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "http.response.status_code", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "link.reason", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "otel.component.name", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "otel.component.type", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "pipeline.attempt", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "pipeline.name", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "pipeline.run.id", value: ValueType::Text, pii: false, id: true, semconv: None },
    AttributeRow { key: "pipeline.step.name", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "plugin.cpu.time", value: ValueType::Double, pii: false, id: false, semconv: None },
    AttributeRow { key: "plugin.digest", value: ValueType::Text, pii: false, id: true, semconv: None },
    AttributeRow { key: "plugin.function", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "plugin.memory.peak", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "plugin.name", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "plugin.outcome", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "plugin.version", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "product_offering", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "provision.attempt", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "provision.max_retries", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "provision.step.status", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "reason", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "resource_type", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "result", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "server.address", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "server.port", value: ValueType::Int, pii: false, id: false, semconv: None },
    AttributeRow { key: "signal", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "ssl.domain", value: ValueType::Text, pii: true, id: true, semconv: None },
    AttributeRow { key: "ssl.issuer", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "ssl.status", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "state", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "status", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "step", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "storage.bucket", value: ValueType::Text, pii: false, id: true, semconv: Some(Counterpart { key: "aws.s3.bucket", form: Form::Same }) },
    AttributeRow { key: "tenant.id", value: ValueType::Text, pii: false, id: true, semconv: None },
    AttributeRow { key: "tenant.integration", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "tenant.name", value: ValueType::Text, pii: true, id: false, semconv: None },
    AttributeRow { key: "tenant.plan", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "tenant.provision.status", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "tenant.region", value: ValueType::Text, pii: false, id: false, semconv: Some(Counterpart { key: "cloud.region", form: Form::Same }) },
    AttributeRow { key: "type", value: ValueType::Text, pii: false, id: false, semconv: None },
    AttributeRow { key: "url.full", value: ValueType::Text, pii: false, id: false, semconv: None },
];

pub(crate) static SPANS: &[SpanRow] = &[
    SpanRow { id: "bss.order.lifecycle", name: "bss.order.lifecycle", kind: Kind::Server, scope: "bss.order_management", parents: &["remote"], attributes: &[("bss.channel", When::Always), ("bss.customer_id", When::Optional), ("bss.order.status", When::Always), ("bss.order_id", When::Always), ("bss.order_type", When::Always), ("bss.priority", When::Always), ("bss.product_offering", When::Optional), ("bss.product_offerings", When::Optional), ("error.type", When::Failure)], ok_on_success: true, guest_attributes: false },
    SpanRow { id: "bss.order.decompose", name: "bss.order.decompose", kind: Kind::Internal, scope: "bss.order_management", parents: &["bss.order.lifecycle"], attributes: &[("bss.decomposition.service_count", When::Success), ("bss.decomposition.services", When::Success), ("bss.order_id", When::Always), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "bss.order.allocate_inventory", name: "bss.order.allocate_inventory", kind: Kind::Internal, scope: "bss.order_management", parents: &["bss.order.lifecycle"], attributes: &[("bss.allocated_resources", When::Success), ("bss.order_id", When::Always), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "bss.inventory.allocate", name: "bss.inventory.allocate.{bss.resource_type}", kind: Kind::Internal, scope: "bss.order_management", parents: &["bss.order.allocate_inventory"], attributes: &[("bss.location", When::Optional), ("bss.order_id", When::Always), ("bss.resource_id", When::Success), ("bss.resource_type", When::Always), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "bss.order.provision", name: "bss.order.provision", kind: Kind::Internal, scope: "bss.order_management", parents: &["bss.order.lifecycle"], attributes: &[("bss.order_id", When::Always), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "bss.provision", name: "bss.provision.{bss.resource_type}", kind: Kind::Internal, scope: "bss.order_management", parents: &["bss.order.provision"], attributes: &[("bss.network_element", When::Always), ("bss.order_id", When::Always), ("bss.provision.result", When::After), ("bss.resource_id", When::Always), ("bss.resource_type", When::Always), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "bss.order.activate", name: "bss.order.activate", kind: Kind::Internal, scope: "bss.order_management", parents: &["bss.order.lifecycle"], attributes: &[("bss.activation.result", When::After), ("bss.activation.test_call", When::After), ("bss.order_id", When::Always), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "bss.order.billing_setup", name: "bss.order.billing_setup", kind: Kind::Internal, scope: "bss.order_management", parents: &["bss.order.lifecycle"], attributes: &[("bss.billing.account_id", When::After), ("bss.billing.effective_date", When::After), ("bss.billing.plan_id", When::After), ("bss.order_id", When::Always), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cpe.inform", name: "cpe.inform", kind: Kind::Internal, scope: "cpe.acs", parents: &["remote"], attributes: &[("cpe.event_codes", When::Optional), ("cpe.firmware_version", When::Optional), ("cpe.manufacturer", When::Optional), ("cpe.model", When::Optional), ("cpe.oui", When::Always), ("cpe.serial_number", When::Always), ("cpe.session.end", When::Optional), ("cpe.session.exchanges", When::Optional), ("cpe.trigger", When::Optional), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cpe.provision.authenticate", name: "cpe.provision.authenticate", kind: Kind::Internal, scope: "cpe.acs", parents: &["cpe.inform"], attributes: &[("cpe.customer_id", When::Success), ("cpe.location_id", When::Optional), ("cpe.service_plan", When::Success), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cpe.provision.fetch_profile", name: "cpe.provision.fetch_profile", kind: Kind::Internal, scope: "cpe.acs", parents: &["cpe.inform"], attributes: &[("cpe.profile.parameter_count", When::Success), ("cpe.profile.version", When::Optional), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cpe.provision.push_config", name: "cpe.provision.push_config", kind: Kind::Internal, scope: "cpe.acs", parents: &["cpe.inform"], attributes: &[("cpe.config.has_iptv", When::Always), ("cpe.config.has_voip", When::Always), ("cpe.config.param_count", When::Always), ("cpe.config.pushed", When::Optional), ("cpe.config.wifi_bands", When::Always), ("cpe.fault_code", When::Optional), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cpe.provision.verify", name: "cpe.provision.verify", kind: Kind::Internal, scope: "cpe.acs", parents: &["cpe.inform"], attributes: &[("cpe.fault_code", When::Optional), ("cpe.verify.checked", When::After), ("cpe.verify.hidden", When::Optional), ("cpe.verify.mismatches", When::After), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision", name: "tenant.provision", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["remote"], attributes: &[("error.type", When::Failure), ("tenant.id", When::Always), ("tenant.name", When::Always), ("tenant.plan", When::Always), ("tenant.provision.status", When::Always), ("tenant.region", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.infrastructure", name: "tenant.provision.infrastructure", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision"], attributes: &[("error.type", When::Failure), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.database", name: "tenant.provision.database", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.infrastructure", "tenant.repair"], attributes: &[("db.migrations.applied", When::After), ("db.operation", When::Always), ("db.schema", When::After), ("db.system", When::After), ("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.storage", name: "tenant.provision.storage", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.infrastructure", "tenant.repair"], attributes: &[("cloud.provider", When::After), ("cloud.service", When::Optional), ("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("storage.bucket", When::After), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.dns", name: "tenant.provision.dns", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.infrastructure", "tenant.repair"], attributes: &[("dns.provider", When::After), ("dns.ssl.provisioned", When::Optional), ("dns.subdomain", When::After), ("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.ssl.request", name: "tenant.provision.ssl.request", kind: Kind::Internal, scope: "tenant.provisioning.async", parents: &["tenant.provision.infrastructure", "tenant.certificate"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("ssl.domain", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.ssl.complete", name: "tenant.provision.ssl.complete", kind: Kind::Internal, scope: "tenant.provisioning.async", parents: &["tenant.provision.infrastructure", "tenant.certificate"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("ssl.issuer", When::After), ("ssl.status", When::After), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.step", name: "tenant.provision.{step_name}", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision", "tenant.provision.finalize"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "plugin.call", name: "plugin.call {plugin.name}/{plugin.function}", kind: Kind::Internal, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure), ("pipeline.attempt", When::Always), ("pipeline.name", When::Always), ("pipeline.run.id", When::Always), ("pipeline.step.name", When::Always), ("plugin.cpu.time", When::Always), ("plugin.digest", When::Always), ("plugin.function", When::Always), ("plugin.memory.peak", When::Always), ("plugin.name", When::Always), ("plugin.outcome", When::Always), ("plugin.version", When::Always)], ok_on_success: false, guest_attributes: true },
    SpanRow { id: "bss.order.submitted", name: "bss.order.submitted", kind: Kind::Internal, scope: "bss.order_management", parents: &["bss.order.lifecycle"], attributes: &[("bss.channel", When::Always), ("bss.customer_id", When::Optional), ("bss.order_id", When::Always), ("bss.order_type", When::Always), ("bss.priority", When::Always), ("bss.product_offering", When::Optional), ("bss.product_offerings", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "bss.order.compensate", name: "bss.order.compensate.{bss.resource_type}", kind: Kind::Internal, scope: "bss.order_management", parents: &["bss.order.lifecycle"], attributes: &[("error.type", When::Failure), ("pipeline.attempt", When::Always), ("pipeline.name", When::Always), ("pipeline.run.id", When::Always), ("pipeline.step.name", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cpe.provision.read_device", name: "cpe.provision.read_device", kind: Kind::Internal, scope: "cpe.acs", parents: &["cpe.inform"], attributes: &[("cpe.fault_code", When::Optional), ("cpe.read.param_count", When::Optional), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cpe.provision.build_config", name: "cpe.provision.build_config", kind: Kind::Internal, scope: "cpe.acs", parents: &["cpe.inform"], attributes: &[("cpe.config.object_count", When::Optional), ("cpe.config.param_count", When::Success), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cpe.command", name: "cpe.command", kind: Kind::Internal, scope: "cpe.acs", parents: &["remote"], attributes: &[("cpe.command.operation", When::Always), ("cpe.oui", When::Always), ("cpe.serial_number", When::Always), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cpe.command.device", name: "cpe.command.{cpe.command.operation}", kind: Kind::Internal, scope: "cpe.acs", parents: &["cpe.command"], attributes: &[("cpe.command.operation", When::Always), ("cpe.fault_code", When::Optional), ("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.finalize", name: "tenant.provision.finalize", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision"], attributes: &[("error.type", When::Failure), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.create_record", name: "tenant.provision.create_record", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.certificate_order", name: "tenant.provision.certificate_order", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.infrastructure", "tenant.certificate"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.dns_challenge", name: "tenant.provision.dns_challenge", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.infrastructure", "tenant.certificate"], attributes: &[("dns.provider", When::After), ("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.seed_data", name: "tenant.provision.seed_data", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision", "tenant.repair"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.integrations", name: "tenant.provision.integrations", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision", "tenant.repair"], attributes: &[("error.type", When::Failure), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.integration", name: "tenant.provision.integration", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.integrations"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always), ("tenant.integration", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.admin_user", name: "tenant.provision.admin_user", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.finalize"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.activate", name: "tenant.provision.activate", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.finalize"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.welcome_email", name: "tenant.provision.welcome_email", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.finalize"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.install_certificate", name: "tenant.provision.install_certificate", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision.infrastructure", "tenant.certificate"], attributes: &[("error.type", When::Failure), ("provision.attempt", When::Always), ("provision.max_retries", When::Always), ("provision.step.status", When::Always), ("tenant.id", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.provision.rollback", name: "tenant.provision.rollback", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["tenant.provision", "tenant.certificate"], attributes: &[("error.type", When::Failure), ("pipeline.attempt", When::Always), ("pipeline.name", When::Always), ("pipeline.run.id", When::Always), ("pipeline.step.name", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.certificate", name: "tenant.certificate", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["remote"], attributes: &[("error.type", When::Failure), ("ssl.domain", When::Always), ("tenant.id", When::Always), ("tenant.plan", When::Always), ("tenant.region", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "tenant.repair", name: "tenant.repair", kind: Kind::Internal, scope: "tenant.provisioning", parents: &["remote"], attributes: &[("error.type", When::Failure), ("tenant.id", When::Always), ("tenant.plan", When::Always), ("tenant.region", When::Always)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "cwmp.rpc", name: "cwmp {cpe.rpc.method}", kind: Kind::Client, scope: "cpe.acs", parents: &["any"], attributes: &[("cpe.fault_code", When::Optional), ("cpe.rpc.method", When::Always), ("error.type", When::Failure), ("server.address", When::Optional), ("server.port", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "http.get", name: "GET", kind: Kind::Client, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure), ("http.request.method", When::Always), ("http.response.status_code", When::Optional), ("server.address", When::Optional), ("server.port", When::Optional), ("url.full", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "http.head", name: "HEAD", kind: Kind::Client, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure), ("http.request.method", When::Always), ("http.response.status_code", When::Optional), ("server.address", When::Optional), ("server.port", When::Optional), ("url.full", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "http.put", name: "PUT", kind: Kind::Client, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure), ("http.request.method", When::Always), ("http.response.status_code", When::Optional), ("server.address", When::Optional), ("server.port", When::Optional), ("url.full", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "http.post", name: "POST", kind: Kind::Client, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure), ("http.request.method", When::Always), ("http.response.status_code", When::Optional), ("server.address", When::Optional), ("server.port", When::Optional), ("url.full", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "http.patch", name: "PATCH", kind: Kind::Client, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure), ("http.request.method", When::Always), ("http.response.status_code", When::Optional), ("server.address", When::Optional), ("server.port", When::Optional), ("url.full", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "http.delete", name: "DELETE", kind: Kind::Client, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure), ("http.request.method", When::Always), ("http.response.status_code", When::Optional), ("server.address", When::Optional), ("server.port", When::Optional), ("url.full", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "http.options", name: "OPTIONS", kind: Kind::Client, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure), ("http.request.method", When::Always), ("http.response.status_code", When::Optional), ("server.address", When::Optional), ("server.port", When::Optional), ("url.full", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "http.http", name: "HTTP", kind: Kind::Client, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure), ("http.request.method", When::Always), ("http.response.status_code", When::Optional), ("server.address", When::Optional), ("server.port", When::Optional), ("url.full", When::Optional)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "keyvalue.get", name: "keyvalue.get", kind: Kind::Internal, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "keyvalue.set", name: "keyvalue.set", kind: Kind::Internal, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "keyvalue.delete", name: "keyvalue.delete", kind: Kind::Internal, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "keyvalue.list", name: "keyvalue.list", kind: Kind::Internal, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
    SpanRow { id: "keyvalue.swap", name: "keyvalue.swap", kind: Kind::Internal, scope: "jackfield.host", parents: &["any"], attributes: &[("error.type", When::Failure)], ok_on_success: false, guest_attributes: false },
];

pub(crate) static METRICS: &[MetricRow] = &[
    MetricRow { name: "bss.order.count", instrument: Instrument::Counter, number: Number::U64, unit: "{order}", unit_semconv: "{order}", brief: "Number of orders by type and status", scope: "bss.order_management", required: &["type", "status"], optional: &[], opt_in: &["product_offering", "channel"], boundaries: &[], durable: true },
    MetricRow { name: "bss.order.duration", instrument: Instrument::Histogram, number: Number::F64, unit: "s", unit_semconv: "s", brief: "End-to-end order fulfillment duration", scope: "bss.order_management", required: &["type"], optional: &["error.type"], opt_in: &[], boundaries: &[60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 43200.0, 57600.0, 72000.0, 86400.0, 172800.0, 259200.0, 604800.0], durable: false },
    MetricRow { name: "bss.order.step_duration", instrument: Instrument::Histogram, number: Number::F64, unit: "ms", unit_semconv: "s", brief: "Duration of each order fulfillment step", scope: "bss.order_management", required: &["step"], optional: &["error.type"], opt_in: &[], boundaries: &[1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, 30000.0, 60000.0, 300000.0, 900000.0, 3600000.0], durable: false },
    MetricRow { name: "bss.order.in_progress", instrument: Instrument::UpDownCounter, number: Number::I64, unit: "{order}", unit_semconv: "{order}", brief: "Orders currently in progress by state", scope: "bss.order_management", required: &["state"], optional: &[], opt_in: &[], boundaries: &[], durable: false },
    MetricRow { name: "bss.order.fallout", instrument: Instrument::Counter, number: Number::U64, unit: "{order}", unit_semconv: "{order}", brief: "Orders that fell out of automated processing", scope: "bss.order_management", required: &["reason"], optional: &["resource_type"], opt_in: &[], boundaries: &[], durable: true },
    MetricRow { name: "cpe.provision.duration", instrument: Instrument::Histogram, number: Number::F64, unit: "ms", unit_semconv: "s", brief: "Total time for CPE provisioning workflow", scope: "cpe.acs", required: &["cpe.model", "cpe.service_plan"], optional: &["error.type"], opt_in: &[], boundaries: &[100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, 15000.0, 30000.0, 45000.0, 60000.0, 90000.0, 120000.0, 300000.0, 600000.0], durable: false },
    MetricRow { name: "cpe.provision.count", instrument: Instrument::Counter, number: Number::U64, unit: "{attempt}", unit_semconv: "{attempt}", brief: "Number of provisioning attempts by result", scope: "cpe.acs", required: &["result"], optional: &[], opt_in: &[], boundaries: &[], durable: true },
    MetricRow { name: "cpe.provision.step_duration", instrument: Instrument::Histogram, number: Number::F64, unit: "ms", unit_semconv: "s", brief: "Duration of each provisioning step", scope: "cpe.acs", required: &["step"], optional: &["error.type"], opt_in: &[], boundaries: &[1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, 30000.0, 60000.0, 300000.0, 600000.0], durable: false },
    MetricRow { name: "cpe.provision.active_sessions", instrument: Instrument::UpDownCounter, number: Number::I64, unit: "{session}", unit_semconv: "{session}", brief: "Currently active provisioning sessions", scope: "cpe.acs", required: &[], optional: &[], opt_in: &[], boundaries: &[], durable: false },
    MetricRow { name: "tenant.provision.duration", instrument: Instrument::Histogram, number: Number::F64, unit: "seconds", unit_semconv: "s", brief: "Total time to provision a tenant", scope: "tenant.provisioning", required: &[], optional: &["error.type", "tenant.plan", "tenant.region"], opt_in: &[], boundaries: &[0.1, 0.5, 1.0, 5.0, 10.0, 15.0, 30.0, 45.0, 60.0, 120.0, 240.0, 300.0, 600.0, 1800.0], durable: false },
    MetricRow { name: "tenant.provision.step_duration", instrument: Instrument::Histogram, number: Number::F64, unit: "seconds", unit_semconv: "s", brief: "Duration of individual provisioning steps", scope: "tenant.provisioning", required: &["step"], optional: &["error.type"], opt_in: &[], boundaries: &[0.1, 0.5, 1.0, 5.0, 10.0, 15.0, 30.0, 45.0, 60.0, 120.0, 240.0, 300.0, 600.0, 1800.0], durable: false },
    MetricRow { name: "tenant.provision.failures", instrument: Instrument::Counter, number: Number::U64, unit: "1", unit_semconv: "{failure}", brief: "Number of failed provisioning attempts", scope: "tenant.provisioning", required: &["step", "error.type"], optional: &[], opt_in: &[], boundaries: &[], durable: true },
    MetricRow { name: "plugin.call.duration", instrument: Instrument::Histogram, number: Number::F64, unit: "s", unit_semconv: "s", brief: "Duration of one plugin call", scope: "jackfield.host", required: &["plugin.name", "plugin.function"], optional: &["error.type"], opt_in: &[], boundaries: &[1e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0], durable: false },
    MetricRow { name: "plugin.call.active", instrument: Instrument::UpDownCounter, number: Number::I64, unit: "{call}", unit_semconv: "{call}", brief: "Plugin calls under way", scope: "jackfield.host", required: &["plugin.name"], optional: &[], opt_in: &[], boundaries: &[], durable: false },
    MetricRow { name: "plugin.telemetry.dropped", instrument: Instrument::Counter, number: Number::U64, unit: "{item}", unit_semconv: "{item}", brief: "Guest telemetry refused or cut", scope: "jackfield.host", required: &["plugin.name", "signal", "reason"], optional: &[], opt_in: &[], boundaries: &[], durable: false },
    MetricRow { name: "pipeline.run.duration", instrument: Instrument::Histogram, number: Number::F64, unit: "s", unit_semconv: "s", brief: "Duration of runs from start to end", scope: "jackfield.host", required: &["pipeline.name"], optional: &["error.type"], opt_in: &[], boundaries: &[0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 43200.0, 86400.0, 172800.0, 604800.0], durable: false },
    MetricRow { name: "pipeline.run.active", instrument: Instrument::UpDownCounter, number: Number::I64, unit: "{run}", unit_semconv: "{run}", brief: "Runs that are not over, by what they are doing", scope: "jackfield.host", required: &["pipeline.name", "state"], optional: &[], opt_in: &[], boundaries: &[], durable: false },
    MetricRow { name: "otel.sdk.exporter.span.exported", instrument: Instrument::Counter, number: Number::U64, unit: "{span}", unit_semconv: "{span}", brief: "Spans that an exporter delivered or gave up", scope: "jackfield.host", required: &["otel.component.name", "otel.component.type"], optional: &["error.type"], opt_in: &[], boundaries: &[], durable: false },
    MetricRow { name: "cpe.provision.session.limit", instrument: Instrument::UpDownCounter, number: Number::I64, unit: "{session}", unit_semconv: "{session}", brief: "CWMP sessions that there may be at a time", scope: "cpe.acs", required: &[], optional: &[], opt_in: &[], boundaries: &[], durable: false },
];

pub(crate) static ERROR_TYPES: &[&str] = &["plugin.trap", "plugin.cpu_limit", "plugin.out_of_memory", "plugin.output_limit", "plugin.contract", "plugin.busy", "plugin.breaker_open", "plugin.retry_budget", "plugin.timeout", "plugin.guest_error", "plugin.instantiate", "plugin.quarantined", "plugin.denied", "host.restarted", "host.cancelled", "host.internal", "no_inventory", "provisioning_failed", "activation_failed", "billing_failed", "unknown_device", "no_profile", "cwmp.fault", "verification_failed", "ssl.failed", "timeout", "_OTHER"];

/// Attributes and labels of ours by name.
pub mod attribute {
    /// `error.type`
    pub const ERROR_TYPE: &str = "error.type";
    /// `pipeline.attempt`
    pub const PIPELINE_ATTEMPT: &str = "pipeline.attempt";
    /// `pipeline.name`
    pub const PIPELINE_NAME: &str = "pipeline.name";
    /// `pipeline.run.id`
    pub const PIPELINE_RUN_ID: &str = "pipeline.run.id";
    /// `pipeline.step.name`
    pub const PIPELINE_STEP_NAME: &str = "pipeline.step.name";
    /// `plugin.cpu.time`
    pub const PLUGIN_CPU_TIME: &str = "plugin.cpu.time";
    /// `plugin.digest`
    pub const PLUGIN_DIGEST: &str = "plugin.digest";
    /// `plugin.function`
    pub const PLUGIN_FUNCTION: &str = "plugin.function";
    /// `plugin.memory.peak`
    pub const PLUGIN_MEMORY_PEAK: &str = "plugin.memory.peak";
    /// `plugin.name`
    pub const PLUGIN_NAME: &str = "plugin.name";
    /// `plugin.version`
    pub const PLUGIN_VERSION: &str = "plugin.version";
    /// `bss.order.status`
    pub const BSS_ORDER_STATUS: &str = "bss.order.status";
    /// `bss.product_offerings`
    pub const BSS_PRODUCT_OFFERINGS: &str = "bss.product_offerings";
    /// `exception.message`
    pub const EXCEPTION_MESSAGE: &str = "exception.message";
    /// `exception.stacktrace`
    pub const EXCEPTION_STACKTRACE: &str = "exception.stacktrace";
    /// `exception.type`
    pub const EXCEPTION_TYPE: &str = "exception.type";
    /// `http.request.method`
    pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
    /// `http.response.status_code`
    pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
    /// `server.address`
    pub const SERVER_ADDRESS: &str = "server.address";
    /// `server.port`
    pub const SERVER_PORT: &str = "server.port";
    /// `url.full`
    pub const URL_FULL: &str = "url.full";
    /// `link.reason`
    pub const LINK_REASON: &str = "link.reason";
    /// `otel.component.name`
    pub const OTEL_COMPONENT_NAME: &str = "otel.component.name";
    /// `otel.component.type`
    pub const OTEL_COMPONENT_TYPE: &str = "otel.component.type";
    /// `plugin.outcome`
    pub const PLUGIN_OUTCOME: &str = "plugin.outcome";
    /// `product_offering`
    pub const PRODUCT_OFFERING: &str = "product_offering";
    /// `channel`
    pub const CHANNEL: &str = "channel";
    /// `signal`
    pub const SIGNAL: &str = "signal";
    /// `cpe.rpc.method`
    pub const CPE_RPC_METHOD: &str = "cpe.rpc.method";
    /// `cpe.session.exchanges`
    pub const CPE_SESSION_EXCHANGES: &str = "cpe.session.exchanges";
    /// `cpe.session.end`
    pub const CPE_SESSION_END: &str = "cpe.session.end";
    /// `cpe.trigger`
    pub const CPE_TRIGGER: &str = "cpe.trigger";
    /// `cpe.profile.version`
    pub const CPE_PROFILE_VERSION: &str = "cpe.profile.version";
    /// `cpe.config.object_count`
    pub const CPE_CONFIG_OBJECT_COUNT: &str = "cpe.config.object_count";
    /// `cpe.config.pushed`
    pub const CPE_CONFIG_PUSHED: &str = "cpe.config.pushed";
    /// `cpe.read.param_count`
    pub const CPE_READ_PARAM_COUNT: &str = "cpe.read.param_count";
    /// `cpe.verify.checked`
    pub const CPE_VERIFY_CHECKED: &str = "cpe.verify.checked";
    /// `cpe.verify.hidden`
    pub const CPE_VERIFY_HIDDEN: &str = "cpe.verify.hidden";
    /// `cpe.command.operation`
    pub const CPE_COMMAND_OPERATION: &str = "cpe.command.operation";
    /// `tenant.integration`
    pub const TENANT_INTEGRATION: &str = "tenant.integration";
}

/// Metrics of ours by name.
pub mod metric {
    /// `plugin.call.active`
    pub const PLUGIN_CALL_ACTIVE: &str = "plugin.call.active";
    /// `plugin.telemetry.dropped`
    pub const PLUGIN_TELEMETRY_DROPPED: &str = "plugin.telemetry.dropped";
    /// `pipeline.run.duration`
    pub const PIPELINE_RUN_DURATION: &str = "pipeline.run.duration";
    /// `pipeline.run.active`
    pub const PIPELINE_RUN_ACTIVE: &str = "pipeline.run.active";
    /// `otel.sdk.exporter.span.exported`
    pub const OTEL_SDK_EXPORTER_SPAN_EXPORTED: &str = "otel.sdk.exporter.span.exported";
    /// `cpe.provision.session.limit`
    pub const CPE_PROVISION_SESSION_LIMIT: &str = "cpe.provision.session.limit";
    /// `plugin.call.duration`
    pub const PLUGIN_CALL_DURATION: &str = "plugin.call.duration";
}
