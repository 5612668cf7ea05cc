CREATE TABLE cases (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, title TEXT NOT NULL, severity INTEGER NOT NULL, status TEXT NOT NULL,
  owner TEXT NOT NULL, summary TEXT NOT NULL, resolution TEXT NOT NULL DEFAULT '',
  opened_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, closed_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX cases_updated ON cases (tenant, updated_at);
CREATE TABLE case_alerts (
  case_id TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE, alert_id TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
  PRIMARY KEY (case_id, alert_id)
);
CREATE INDEX case_alerts_alert ON case_alerts (alert_id);
CREATE TABLE case_notes (
  id TEXT PRIMARY KEY, case_id TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
  author TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE case_tasks (
  id TEXT PRIMARY KEY, case_id TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE, title TEXT NOT NULL,
  assignee TEXT NOT NULL, due_at INTEGER NOT NULL DEFAULT 0, done_at INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE case_evidence (
  id TEXT PRIMARY KEY, case_id TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE, name TEXT NOT NULL,
  sha256 TEXT NOT NULL, added_by TEXT NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL
);
CREATE TABLE watch_entries (
  list_id TEXT NOT NULL, value TEXT NOT NULL, note TEXT NOT NULL, added_by TEXT NOT NULL, expires_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (list_id, value)
);
CREATE INDEX watch_entries_value ON watch_entries (value);
CREATE TABLE hook_secrets (hook_id TEXT PRIMARY KEY, secret TEXT NOT NULL);
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY, hook_id TEXT NOT NULL, ok INTEGER NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE INDEX deliveries_hook ON deliveries (hook_id, at);
CREATE TABLE approvals (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, playbook_id TEXT NOT NULL, alert_id TEXT NOT NULL, step TEXT NOT NULL,
  status TEXT NOT NULL, decided_by TEXT NOT NULL DEFAULT '', requested_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
);
CREATE INDEX approvals_pending ON approvals (tenant, status);
INSERT INTO retention (kind, days) VALUES ('deliveries', 14);
