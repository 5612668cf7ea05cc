CREATE TABLE events (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL,
  host TEXT NOT NULL, user TEXT NOT NULL, source TEXT NOT NULL, dest TEXT NOT NULL, message TEXT NOT NULL, fields TEXT NOT NULL
);
CREATE INDEX events_at ON events (tenant, at);
CREATE INDEX events_kind ON events (tenant, kind, host, at);
CREATE INDEX events_flow ON events (tenant, source, at);
CREATE TABLE rules (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, severity INTEGER NOT NULL, enabled INTEGER NOT NULL,
  version INTEGER NOT NULL, conditions TEXT NOT NULL, tags TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  UNIQUE (tenant, name)
);
CREATE TABLE rule_versions (
  rule_id TEXT NOT NULL, version INTEGER NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (rule_id, version)
);
CREATE TABLE alerts (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, rule_id TEXT NOT NULL, dedup_key TEXT NOT NULL, title TEXT NOT NULL,
  severity INTEGER NOT NULL, status TEXT NOT NULL, assignee TEXT NOT NULL, count INTEGER NOT NULL, event_ids TEXT NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX alerts_open ON alerts (tenant, dedup_key) WHERE status IN ('open', 'acknowledged');
CREATE INDEX alerts_seen ON alerts (tenant, last_seen);
CREATE TABLE alert_comments (
  id TEXT PRIMARY KEY, alert_id TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
  author TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE alert_history (
  alert_id TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
  "from" TEXT NOT NULL, "to" TEXT NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE counters (
  correlation_id TEXT NOT NULL, grp TEXT NOT NULL, count INTEGER NOT NULL, since INTEGER NOT NULL, expires INTEGER NOT NULL,
  PRIMARY KEY (correlation_id, grp)
);
