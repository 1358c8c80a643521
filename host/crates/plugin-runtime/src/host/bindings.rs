//! Generated bindings of `jackfield:host`: a published version is frozen, so they can be typed.

#![allow(clippy::wildcard_enum_match_arm, missing_docs, reason = "generated from WIT, where the documentation is")]

wasmtime::component::bindgen!({
    path: "../../../wit/host",
    inline: "
        package jackfield:runtime;
        world plugin {
            import jackfield:host/keyvalue@1.0.0;
            import jackfield:host/config@1.0.0;
            import jackfield:host/secrets@1.0.0;
            import jackfield:host/telemetry@1.0.0;
            import jackfield:host/spans@1.0.0;
            import jackfield:host/metrics@1.0.0;
        }
    ",
    with: {
        "jackfield:host/spans.span": super::spans::GuestSpan,
    },
    imports: {
        "jackfield:host/keyvalue": async | trappable,
        default: trappable,
    },
});

pub(super) use self::jackfield::host::{config, keyvalue, metrics, secrets, spans, telemetry};
