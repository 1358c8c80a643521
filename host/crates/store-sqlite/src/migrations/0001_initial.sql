-- The first version of the store: runs, their journal, and what is written together with it.

CREATE TABLE meta (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  epoch      INTEGER NOT NULL CHECK (epoch >= 0),
  alive_at   INTEGER NOT NULL CHECK (alive_at >= 0),  -- microseconds since 1970, by the epoch that is open
  secret     BLOB    NOT NULL CHECK (length(secret) = 32),
  created_at INTEGER NOT NULL CHECK (created_at >= 0)
) STRICT;

CREATE TABLE runs (
  run_id     TEXT    NOT NULL PRIMARY KEY,
  tenant     TEXT    NOT NULL,
  pipeline   TEXT    NOT NULL,
  idem_key   TEXT,
  head       INTEGER NOT NULL CHECK (head > 0),
  state      TEXT    NOT NULL CHECK (state IN ('active', 'waiting', 'held', 'ended')),
  wake_at    INTEGER CHECK (wake_at >= 0),
  detail     TEXT    NOT NULL,
  created_at INTEGER NOT NULL CHECK (created_at >= 0),
  updated_at INTEGER NOT NULL CHECK (updated_at >= 0)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX runs_by_idem_key ON runs (tenant, pipeline, idem_key) WHERE idem_key IS NOT NULL;
-- Ended runs are in none of these, so that recovery and figures cost what is alive and not what ever was.
CREATE INDEX runs_by_state    ON runs (state, run_id)   WHERE state <> 'ended';
CREATE INDEX runs_by_pipeline ON runs (state, pipeline) WHERE state <> 'ended';
CREATE INDEX runs_by_wake_at  ON runs (wake_at, run_id) WHERE wake_at IS NOT NULL AND state <> 'active' AND state <> 'ended';

-- `position` is the common order of all commits, without gaps. `crc32` covers the whole record.
CREATE TABLE journal (
  position INTEGER PRIMARY KEY,
  run_id   TEXT    NOT NULL,
  seq      INTEGER NOT NULL CHECK (seq > 0),
  epoch    INTEGER NOT NULL CHECK (epoch >= 0),
  at       INTEGER NOT NULL CHECK (at >= 0),  -- microseconds since 1970
  kind     TEXT    NOT NULL,                  -- the event's kind, for people who query the file
  payload  BLOB    NOT NULL,                  -- the event as JSON
  crc32    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX journal_by_run ON journal (run_id, seq);

CREATE TABLE documents (
  collection TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  rank       INTEGER NOT NULL CHECK (rank >= 0),
  attributes TEXT    NOT NULL,  -- JSON: [[name, value], ...]
  body       TEXT    NOT NULL,  -- JSON
  PRIMARY KEY (collection, id)
) STRICT;

CREATE INDEX documents_by_rank ON documents (collection, rank, id);

CREATE TABLE document_attributes (
  collection TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  value      TEXT    NOT NULL,
  rank       INTEGER NOT NULL,
  id         TEXT    NOT NULL,
  PRIMARY KEY (collection, name, value, rank, id)
) STRICT, WITHOUT ROWID;

-- A deleted key keeps its row without a value, so that its versions go on counting.
CREATE TABLE kv (
  namespace TEXT    NOT NULL,
  key       TEXT    NOT NULL,
  value     TEXT,
  version   INTEGER NOT NULL CHECK (version > 0),
  PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE blobs (
  hash  TEXT NOT NULL PRIMARY KEY,  -- blake3, hexadecimal
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE cursors (
  name     TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL CHECK (position >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE tallies (
  name   TEXT NOT NULL,
  labels TEXT NOT NULL,  -- JSON: [[label, value], ...] in the order of the labels
  value  REAL NOT NULL,
  PRIMARY KEY (name, labels)
) STRICT, WITHOUT ROWID;
