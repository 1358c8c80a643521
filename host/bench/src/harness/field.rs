//! The fields of the report and what is asked of each.

/// What is asked of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// Not more.
    AtMost(f64),
    /// Not less.
    AtLeast(f64),
    /// It is reported, and that is all.
    Reported,
}

impl Goal {
    /// Whether a value meets it.
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::Reported => true,
        }
    }

    /// For people.
    pub(crate) fn text(self) -> String {
        match self {
            Self::AtMost(most) => format!("<= {most}"),
            Self::AtLeast(least) => format!(">= {least}"),
            Self::Reported => "-".to_owned(),
        }
    }
}

/// A figure that is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Field {
    /// Its name, which ends in its unit where it has one.
    pub(crate) name: &'static str,
    /// What is asked of it.
    pub(crate) goal: Goal,
}

/// Every figure that is measured.
pub(crate) const FIELDS: [Field; 32] = [
    Field { name: "plugin_call_us", goal: Goal::Reported },
    Field { name: "floor_us", goal: Goal::Reported },
    Field { name: "plugin_call_ratio", goal: Goal::AtMost(1.3) },
    Field { name: "telemetry_share_sampled", goal: Goal::AtMost(0.10) },
    Field { name: "telemetry_share_unsampled", goal: Goal::AtMost(0.03) },
    Field { name: "runs_per_s_c128", goal: Goal::AtLeast(1_200.0) },
    Field { name: "run_p50_ms_c1", goal: Goal::AtMost(4.0) },
    Field { name: "intake_p99_ms_500", goal: Goal::AtMost(20.0) },
    Field { name: "restart_ms_1m", goal: Goal::AtMost(2_000.0) },
    Field { name: "js_plugin_call_us", goal: Goal::Reported },
    Field { name: "extism_new_us", goal: Goal::Reported },
    Field { name: "extism_warm_us", goal: Goal::Reported },
    Field { name: "extism_ratio", goal: Goal::AtMost(1.0) },
    Field { name: "call_ratio_200_plugins", goal: Goal::AtMost(1.05) },
    Field { name: "rss_mb_per_idle_plugin", goal: Goal::AtMost(1.5) },
    Field { name: "neighbour_p99_ratio", goal: Goal::Reported },
    Field { name: "routing_us", goal: Goal::AtMost(2.0) },
    Field { name: "install_ms", goal: Goal::AtMost(2_000.0) },
    Field { name: "activation_ms_cold", goal: Goal::AtMost(1_000.0) },
    Field { name: "activation_ms_cached", goal: Goal::AtMost(50.0) },
    Field { name: "startup_ms_50_plugins", goal: Goal::AtMost(300.0) },
    Field { name: "swaps_failed", goal: Goal::AtMost(0.0) },
    Field { name: "swaps_duplicated", goal: Goal::AtMost(0.0) },
    // 0 up to a ratio of 1.2.
    Field { name: "neighbour_p99_more_ms", goal: Goal::AtMost(5.0) },
    Field { name: "cwmp_provision_per_s", goal: Goal::AtLeast(1_000.0) },
    Field { name: "cwmp_inform_per_s", goal: Goal::AtLeast(5_000.0) },
    Field { name: "cwmp_provision_http_per_s", goal: Goal::Reported },
    Field { name: "cwmp_exchanges_provision", goal: Goal::AtMost(4.0) },
    Field { name: "cwmp_parse_us", goal: Goal::AtMost(20.0) },
    Field { name: "cwmp_parked_bytes", goal: Goal::AtMost(4_096.0) },
    Field { name: "cwmp_storm_lost", goal: Goal::AtMost(0.0) },
    Field { name: "cwmp_storm_p99_ms", goal: Goal::AtMost(1_000.0) },
];

/// The goal of a field.
pub(crate) fn goal(name: &str) -> Goal {
    FIELDS.iter().find(|field| field.name == name).map_or(Goal::Reported, |field| field.goal)
}
