//! Limits of one plugin: what an operator sets beside its grants, never above those of the runtime.

use serde::{Deserialize, Serialize};

use crate::{
    guard::{BreakerOptions, RetryBudgetOptions},
    options::{Limits, Options},
};

/// Limits of one plugin. What is not set is as for all plugins; what is set can only be less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginLimits {
    /// Calls that run at the same time.
    pub max_calls: Option<u32>,
    /// Calls that wait for room.
    pub max_queue: Option<u32>,
    /// Bytes of all memories and tables of one call.
    pub memory_bytes: Option<usize>,
    /// CPU time of one call in milliseconds.
    pub cpu_ms: Option<u64>,
    /// When it is left alone, in place of what holds for all plugins.
    pub breaker: Option<BreakerOptions>,
    /// How often it is retried, in place of what holds for all plugins.
    pub retry_budget: Option<RetryBudgetOptions>,
}

/// The limits that hold for one plugin.
#[derive(Debug)]
pub(crate) struct Holds {
    pub(crate) max_calls: u32,
    pub(crate) max_queue: u32,
    pub(crate) call: Limits,
    pub(crate) breaker: BreakerOptions,
    pub(crate) retry_budget: RetryBudgetOptions,
}

impl PluginLimits {
    /// Together with those of the runtime.
    pub(crate) fn within(&self, options: &Options) -> Holds {
        let Self { max_calls, max_queue, memory_bytes, cpu_ms, breaker, retry_budget } = self;
        let mut call = options.limits.clone();
        call.memory_bytes = memory_bytes.unwrap_or(usize::MAX).min(call.memory_bytes);
        call.cpu_ms = cpu_ms.unwrap_or(u64::MAX).min(call.cpu_ms);
        Holds {
            max_calls: max_calls.unwrap_or(u32::MAX).min(options.max_calls_per_plugin),
            max_queue: max_queue.unwrap_or(u32::MAX).min(options.max_queue_per_plugin),
            call,
            breaker: breaker.clone().unwrap_or_else(|| options.breaker.clone()),
            retry_budget: retry_budget.clone().unwrap_or_else(|| options.retry_budget.clone()),
        }
    }
}
