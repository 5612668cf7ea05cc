package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"

	"example.org/siem/core"
)

// RuleStore implements core.RuleStore.
type RuleStore struct {
	db *DB
	// onChange is told of every rule that was written.
	onChange func(tenant, id string) error
}

// NewRuleStore returns the rules in db.
func NewRuleStore(db *DB) *RuleStore {
	s := &RuleStore{db: db}
	s.onChange = s.snapshot
	return s
}

const ruleColumns = `SELECT id, tenant, name, severity, enabled, version, conditions, tags, created_at, updated_at FROM rules `

// CreateRule stores a rule under a new id, as version 1.
func (s *RuleStore) CreateRule(rule *core.Rule) error {
	if err := rule.Validate(); err != nil {
		return err
	}
	s.prepare(rule)
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(ctx, insertRule, ruleValues(rule)...)
	if err != nil {
		return translate(err, "rule")
	}
	return s.onChange(rule.Tenant, rule.ID)
}

// RuleByID returns one rule.
func (s *RuleStore) RuleByID(tenant, id string) (*core.Rule, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rule, err := scanRule(s.db.read.QueryRowContext(ctx, ruleColumns+`WHERE tenant = ? AND id = ?`, tenant, id).Scan)
	if err != nil {
		return nil, translate(err, "rule")
	}
	return rule, nil
}

// ListRules returns the rules a filter selects, by name.
func (s *RuleStore) ListRules(filter core.RuleFilter) ([]*core.Rule, error) {
	rows, err := s.db.read.Query(ruleColumns+`WHERE (tenant = ?1 OR ?1 = '') AND enabled >= ?2
		AND (?3 = '' OR EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?3)) ORDER BY name`, filter.Tenant, filter.Enabled, filter.Tag)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanRule)
}

// UpdateRule replaces a rule, if nobody else did since it was read, and writes
// the audit entry in the same transaction.
func (s *RuleStore) UpdateRule(ctx context.Context, rule *core.Rule) error {
	if err := rule.Validate(); err != nil {
		return err
	}
	txCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	tx, err := s.db.write.BeginTx(txCtx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	rule.UpdatedAt = s.db.now().UTC()
	var created int64
	row := tx.QueryRowContext(txCtx, `UPDATE rules SET name = ?, severity = ?, enabled = ?, conditions = ?, tags = ?, updated_at = ?, version = version + 1
		WHERE tenant = ? AND id = ? AND version = ? RETURNING created_at`, rule.Name, rule.Severity, rule.Enabled, encode(rule.Conditions),
		encode(rule.Tags), millis(rule.UpdatedAt), rule.Tenant, rule.ID, rule.Version)
	if err := translate(row.Scan(&created), "rule"); core.ErrorCode(err) == core.CodeNotFound {
		return core.Errorf(core.CodeConflict, "no rule %s with version %d", rule.ID, rule.Version)
	} else if err != nil {
		return err
	}
	rule.CreatedAt = instant(created)
	rule.Version++
	entry := &core.AuditEntry{Action: "rule.update", Target: rule.ID, Detail: fmt.Sprintf("version %d", rule.Version)}
	if err := appendAudit(txCtx, tx, s.db, entry); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return s.onChange(rule.Tenant, rule.ID)
}

// DeleteRule removes a rule; its alerts and its history stay.
func (s *RuleStore) DeleteRule(ctx context.Context, tenant, id string) error {
	return s.db.inTx(func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM rules WHERE tenant = ? AND id = ?`, tenant, id)
		if err := changed(res, err, "rule"); err != nil {
			return err
		}
		return appendAudit(ctx, tx, s.db, &core.AuditEntry{Action: "rule.delete", Target: id})
	})
}

// EnableRule switches a rule on or off.
func (s *RuleStore) EnableRule(tenant, id string, enabled bool) error {
	res, err := s.db.write.Exec(`UPDATE rules SET enabled = ?, updated_at = ? WHERE tenant = ? AND id = ?`, enabled, millis(s.db.now()), tenant, id)
	if err := changed(res, err, "rule"); err != nil {
		return err
	}
	return s.onChange(tenant, id)
}

// ImportRules stores new rules and leaves those alone whose names are taken. It
// stores all of them or none.
func (s *RuleStore) ImportRules(tenant string, rules []*core.Rule) (int, error) {
	ctx := context.Background()
	tx, err := s.db.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err := tx.Rollback(); err != nil && err != sql.ErrTxDone {
			slog.Warn("rollback of a rule import failed", "error", err)
		}
	}()
	imported := 0
	for i, rule := range rules {
		if err := rule.Validate(); err != nil {
			return 0, core.Errorf(core.CodeInvalid, "rule %d: %s", i, core.ErrorMessage(err))
		}
		rule.Tenant = tenant
		s.prepare(rule)
		res, err := tx.ExecContext(ctx, insertRule+` ON CONFLICT (tenant, name) DO NOTHING`, ruleValues(rule)...)
		if err != nil {
			return 0, translate(err, "rule")
		}
		if n, err := res.RowsAffected(); err == nil {
			imported += int(n)
		}
	}
	return imported, tx.Commit()
}

// RuleVersions returns a rule as it was, the latest first.
func (s *RuleStore) RuleVersions(tenant, id string) ([]*core.RuleVersion, error) {
	rows, err := s.db.read.QueryContext(context.Background(), `SELECT version, actor, at, body FROM rule_versions
		WHERE rule_id = ? AND json_extract(body, '$.tenant') = ? ORDER BY version DESC LIMIT 100`, id, tenant)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.RuleVersion, error) {
		var v core.RuleVersion
		var at int64
		var body []byte
		if err := scan(&v.Version, &v.Actor, &at, &body); err != nil {
			return nil, err
		}
		v.At = instant(at)
		return &v, json.Unmarshal(body, &v.Rule)
	})
}

// snapshot keeps a rule as it is now in its history.
func (s *RuleStore) snapshot(tenant, id string) error {
	rule, err := s.RuleByID(tenant, id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err = s.db.write.ExecContext(ctx, `INSERT OR REPLACE INTO rule_versions VALUES (?, ?, ?, ?, ?)`,
		id, rule.Version, core.ActorFrom(ctx), millis(s.db.now()), encode(rule))
	return err
}

func (s *RuleStore) prepare(rule *core.Rule) {
	rule.ID, rule.Version, rule.CreatedAt = core.NewID("rule"), 1, s.db.now().UTC()
	rule.UpdatedAt = rule.CreatedAt
}

const insertRule = `INSERT INTO rules (id, tenant, name, severity, enabled, version, conditions, tags, created_at, updated_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func ruleValues(r *core.Rule) []any {
	return []any{r.ID, r.Tenant, r.Name, r.Severity, r.Enabled, r.Version, encode(r.Conditions), encode(r.Tags), millis(r.CreatedAt), millis(r.UpdatedAt)}
}

func scanRule(scan func(...any) error) (*core.Rule, error) {
	var r core.Rule
	var conditions, tags []byte
	var created, updated int64
	err := scan(&r.ID, &r.Tenant, &r.Name, &r.Severity, &r.Enabled, &r.Version, &conditions, &tags, &created, &updated)
	if err != nil {
		return nil, err
	}
	r.CreatedAt, r.UpdatedAt = instant(created), instant(updated)
	if err := json.Unmarshal(conditions, &r.Conditions); err != nil {
		return nil, err
	}
	return &r, json.Unmarshal(tags, &r.Tags)
}
