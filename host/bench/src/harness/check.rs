//! `--check`: what stands between these figures and a release.

use super::report::{Entry, Report};

/// Every shortfall, every null without an excuse, and every reason not to trust the figures, in one line each.
pub(crate) fn problems(report: &Report) -> Vec<String> {
    let untrusted = report.untrusted.iter().map(|reason| format!("the figures cannot be trusted: {reason}"));
    report.entries.iter().filter_map(problem).chain(untrusted).collect()
}

fn problem(entry: &Entry) -> Option<String> {
    let Entry { name, goal, value, .. } = entry;
    match value {
        Ok(value) if goal.is_met(*value) => None,
        Ok(value) => Some(format!("{name} is {value:.3}: expected {}", goal.text())),
        Err(missing) if missing.excused => None,
        Err(missing) => Some(format!("{name} is null: {}", missing.reason)),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::harness::{
        machine::Machine,
        report::{Excused, Measured},
    };

    fn report(name: &'static str, measured: anyhow::Result<f64>) -> Report {
        let machine = Machine { load1: 0.1, fdatasync_p50_us: 100.0, pagemap: true };
        let mut report = Report::new(machine.clone(), Vec::new());
        report.add(&[name], measured.map(|value| Measured { values: vec![(name, value)], ..Measured::default() }), &machine);
        report
    }

    #[test]
    fn a_shortfall_and_a_null_fail_and_an_excused_null_does_not() {
        for (name, measured, expected) in [
            ("plugin_call_ratio", Ok(1.3), None),
            ("plugin_call_ratio", Ok(1.31), Some("plugin_call_ratio is 1.310: expected <= 1.3")),
            ("runs_per_s_c128", Ok(1_200.0), None),
            ("runs_per_s_c128", Ok(1_199.0), Some("runs_per_s_c128 is 1199.000: expected >= 1200")),
            ("floor_us", Ok(99.0), None),
            ("floor_us", Ok(f64::NAN), Some("floor_us is null: it was not measured")),
            ("restart_ms_1m", Err(anyhow!("no room")), Some("restart_ms_1m is null: no room")),
            ("js_plugin_call_us", Err(anyhow!("no component")), Some("js_plugin_call_us is null: no component")),
            ("js_plugin_call_us", Err(Excused("there is no Node.js".to_owned()).into()), None),
        ] {
            assert_eq!(problems(&report(name, measured)), expected.map(str::to_owned).into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn figures_that_cannot_be_trusted_fail() {
        let mut report = report("floor_us", Ok(20.0));
        report.untrusted.push("this is not a release build".to_owned());
        assert_eq!(problems(&report), ["the figures cannot be trusted: this is not a release build"]);
    }
}
