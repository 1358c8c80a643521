//! `export!`: makes a type that implements contracts the plugin of a component.

/// Makes `$plugin`, which implements the traits of the named contracts, the plugin of this component, and writes its
/// manifest.
///
/// `export!(Pool: inventory, catalog; MANIFEST)` exports two contracts. A contract whose trait is missing does not compile:
///
/// ```compile_fail
/// use jackfield_plugin_sdk::{Contract, Manifest, Verb};
/// struct Empty;
/// const CONTRACT: Contract = Contract { name: "billing", verbs: &[Verb::Apply], idempotent: false };
/// const MANIFEST: Manifest = Manifest {
///     name: "empty",
///     version: "1.0.0",
///     vendor: "Acme",
///     contracts: &[CONTRACT],
///     ..Manifest::EMPTY
/// };
/// jackfield_plugin_sdk::export!(Empty: billing; MANIFEST);
/// ```
///
/// Natively it only checks at compile time that the traits are implemented and that the manifest is right, so that
/// `cargo build` and `cargo test` work without a WebAssembly target.
#[macro_export]
macro_rules! export {
    ($plugin:ident : $($contract:ident),+ $(,)?; $manifest:expr) => {
        const _: () = {
            $($crate::__private::$contract::<$plugin>();)+
            $crate::Manifest::check(&$manifest, &[$(stringify!($contract)),+]);
        };

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "a custom section and the exports of a component need unsafe attributes")]
        const _: () = {
            type Exported = $crate::__private::Exported<$plugin>;

            $($crate::__private::bindings::$contract::export!(
                Exported with_types_in $crate::__private::bindings::$contract
            );)+

            #[used]
            #[unsafe(link_section = "jackfield.manifest")]
            static SECTION: [u8; $crate::__private::json_len(&$manifest)] = $crate::__private::json(&$manifest);
        };
    };
}
