CREATE TABLE pack_rules (pack_id TEXT NOT NULL, rule_id TEXT NOT NULL, digest TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (pack_id, rule_id));
CREATE TABLE export_jobs (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, owner TEXT NOT NULL, filter TEXT NOT NULL, format TEXT NOT NULL, status TEXT NOT NULL,
  written INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', created_at INTEGER NOT NULL
);
CREATE TABLE source_state (source_id TEXT PRIMARY KEY, read_at INTEGER NOT NULL);
