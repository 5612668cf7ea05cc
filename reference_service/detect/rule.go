// Package detect finds what is wrong in events, and carries out what is to be
// done about it.
package detect

import (
	"regexp"
	"strings"

	"example.org/siem/core"
)

// matcher is one condition, ready to be applied.
type matcher struct {
	field  string
	negate bool
	tests  []func(string) bool
}

func (m matcher) matches(e *core.Event) bool {
	value := e.Field(m.field)
	for _, test := range m.tests {
		if test(value) {
			return !m.negate
		}
	}
	return m.negate
}

// compiled is a rule whose expressions were compiled once.
type compiled struct {
	rule     *core.Rule
	matchers []matcher
}

func compile(rule *core.Rule) (*compiled, error) {
	c := &compiled{rule: rule}
	for _, condition := range rule.Conditions {
		m := matcher{field: condition.Field, negate: condition.Negate}
		for _, value := range condition.Values {
			test, err := operator(condition.Op, value)
			if err != nil {
				return nil, core.Errorf(core.CodeInvalid, "rule %s: %v", rule.ID, err)
			}
			m.tests = append(m.tests, test)
		}
		c.matchers = append(c.matchers, m)
	}
	return c, nil
}

func operator(op, value string) (func(string) bool, error) {
	switch op {
	case core.OpContains:
		return func(s string) bool { return strings.Contains(s, value) }, nil
	case core.OpPrefix:
		return func(s string) bool { return strings.HasPrefix(s, value) }, nil
	case core.OpSuffix:
		return func(s string) bool { return strings.HasSuffix(s, value) }, nil
	case core.OpRegexp:
		re, err := regexp.Compile(value)
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	}
	return func(s string) bool { return s == value }, nil
}

func (c *compiled) matches(e *core.Event) bool {
	for _, m := range c.matchers {
		if !m.matches(e) {
			return false
		}
	}
	return len(c.matchers) > 0
}

// rulesOf returns a tenant's rules, compiled.
func (e *Engine) rulesOf(tenant string) ([]*compiled, error) {
	stored, err := e.Rules.ListRules(core.RuleFilter{Tenant: tenant, Enabled: true})
	if err != nil {
		return nil, err
	}
	rules := make([]*compiled, 0, len(stored))
	for _, rule := range stored {
		if c := e.compiled(rule); c != nil {
			rules = append(rules, c)
		}
	}
	return rules, nil
}

// compiled compiles a rule the first time it is seen as it is now; one that
// can't be compiled is left out.
func (e *Engine) compiled(rule *core.Rule) *compiled {
	e.mu.RLock()
	c, ok := e.rules[rule.ID]
	e.mu.RUnlock()
	if ok && c.rule.Version == rule.Version && c.rule.UpdatedAt.Equal(rule.UpdatedAt) {
		return c
	}
	c, err := compile(rule)
	if err != nil {
		e.log.Error("rule is left out", "error", err)
		return nil
	}
	e.mu.Lock()
	e.rules[rule.ID] = c
	e.mu.Unlock()
	return c
}

// Reload forgets rules that are no more.
func (e *Engine) Reload() error {
	stored, err := e.Rules.ListRules(core.RuleFilter{})
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(stored))
	for _, rule := range stored {
		known[rule.ID] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range e.rules {
		if !known[id] {
			delete(e.rules, id)
		}
	}
	return nil
}
