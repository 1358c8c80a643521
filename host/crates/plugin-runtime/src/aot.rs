//! From bytes to machine code: taken from the disk where this host has compiled it before, and compiled within bounds otherwise.

mod bounds;
mod cache;
mod seal;
pub(crate) mod worker;

use pipeline::Digest;
use wasmtime::{Engine, component::Component};

use self::{cache::Cache, worker::Compiler};
use crate::{
    engine_config::Allocation,
    error::{LoadError, RuntimeError},
    options::{CompileLimits, Options},
};

/// Machine code for one engine.
#[derive(Debug)]
pub(crate) struct Aot {
    cache: Option<Cache>,
    limits: CompileLimits,
    compiler: Compiler,
}

impl Aot {
    /// Opens the directory of compiled code, if there is to be one.
    pub(crate) fn open(engine: &Engine, allocation: Allocation, options: &Options) -> Result<Self, RuntimeError> {
        let cache = options.cache_dir.as_deref().map(|directory| Cache::open(directory, options.cache_max_bytes, engine)).transpose()?;
        Ok(Self { cache, limits: options.compile.clone(), compiler: Compiler::new(allocation, options) })
    }

    /// What is on the disk, which takes milliseconds.
    pub(crate) fn find(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        self.cache.as_ref()?.find(engine, digest)
    }

    /// Compiles and keeps the code. Takes seconds.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8], digest: &Digest) -> Result<Component, LoadError> {
        bounds::check(bytes, &self.limits)?;
        let code = self.compiler.compile(engine, bytes, &self.limits)?;
        if let Some(cache) = &self.cache {
            cache.keep(digest, &code);
            // From the file, so that pages of idle plugins can be given back.
            if let Some(component) = cache.find(engine, digest) {
                return Ok(component);
            }
        }
        // SAFETY: the compiler of this host has just made these bytes: either this process did or its own executable, over a pipe that nobody else has.
        #[expect(unsafe_code, reason = "machine code can only be loaded on trust")]
        unsafe { Component::deserialize(engine, &code) }.map_err(|error| LoadError::Compile(format!("{error:#}")))
    }
}
