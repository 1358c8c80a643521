//! From bytes to a plugin that can be called: read, check the manifest, the contracts and the capabilities, compile, link.

mod exports;
mod imports;
mod verdict;

use std::sync::Arc;

use package::{Ask, Manifest, Package, PackageError};
use pipeline::Digest;
use serde::Serialize;
use wasmtime::component::Component;

pub use self::verdict::{ContractVerdict, ImportVerdict, VerbVerdict, Verdict};
use crate::{
    call::{self, CallContext},
    error::LoadError,
    grant::Grant,
    plugin::{Loaded, Plugin, PluginContract},
    runtime::{Runtime, Shared},
};

/// What can be said about a component without a grant and without running it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What the plugin says about itself.
    pub manifest: Manifest,
    /// The sha256 of the bytes.
    pub digest: Digest,
    /// The size in bytes.
    pub size: usize,
    /// The contracts that can be called.
    pub contracts: Vec<PluginContract>,
    /// Everything it imports.
    pub imports: Vec<String>,
    /// What it asks for, each with the line of configuration that grants it.
    pub grants: Vec<Ask>,
}

/// A component that passed every check that needs no grant.
struct Inspected {
    component: Component,
    manifest: Manifest,
    digest: Digest,
    size: usize,
    exports: exports::Exports,
}

impl Runtime {
    /// Checks a component, compiles it off the threads that serve and links what is granted.
    ///
    /// # Errors
    ///
    /// [`LoadError`] names what is wrong, where, and what to do. Nothing is installed then.
    pub async fn load(&self, bytes: Vec<u8>, grant: &Grant) -> Result<Plugin, LoadError> {
        let grant = grant.clone();
        self.inspecting(bytes, move |shared, inspected| link(shared, inspected, &grant)).await
    }

    /// The same plugin under other grants: nothing is read or compiled again.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotGranted`] and [`LoadError::Grant`].
    pub fn regrant(&self, plugin: &Plugin, grant: &Grant) -> Result<Plugin, LoadError> {
        let granted = imports::granted(plugin.manifest(), grant, &self.shared)?;
        Ok(Plugin::new(plugin.loaded.regranted(granted, grant.limits.within(&self.shared.options))))
    }

    /// Checks a component as [`load`](Self::load) does, but for the grants, and says what it needs.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), but never for a missing grant.
    pub async fn check(&self, bytes: Vec<u8>) -> Result<Report, LoadError> {
        self.inspecting(bytes, |shared, inspected| {
            let imports = inspected.component.component_type().imports(&shared.engine).map(|(name, _)| name.to_owned()).collect();
            let Inspected { component: _, manifest, digest, size, exports } = inspected;
            let grants = manifest.asks();
            Ok(Report { digest, size, contracts: exports.contracts, imports, grants, manifest })
        })
        .await
    }

    /// Makes an instance as a call would, with nothing granted, and drops it: what runs when a component is instantiated runs under the limits of a call.
    ///
    /// # Errors
    ///
    /// [`LoadError::Instantiate`] with what a call would fail with.
    pub async fn try_instantiate(&self, plugin: &Plugin) -> Result<(), LoadError> {
        let context = CallContext::of_nobody(&self.shared, &plugin.loaded);
        let tried = self.spawn(async move { call::instantiate(context).await }).await.map_err(|_| LoadError::Stopped)?;
        tried.map_err(|failure| LoadError::Instantiate(Box::new(failure)))
    }

    async fn inspecting<R: Send + 'static>(
        &self,
        bytes: Vec<u8>,
        then: impl FnOnce(&Shared, Inspected) -> Result<R, LoadError> + Send + 'static,
    ) -> Result<R, LoadError> {
        self.compiling(move |shared| inspect(shared, &bytes).and_then(|inspected| then(shared, inspected))).await
    }

    /// Does what may compile a component, off the threads that serve.
    async fn compiling<R: Send + 'static>(&self, work: impl FnOnce(&Shared) -> Result<R, LoadError> + Send + 'static) -> Result<R, LoadError> {
        let shared = Arc::clone(&self.shared);
        self.spawn_blocking(move || work(&shared)).await.map_err(|_| LoadError::Stopped)?
    }
}

fn inspect(shared: &Shared, bytes: &[u8]) -> Result<Inspected, LoadError> {
    let Package { manifest, digest, .. } = Package::read(bytes, shared.options.max_component_bytes)?;
    manifest.check_schemas().map_err(PackageError::from)?;
    let component = component(shared, bytes, &digest)?;
    let exports = exports::check(&shared.engine, &component, &manifest, &shared.contracts)?;
    imports::check(&shared.engine, &component, &manifest, &shared.offered)?;
    Ok(Inspected { component, manifest, digest, size: bytes.len(), exports })
}

/// The compiled component: as it was compiled before, or compiled now.
fn component(shared: &Shared, bytes: &[u8], digest: &Digest) -> Result<Component, LoadError> {
    match shared.aot.find(&shared.engine, digest) {
        Some(component) => Ok(component),
        None => compile(shared, bytes, digest),
    }
}

/// Waits for its turn and compiles. This thread may wait: nothing is served by it.
fn compile(shared: &Shared, bytes: &[u8], digest: &Digest) -> Result<Component, LoadError> {
    let turn = Arc::clone(&shared.compilations).acquire_owned();
    let _turn = shared.block_on(turn).map_err(|_| LoadError::Stopped)?;
    // Somebody else may have compiled the same meanwhile.
    match shared.aot.find(&shared.engine, digest) {
        Some(component) => Ok(component),
        None => shared.aot.compile(&shared.engine, bytes, digest),
    }
}

fn link(shared: &Shared, inspected: Inspected, grant: &Grant) -> Result<Plugin, LoadError> {
    let Inspected { component, manifest, digest, size: _, exports } = inspected;
    let granted = imports::granted(&manifest, grant, shared)?;
    let pre = shared.linker.instantiate_pre(&component).map_err(|error| LoadError::Link(format!("{error:#}")))?;
    component.initialize_copy_on_write_image().map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    Ok(Plugin::new(Loaded::new(
        manifest,
        digest,
        exports.contracts,
        exports.functions,
        pre,
        granted,
        grant.limits.within(&shared.options),
        &shared.guards,
    )))
}
