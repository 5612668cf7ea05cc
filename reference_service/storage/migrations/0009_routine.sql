CREATE TABLE messages (
  id TEXT PRIMARY KEY, subscription_id TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX messages_subscription ON messages (subscription_id, at);
CREATE TABLE hunt_results (
  id TEXT PRIMARY KEY, hunt_id TEXT NOT NULL, found INTEGER NOT NULL, before INTEGER NOT NULL, hosts TEXT NOT NULL,
  alert_id TEXT NOT NULL, at INTEGER NOT NULL, millis INTEGER NOT NULL
);
CREATE INDEX hunt_results_hunt ON hunt_results (hunt_id, at);
CREATE TABLE reports (
  id TEXT PRIMARY KEY, plan_id TEXT NOT NULL, status TEXT NOT NULL, format TEXT NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL DEFAULT x''
);
CREATE INDEX reports_plan ON reports (plan_id, at);
INSERT INTO retention (kind, days) VALUES ('messages', 7), ('hunt_results', 90), ('reports', 365);
