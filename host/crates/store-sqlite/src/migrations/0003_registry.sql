-- The registry: installed plugins, the revisions of the binding table, quarantine, canaries and the audit trail.

CREATE TABLE registry (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  number  INTEGER NOT NULL CHECK (number >= 0),  -- of the last change
  applied TEXT                                   -- fingerprint of the configuration that was applied last
) STRICT;

INSERT INTO registry (id, number) VALUES (1, 0);

CREATE TABLE plugins (
  digest       TEXT    NOT NULL PRIMARY KEY,  -- sha256, hexadecimal
  name         TEXT    NOT NULL,
  installed_at INTEGER NOT NULL CHECK (installed_at >= 0),
  component    TEXT    NOT NULL,              -- the blob
  details      TEXT    NOT NULL               -- JSON
) STRICT, WITHOUT ROWID;

CREATE INDEX plugins_by_name      ON plugins (name, installed_at, digest);
CREATE INDEX plugins_by_component ON plugins (component);

-- What was ever installed, kept when the plugin goes, so that an old version is known as one.
CREATE TABLE newest_versions (
  name    TEXT NOT NULL PRIMARY KEY,
  version TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers are never given twice, however many rows are removed.
CREATE TABLE revisions (
  number   INTEGER PRIMARY KEY AUTOINCREMENT,
  revision TEXT    NOT NULL,  -- the blob with the table
  at       INTEGER NOT NULL CHECK (at >= 0),
  by       TEXT    NOT NULL,
  trial    INTEGER NOT NULL CHECK (trial IN (0, 1))  -- whether a canary was under way
) STRICT;

CREATE TABLE quarantine (
  digest  TEXT NOT NULL PRIMARY KEY,
  details TEXT NOT NULL  -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE rollouts (
  plugin  TEXT NOT NULL PRIMARY KEY,
  details TEXT NOT NULL  -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  number INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL CHECK (at >= 0),
  deed   TEXT    NOT NULL  -- JSON
) STRICT;
