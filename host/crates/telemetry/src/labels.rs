//! Labels that an operator may turn on, each with the values that get series of their own.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::Measurement;

use crate::{error::TelemetryError, registry};

/// What any value is counted under that was not named.
const OTHER: &str = "_other";

/// Labels that an operator turned on. A pipeline measures with all labels of the registry; those that are opt-in are left out unless they are here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<&'static str, BTreeSet<String>>);

impl Labels {
    /// The labels with the values that get series of their own; any other value is counted as `_other`, so that no client can make series.
    ///
    /// # Errors
    /// [`TelemetryError::Label`] names a label that no metric of the registry has for the asking.
    pub fn new(values: BTreeMap<String, Vec<String>>) -> Result<Self, TelemetryError> {
        let known: BTreeSet<&'static str> = registry::metrics().iter().flat_map(|row| row.opt_in).copied().collect();
        let label = |(given, values): (String, Vec<String>)| match known.get(given.as_str()) {
            Some(name) => Ok((*name, values.into_iter().collect())),
            None => Err(TelemetryError::Label { given, known: known.iter().copied().collect::<Vec<_>>().join(", ") }),
        };
        values.into_iter().map(label).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a label is wanted.
    pub(crate) fn has(&self, label: &str) -> bool {
        self.0.contains_key(label)
    }

    /// Leaves the measurement with the labels that are wanted, each with a value that is allowed.
    pub(crate) fn apply(&self, measurement: &mut Measurement) {
        let opt_in = registry::metric(measurement.instrument).map_or(&[][..], |row| row.opt_in);
        if opt_in.is_empty() {
            return;
        }
        measurement.labels.retain_mut(|(key, value)| match (opt_in.contains(key), self.0.get(key)) {
            (false, _) => true,
            (true, None) => false,
            (true, Some(values)) => {
                if !values.contains(value) {
                    OTHER.clone_into(value);
                }
                true
            }
        });
    }

    /// Series of value 0 with every value of the labels that are wanted.
    ///
    /// # Errors
    /// [`TelemetryError::TooManySeries`] when a metric would begin with more than `limit`.
    pub fn series(&self, zeros: &[Measurement], limit: usize) -> Result<Vec<Measurement>, TelemetryError> {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for zero in zeros {
            let count = counts.entry(zero.instrument).or_default();
            *count = count.saturating_add(self.wanted(zero).map(|(_, values)| values.len() + 1).fold(1, usize::saturating_mul));
            if *count > limit {
                return Err(TelemetryError::TooManySeries { metric: zero.instrument, limit });
            }
        }
        Ok(zeros.iter().flat_map(|zero| self.every_value(zero)).collect())
    }

    fn every_value(&self, zero: &Measurement) -> Vec<Measurement> {
        self.wanted(zero).fold(vec![zero.clone()], |series, (key, values)| {
            let with = |zero: &Measurement, value: &str| {
                let labels = zero.labels.iter().cloned().chain([(key, value.to_owned())]).collect();
                Measurement { labels, ..*zero }
            };
            let values = || values.iter().map(String::as_str).chain([OTHER]);
            series.iter().flat_map(|zero| values().map(move |value| with(zero, value))).collect()
        })
    }

    /// The labels of this metric that are wanted.
    fn wanted<'a>(&'a self, zero: &Measurement) -> impl Iterator<Item = (&'static str, &'a BTreeSet<String>)> {
        let opt_in = registry::metric(zero.instrument).map_or(&[][..], |row| row.opt_in);
        opt_in.iter().filter_map(|key| Some((*key, self.0.get(key)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(labels: &[(&'static str, &str)]) -> Measurement {
        Measurement { instrument: "bss.order.count", value: 1.0, labels: labels.iter().map(|(key, value)| (*key, (*value).to_owned())).collect() }
    }

    fn labels(given: &[(&str, &[&str])]) -> Result<Labels, TelemetryError> {
        let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Labels::new(given.iter().map(|(key, given)| ((*key).to_owned(), values(given))).collect())
    }

    const MEASURED: [(&str, &str); 3] = [("type", "add"), ("product_offering", "fibre"), ("channel", "carrier pigeon")];

    #[test]
    fn a_label_is_there_when_it_is_wanted_and_has_a_value_that_was_named() {
        let applied = |labels: &Labels| {
            let mut measurement = order(&MEASURED);
            labels.apply(&mut measurement);
            measurement
        };
        assert_eq!(applied(&Labels::default()), order(&[("type", "add")]));
        let wanted = labels(&[("channel", &["web"]), ("product_offering", &["fibre", "tv"])]).unwrap();
        assert_eq!(applied(&wanted), order(&[("type", "add"), ("product_offering", "fibre"), ("channel", "_other")]));
    }

    #[test]
    fn every_series_that_there_can_be_begins_at_zero() {
        let wanted = labels(&[("channel", &["web"])]).unwrap();
        let zero = order(&[("type", "add")]);
        let expected = [order(&[("type", "add"), ("channel", "web")]), order(&[("type", "add"), ("channel", "_other")])];
        assert_eq!(wanted.series(std::slice::from_ref(&zero), 2).unwrap(), expected);
        assert_eq!(Labels::default().series(std::slice::from_ref(&zero), 2).unwrap(), std::slice::from_ref(&zero));
        let error = wanted.series(&[zero.clone(), zero], 3).unwrap_err();
        assert_eq!(error.to_string(), "`bss.order.count` would begin with more than 3 series; name fewer values of its labels");
    }

    #[test]
    fn a_label_that_no_metric_has_is_refused_with_those_that_there_are() {
        let error = labels(&[("customer", &["C-42"])]).unwrap_err();
        assert_eq!(error.to_string(), "no metric has a label `customer` for the asking; there are channel, product_offering");
    }
}
