-- What runs need: binding tables (digest '') and plugins under them, counted in the transactions that change the runs.

CREATE TABLE holds (
  revision TEXT    NOT NULL,
  digest   TEXT    NOT NULL,  -- '': the binding table itself
  count    INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (revision, digest)
) STRICT, WITHOUT ROWID;

-- Runs of earlier versions: each needs the table that it was started with and the plugins of its items in their last round. For runs that are over this is
-- more than is needed, never less: what they left cannot be told here. A damaged record is passed over; its run cannot be read anyway.
CREATE TEMP TABLE old_runs AS
SELECT run_id, json_extract(event, '$.revision') AS revision
FROM (SELECT run_id, CAST(payload AS TEXT) AS event FROM journal WHERE kind = 'run-started' AND json_valid(CAST(payload AS TEXT)));

CREATE TEMP TABLE old_items AS
SELECT run_id, seq, json_extract(event, '$.step') AS step, json_extract(item.value, '$.pin.provider.plugin.digest') AS digest
FROM (SELECT run_id, seq, CAST(payload AS TEXT) AS event FROM journal WHERE kind = 'step-scheduled' AND json_valid(CAST(payload AS TEXT))) AS scheduled
JOIN json_each(scheduled.event, '$.items') AS item;

CREATE INDEX temp.old_runs_by_run ON old_runs (run_id);
CREATE INDEX temp.old_items_by_step ON old_items (run_id, step, seq);

INSERT INTO holds (revision, digest, count)
SELECT revision, '', count(*) FROM old_runs WHERE revision IS NOT NULL GROUP BY revision;

INSERT INTO holds (revision, digest, count)
SELECT old_runs.revision, item.digest, count(*)
FROM old_items AS item JOIN old_runs ON old_runs.run_id = item.run_id
WHERE old_runs.revision IS NOT NULL AND item.digest IS NOT NULL
  AND item.seq = (SELECT max(seq) FROM old_items AS same WHERE same.run_id = item.run_id AND same.step = item.step)
GROUP BY old_runs.revision, item.digest;

DROP TABLE old_items;
DROP TABLE old_runs;
