//! The figures, one file each.

mod cwmp_adapters;
mod cwmp_parked;
mod cwmp_parse;
mod cwmp_sessions;
mod cwmp_storm;
mod extism;
pub(crate) mod idle_plugins;
mod intake;
mod js_plugin_call;
mod many_plugins;
mod neighbour;
mod plugin_call;
pub(crate) mod restart;
mod routing;
mod run_latency;
mod runs;
mod startup;
mod swapping;
mod swaps;
mod telemetry_share;

use std::{future::Future, pin::Pin};

use anyhow::{Result, bail};

use crate::{
    harness::{field::FIELDS, report::Measured},
    setup::Setup,
};

type Measuring<'a> = Pin<Box<dyn Future<Output = Result<Measured>> + 'a>>;

/// Fields that are measured together.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    /// Their names.
    pub(crate) fields: &'static [&'static str],
    /// Measures them.
    pub(crate) measure: for<'a> fn(&'a Setup) -> Measuring<'a>,
}

/// In the order in which they are measured: what needs a quiet machine comes first.
const FIGURES: [Figure; 20] = [
    Figure { fields: &["plugin_call_us", "floor_us", "plugin_call_ratio"], measure: |setup| Box::pin(plugin_call::measure(setup)) },
    Figure { fields: &["extism_new_us", "extism_warm_us", "extism_ratio"], measure: |setup| Box::pin(extism::measure(setup)) },
    Figure { fields: &["call_ratio_200_plugins"], measure: |setup| Box::pin(many_plugins::measure(setup)) },
    Figure { fields: &["rss_mb_per_idle_plugin"], measure: |setup| Box::pin(idle_plugins::measure(setup)) },
    Figure { fields: &["neighbour_p99_ratio", "neighbour_p99_more_ms"], measure: |setup| Box::pin(neighbour::measure(setup)) },
    Figure { fields: &["js_plugin_call_us"], measure: |setup| Box::pin(js_plugin_call::measure(setup)) },
    Figure { fields: &["telemetry_share_sampled", "telemetry_share_unsampled"], measure: |setup| Box::pin(telemetry_share::measure(setup)) },
    Figure { fields: &["routing_us"], measure: |setup| Box::pin(routing::measure(setup)) },
    Figure { fields: &["install_ms", "activation_ms_cold", "activation_ms_cached"], measure: |setup| Box::pin(swapping::measure(setup)) },
    Figure { fields: &["startup_ms_50_plugins"], measure: |setup| Box::pin(startup::measure(setup)) },
    Figure { fields: &["swaps_failed", "swaps_duplicated"], measure: |setup| Box::pin(swaps::measure(setup)) },
    Figure { fields: &["run_p50_ms_c1"], measure: |setup| Box::pin(run_latency::measure(setup)) },
    Figure { fields: &["runs_per_s_c128"], measure: |setup| Box::pin(runs::measure(setup)) },
    Figure { fields: &["intake_p99_ms_500"], measure: |setup| Box::pin(intake::measure(setup)) },
    Figure { fields: &["cwmp_parse_us"], measure: |setup| Box::pin(cwmp_parse::measure(setup)) },
    Figure {
        fields: &["cwmp_provision_per_s", "cwmp_exchanges_provision", "cwmp_inform_per_s"],
        measure: |setup| Box::pin(cwmp_sessions::measure(setup)),
    },
    Figure { fields: &["cwmp_provision_http_per_s"], measure: |setup| Box::pin(cwmp_adapters::measure(setup)) },
    Figure { fields: &["cwmp_parked_bytes"], measure: |setup| Box::pin(cwmp_parked::measure(setup)) },
    Figure { fields: &["restart_ms_1m"], measure: |setup| Box::pin(restart::measure(setup)) },
    Figure { fields: &["cwmp_storm_lost", "cwmp_storm_p99_ms"], measure: |setup| Box::pin(cwmp_storm::measure(setup)) },
];

/// The figures with at least one of the named fields; all of them when none is named.
pub(crate) fn chosen(only: &[String]) -> Result<Vec<Figure>> {
    if let Some(unknown) = only.iter().find(|name| !FIELDS.iter().any(|field| field.name == **name)) {
        let known: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
        bail!("there is no field `{unknown}`; there are: {}", known.join(", "));
    }
    let named = |figure: &&Figure| only.is_empty() || figure.fields.iter().any(|field| only.iter().any(|name| name == field));
    Ok(FIGURES.iter().filter(named).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_belongs_to_one_figure() {
        let mut measured: Vec<&str> = FIGURES.iter().flat_map(|figure| figure.fields).copied().collect();
        let mut known: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
        measured.sort_unstable();
        known.sort_unstable();
        assert_eq!(measured, known);
    }

    #[test]
    fn named_fields_bring_those_they_are_measured_with_and_unknown_ones_are_refused() {
        assert_eq!(chosen(&[]).unwrap().len(), FIGURES.len());
        let one = chosen(&["floor_us".to_owned(), "plugin_call_ratio".to_owned()]).unwrap();
        assert_eq!((one.len(), one[0].fields.len()), (1, 3));
        let Err(error) = chosen(&["speed".to_owned()]) else { panic!("`speed` is no field") };
        assert!(error.to_string().starts_with("there is no field `speed`; there are: plugin_call_us, floor_us"));
    }
}
