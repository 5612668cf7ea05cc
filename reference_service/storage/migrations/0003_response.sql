CREATE TABLE documents (
  sort TEXT NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY (sort, id), UNIQUE (sort, tenant, name)
);
CREATE TABLE action_runs (
  id TEXT PRIMARY KEY, action_id TEXT NOT NULL, alert_id TEXT NOT NULL, ok INTEGER NOT NULL,
  detail TEXT NOT NULL, at INTEGER NOT NULL, millis INTEGER NOT NULL
);
CREATE TABLE playbook_runs (
  id TEXT PRIMARY KEY, playbook_id TEXT NOT NULL, alert_id TEXT NOT NULL, status TEXT NOT NULL,
  steps TEXT NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE indicators (
  feed_id TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, expires_at INTEGER NOT NULL,
  PRIMARY KEY (feed_id, value)
);
CREATE INDEX indicators_value ON indicators (value);
CREATE TABLE retention (kind TEXT PRIMARY KEY, days INTEGER NOT NULL);
INSERT INTO retention (kind, days) VALUES ('events', 30), ('alerts', 365), ('sessions', 7);
