//! Interfaces that packs offer to plugins: linked by name, values converted by their shape, no code generated.

use std::{collections::BTreeMap, fmt, sync::Arc};

use engine::port::{HostInterface, HostInterfaceError};
use serde_json::Value;
use wasmtime::{
    StoreContextMut,
    component::{Linker, Val},
};
use wit_parser::Resolve;

use crate::{
    call::CallState,
    contracts::{functions_of, push_package},
    error::RuntimeError,
    shape::{FunctionShape, UnknownFields},
};

/// An interface that is linked for every plugin that imports it.
pub(crate) struct Offered {
    /// With its version.
    pub(crate) name: String,
    pub(crate) functions: BTreeMap<String, FunctionShape>,
}

impl fmt::Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offered").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Reads the interface's WIT and links each of its functions.
pub(crate) fn link(linker: &mut Linker<CallState>, interface: Arc<dyn HostInterface>) -> Result<Offered, RuntimeError> {
    let name = interface.name().to_owned();
    let wrong = |problem: String| RuntimeError::HostInterface { interface: name.clone(), problem };
    let functions = declared(&name, interface.wit()).map_err(wrong)?;
    let mut instance = linker.instance(&name).map_err(|error| wrong(format!("{error:#}")))?;
    for (function, shape) in &functions {
        let one = Arc::new(Linked { interface: Arc::clone(&interface), function: function.clone(), shape: shape.clone() });
        let linked = instance.func_new_async(function, move |store, _ty, params, results| {
            let one = Arc::clone(&one);
            Box::new(async move { one.call(store, params, results).await })
        });
        linked.map_err(|error| wrong(format!("{error:#}")))?;
    }
    Ok(Offered { name, functions })
}

fn declared(name: &str, wit: &str) -> Result<BTreeMap<String, FunctionShape>, String> {
    let mut resolve = Resolve::default();
    let package = push_package(&mut resolve, &[(name, wit)]).map_err(|error| error.to_string())?;
    let id = resolve.packages[package].interfaces.values().find(|id| resolve.id_of(**id).as_deref() == Some(name));
    let id = id.ok_or_else(|| "its wit does not declare an interface of this name and version".to_owned())?;
    functions_of(&resolve, name, *id).map_err(|error| error.to_string())
}

struct Linked {
    interface: Arc<dyn HostInterface>,
    function: String,
    shape: FunctionShape,
}

impl Linked {
    async fn call(&self, store: StoreContextMut<'_, CallState>, params: &[Val], results: &mut [Val]) -> wasmtime::Result<()> {
        let arguments = self.arguments(params)?;
        let scope = store.data().scope();
        // What a pack's interface does is not known here, so it counts as having left the host.
        store.data().context.account.count_sent();
        let answer = self.interface.call(&scope, &self.function, arguments).await?;
        if let (Some(shape), [result]) = (&self.shape.result, results) {
            *result = shape.encode(&answer, UnknownFields::Refuse).map_err(|error| self.wrong(format!("its answer does not fit: {error}")))?;
        }
        Ok(())
    }

    fn arguments(&self, params: &[Val]) -> Result<Vec<Value>, HostInterfaceError> {
        let decode = |(shape, val): (_, &Val)| decode_one(shape, val).map_err(|error| self.wrong(error));
        self.shape.params.iter().zip(params).map(|(field, val)| (&field.shape, val)).map(decode).collect()
    }

    fn wrong(&self, message: String) -> HostInterfaceError {
        HostInterfaceError { interface: self.interface.name().to_owned(), function: self.function.clone(), message }
    }
}

fn decode_one(shape: &crate::shape::Shape, val: &Val) -> Result<Value, String> {
    shape.decode(val.clone()).map_err(|error| format!("an argument does not fit: {error}"))
}
