//! What metrics must say, counted by SQL over the store.

use crate::{
    capture::{Figures, Series},
    journal::Store,
};

/// The types of orders; how they ended, which a person may have decided; and where they were held.
const STARTED: &str = "started AS (
  SELECT run_id, json_extract(CAST(payload AS TEXT), '$.input.type') AS type FROM journal WHERE kind = 'run-started'),
fallen AS (
  SELECT run_id, seq, CAST(payload AS TEXT) AS p FROM journal WHERE kind = 'fallout-opened'),
decided AS (
  SELECT run_id, max(seq), json_extract(CAST(payload AS TEXT), '$.resolution.action') AS action, json_extract(CAST(payload AS TEXT), '$.id') AS id
  FROM journal WHERE kind = 'fallout-resolved' GROUP BY run_id),
outcomes AS (
  SELECT run_id, json_extract(CAST(payload AS TEXT), '$.outcome') AS outcome, json_extract(CAST(payload AS TEXT), '$.outcome.failed.failure.error_type') AS error
  FROM journal WHERE kind = 'run-ended'),
ended AS (
  SELECT run_id,
    CASE WHEN error IS NOT NULL OR (outcome IS NULL AND action = 'fail') THEN 'failed' ELSE coalesce(outcome, 'cancelled') END AS status,
    CASE WHEN error IS NOT NULL THEN error
         WHEN outcome IS NULL AND action = 'fail' THEN
           (SELECT json_extract(p, '$.failure.error_type') FROM fallen WHERE fallen.run_id = runs.run_id AND json_extract(p, '$.id') = decided.id)
         WHEN coalesce(outcome, 'cancelled') = 'cancelled' THEN 'host.cancelled' END AS error
  FROM runs LEFT JOIN outcomes USING (run_id) LEFT JOIN decided USING (run_id) WHERE state = 'ended')";

/// How many orders there were, by type and by the state that they came into. An order comes into fallout once.
const COUNT: &str = "
SELECT type, 'submitted', count(*) FROM started GROUP BY type
UNION ALL
SELECT type, status, count(*) FROM ended JOIN started USING (run_id) GROUP BY 1, 2
UNION ALL
SELECT type, 'fallout', count(DISTINCT run_id) FROM fallen JOIN started USING (run_id) GROUP BY type";

/// How often an order entered fallout: a fallout that was opened while none was open. The resource is that of the item which failed.
const FALLOUT: &str = "
SELECT json_extract(p, '$.reason'),
  (SELECT json_extract(CAST(s.payload AS TEXT), '$.items[' || json_extract(p, '$.item') || '].request.service.resource-type') FROM journal s
   WHERE s.run_id = fallen.run_id AND s.seq < fallen.seq AND s.kind = 'step-scheduled'
     AND json_extract(CAST(s.payload AS TEXT), '$.step') = json_extract(p, '$.step') ORDER BY s.seq DESC LIMIT 1),
  count(*)
FROM fallen
WHERE (SELECT count(*) FROM journal o WHERE o.run_id = fallen.run_id AND o.seq < fallen.seq AND o.kind = 'fallout-opened')
    = (SELECT count(*) FROM journal r WHERE r.run_id = fallen.run_id AND r.seq < fallen.seq AND r.kind = 'fallout-resolved')
GROUP BY 1, 2";

const IN_PROGRESS: &str = "
SELECT CASE state WHEN 'held' THEN 'fallout' ELSE 'submitted' END, count(*) FROM runs WHERE state <> 'ended' GROUP BY 1";

const RUNS: &str = "SELECT pipeline, state, count(*) FROM runs WHERE state <> 'ended' GROUP BY 1, 2";

const DURATION: &str = "
SELECT type, error, count(*) FROM ended JOIN started USING (run_id) GROUP BY 1, 2";

const RUN_DURATION: &str = "
SELECT 'order', error, count(*) FROM ended GROUP BY 2";

/// A step ends well when as many of its items are done as were scheduled, and badly when everything is taken back or a person is asked because of it.
const STEPS: &str = ", scheduled AS (
  SELECT run_id, json_extract(CAST(payload AS TEXT), '$.step') AS step, json_extract(CAST(payload AS TEXT), '$.round') AS round,
    json_array_length(CAST(payload AS TEXT), '$.items') AS items
  FROM journal WHERE kind = 'step-scheduled'),
done AS (
  SELECT DISTINCT run_id, json_extract(CAST(payload AS TEXT), '$.attempt.step') AS step, json_extract(CAST(payload AS TEXT), '$.attempt.round') AS round,
    json_extract(CAST(payload AS TEXT), '$.attempt.item') AS item
  FROM journal WHERE kind = 'attempt-finished' AND json_type(CAST(payload AS TEXT), '$.verdict.done') IS NOT NULL),
well AS (
  SELECT step FROM scheduled JOIN done USING (run_id, step, round) GROUP BY run_id, step, round HAVING count(*) = max(items)),
badly AS (
  SELECT json_extract(p, '$.step') AS step, json_extract(p, '$.failure.error_type') AS error FROM fallen WHERE json_extract(p, '$.subject') = 'failed'
  UNION ALL
  SELECT json_extract(CAST(payload AS TEXT), '$.step'), json_extract(CAST(payload AS TEXT), '$.cause.error_type')
  FROM journal WHERE kind = 'unwind-started' AND json_type(CAST(payload AS TEXT), '$.cause') = 'object')
SELECT step, NULL, count(*) FROM well GROUP BY step UNION ALL SELECT step, error, count(*) FROM badly GROUP BY 1, 2";

/// What equals the store at any time: counters go on over restarts, and what is under way is looked up.
pub(crate) fn durable(store: &Store) -> Figures {
    let of_orders = |labels, query| figures(store, "bss.order.", labels, query);
    let count = of_orders(("count", &["type", "status"]), COUNT);
    let fallout = of_orders(("fallout", &["reason", "resource_type"]), FALLOUT);
    let in_progress = of_orders(("in_progress", &["state"]), IN_PROGRESS);
    let runs = figures(store, "pipeline.run.", ("active", &["pipeline.name", "state"]), RUNS);
    [count, fallout, in_progress, runs].concat().into_iter().collect()
}

/// The counts of the histograms of a host that has never been restarted.
pub(crate) fn histograms(store: &Store) -> Figures {
    let of_orders = |labels, query: &str| figures(store, "bss.order.", labels, query);
    let duration = of_orders(("duration", &["type", "error.type"]), DURATION);
    let runs = figures(store, "pipeline.run.", ("duration", &["pipeline.name", "error.type"]), RUN_DURATION);
    let steps = of_orders(("step_duration", &["step", "error.type"]), STEPS).into_iter().map(|((name, mut labels), count)| {
        for (_, step) in labels.iter_mut().filter(|(label, _)| label == "step") {
            *step = metric_step(step).to_owned();
        }
        ((name, labels), count)
    });
    steps.chain(duration).chain(runs).collect()
}

/// The customer's dashboards call the steps otherwise than the spans.
fn metric_step(step: &str) -> &str {
    match step {
        "decompose" => "decomposition",
        "allocate_inventory" => "inventory",
        "provision" => "provisioning",
        "activate" => "activation",
        "billing_setup" => "billing",
        other => panic!("an order has no step {other}"),
    }
}

fn figures(store: &Store, prefix: &str, (name, labels): (&str, &[&str]), query: &str) -> Vec<(Series, i64)> {
    let rows = store.rows(&format!("WITH {STARTED} {query}")).into_iter();
    let series = rows.map(|(values, count)| {
        let known = labels.iter().zip(values).filter_map(|(label, value)| Some(((*label).to_owned(), value?)));
        let mut known: Vec<_> = known.collect();
        known.sort();
        ((format!("{prefix}{name}"), known), count)
    });
    series.collect()
}
