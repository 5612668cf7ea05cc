CREATE TABLE users (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, username TEXT NOT NULL, display_name TEXT NOT NULL,
  email TEXT NOT NULL, password_hash BLOB NOT NULL, disabled INTEGER NOT NULL DEFAULT 0,
  failed_logins INTEGER NOT NULL DEFAULT 0, locked_until INTEGER NOT NULL DEFAULT 0,
  last_login INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  UNIQUE (tenant, username)
);
CREATE TABLE roles (
  name TEXT PRIMARY KEY, description TEXT NOT NULL, permissions TEXT NOT NULL, builtin INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE user_roles (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
  PRIMARY KEY (user_id, role)
);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  refresh_hash BLOB NOT NULL, user_agent TEXT NOT NULL, remote_addr TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE TABLE audit_log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, tenant TEXT NOT NULL, actor TEXT NOT NULL,
  request_id TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL
);
INSERT INTO roles (name, description, permissions, builtin) VALUES
  ('admin', 'may do everything', '["*"]', 1),
  ('analyst', 'works on alerts', '["events:read","alerts:write"]', 1),
  ('engineer', 'writes detections and responses', '["events:read","alerts:write","detection:write","response:write"]', 1),
  ('collector', 'sends events', '["events:write"]', 1);
