//! The bindings of `jackfield:tenant`, like those beside.

/// What plugins that implement `seed` import beside the others.
pub(crate) mod sql {
    wit_bindgen::generate!({
        path: "wit/tenant",
        inline: "package jackfield:sdk; world sql { import jackfield:tenant/sql@1.0.0; }",
        generate_all,
        with: {
            "jackfield:tenant/sql@1.0.0/value": crate::sql::Value,
            "jackfield:tenant/sql@1.0.0/statement": crate::sql::Statement,
            "jackfield:tenant/sql@1.0.0/answer": crate::sql::Answer,
            "jackfield:tenant/sql@1.0.0/error": crate::sql::Error,
        },
    });
}

pub mod storage {
    wit_bindgen::generate!({
        path: "wit/tenant",
        inline: "package jackfield:sdk; world storage { export jackfield:tenant/storage@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:tenant/types@1.0.0": crate::contracts::tenant,
            "jackfield:tenant/storage@1.0.0/request": crate::contracts::tenant::storage::Request,
            "jackfield:tenant/storage@1.0.0/receipt": crate::contracts::tenant::storage::Receipt,
            "jackfield:tenant/storage@1.0.0/outcome": crate::contracts::tenant::storage::Outcome,
            "jackfield:tenant/storage@1.0.0/observed": crate::contracts::tenant::storage::Observed,
        },
    });
}

pub mod dns {
    wit_bindgen::generate!({
        path: "wit/tenant",
        inline: "package jackfield:sdk; world dns { export jackfield:tenant/dns@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:tenant/types@1.0.0": crate::contracts::tenant,
            "jackfield:tenant/dns@1.0.0/request": crate::contracts::tenant::dns::Request,
            "jackfield:tenant/dns@1.0.0/receipt": crate::contracts::tenant::dns::Receipt,
            "jackfield:tenant/dns@1.0.0/outcome": crate::contracts::tenant::dns::Outcome,
            "jackfield:tenant/dns@1.0.0/observed": crate::contracts::tenant::dns::Observed,
        },
    });
}

pub mod certificate_order {
    wit_bindgen::generate!({
        path: "wit/tenant",
        inline: "package jackfield:sdk; world certificate-order { export jackfield:tenant/certificate-order@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:tenant/types@1.0.0": crate::contracts::tenant,
            "jackfield:tenant/certificate-order@1.0.0/request": crate::contracts::tenant::certificate_order::Request,
            "jackfield:tenant/certificate-order@1.0.0/receipt": crate::contracts::tenant::certificate_order::Receipt,
            "jackfield:tenant/certificate-order@1.0.0/outcome": crate::contracts::tenant::certificate_order::Outcome,
            "jackfield:tenant/certificate-order@1.0.0/observed": crate::contracts::tenant::certificate_order::Observed,
        },
    });
}

pub mod certificate {
    wit_bindgen::generate!({
        path: "wit/tenant",
        inline: "package jackfield:sdk; world certificate { export jackfield:tenant/certificate@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:tenant/certificate@1.0.0/request": crate::contracts::tenant::certificate::Request,
            "jackfield:tenant/certificate@1.0.0/receipt": crate::contracts::tenant::certificate::Receipt,
            "jackfield:tenant/certificate@1.0.0/outcome": crate::contracts::tenant::certificate::Outcome,
            "jackfield:tenant/certificate@1.0.0/observed": crate::contracts::tenant::certificate::Observed,
        },
    });
}

pub mod seed {
    wit_bindgen::generate!({
        path: "wit/tenant",
        inline: "package jackfield:sdk; world seed { export jackfield:tenant/seed@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:tenant/types@1.0.0": crate::contracts::tenant,
            "jackfield:tenant/seed@1.0.0/request": crate::contracts::tenant::seed::Request,
            "jackfield:tenant/seed@1.0.0/receipt": crate::contracts::tenant::seed::Receipt,
            "jackfield:tenant/seed@1.0.0/outcome": crate::contracts::tenant::seed::Outcome,
            "jackfield:tenant/seed@1.0.0/observed": crate::contracts::tenant::seed::Observed,
        },
    });
}

pub mod integration {
    wit_bindgen::generate!({
        path: "wit/tenant",
        inline: "package jackfield:sdk; world integration { export jackfield:tenant/integration@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:tenant/types@1.0.0": crate::contracts::tenant,
            "jackfield:tenant/integration@1.0.0/request": crate::contracts::tenant::integration::Request,
            "jackfield:tenant/integration@1.0.0/receipt": crate::contracts::tenant::integration::Receipt,
            "jackfield:tenant/integration@1.0.0/outcome": crate::contracts::tenant::integration::Outcome,
            "jackfield:tenant/integration@1.0.0/observed": crate::contracts::tenant::integration::Observed,
        },
    });
}

pub mod mail {
    wit_bindgen::generate!({
        path: "wit/tenant",
        inline: "package jackfield:sdk; world mail { export jackfield:tenant/mail@1.0.0; }",
        pub_export_macro: true,
        with: {
            "jackfield:step/types@1.0.0": crate::step,
            "jackfield:tenant/mail@1.0.0/request": crate::contracts::tenant::mail::Request,
            "jackfield:tenant/mail@1.0.0/receipt": crate::contracts::tenant::mail::Receipt,
            "jackfield:tenant/mail@1.0.0/outcome": crate::contracts::tenant::mail::Outcome,
            "jackfield:tenant/mail@1.0.0/observed": crate::contracts::tenant::mail::Observed,
        },
    });
}
