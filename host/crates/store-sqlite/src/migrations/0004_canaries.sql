-- The canaries that were under way when a table became current, so that the table can be told from them: a JSON object from the name of the plugin to the
-- digest under trial. None: not written down, because the row is older.

ALTER TABLE revisions ADD COLUMN canaries TEXT;
