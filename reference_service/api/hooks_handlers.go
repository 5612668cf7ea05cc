package api

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"example.org/siem/core"
)

// deliver takes what another system sends to a hook. Who knows the hook's secret
// signs the body with it; a delivery that came in already is answered and left alone.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request) error {
	body, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	hook, err := s.Hooks.HookByID(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if !hook.Enabled || !signed(hook, body, r.Header.Get("X-Siem-Signature")) {
		return core.Errorf(core.CodeUnauthorized, "the signature is not that of this hook")
	}
	id := cmp.Or(r.Header.Get("X-Delivery-ID"), core.NewID("delivery"))
	if seen, err := s.Hooks.SeenBefore(hook.ID, id); err != nil || seen {
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, map[string]string{"status": "known"})
	}
	detail, err := s.take(hook, body)
	delivery := &core.Delivery{ID: id, HookID: hook.ID, OK: err == nil, Detail: detail}
	if err != nil {
		delivery.Detail = core.ErrorMessage(err)
	}
	s.recordDelivery(delivery)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusAccepted, map[string]string{"status": "taken", "detail": detail})
}

func signed(hook *core.Hook, body []byte, signature string) bool {
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	mac := hmac.New(sha256.New, []byte(hook.Secret))
	mac.Write(body)
	return err == nil && hook.Secret != "" && hmac.Equal(given, mac.Sum(nil))
}

// take makes an event or an alert of a delivery.
func (s *Server) take(hook *core.Hook, body []byte) (string, error) {
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		return "", core.Errorf(core.CodeInvalid, "the body is not a JSON object: %v", err)
	}
	field := func(name string) string {
		value, ok := lookupPath(doc, hook.Mapping[name])
		if !ok {
			return ""
		}
		return fmt.Sprint(value)
	}
	if hook.Kind == "alert" {
		return s.takeAlert(hook, field)
	}
	e := &core.Event{ID: core.NewID("event"), Tenant: hook.Tenant, At: time.Now().UTC(), Kind: field("kind"), Severity: hook.Severity,
		Host: field("host"), User: field("user"), Source: field("source"), Dest: field("dest"), Message: field("message")}
	if e.Kind == "" {
		return "", core.Errorf(core.CodeInvalid, "there is nothing at %q", hook.Mapping["kind"])
	}
	if err := s.charge(hook.Tenant, 1); err != nil {
		return "", err
	}
	if err := s.Events.InsertEvents(context.Background(), []*core.Event{e}); err != nil {
		return "", err
	}
	return e.ID, s.Detector.Submit(context.Background(), []*core.Event{e})
}

func (s *Server) takeAlert(hook *core.Hook, field func(string) string) (string, error) {
	now := time.Now().UTC()
	a := &core.Alert{Tenant: hook.Tenant, RuleID: hook.ID, Title: cmp.Or(field("title"), hook.Name), Severity: hook.Severity,
		DedupKey: hook.ID + "/" + field("key"), FirstSeen: now, LastSeen: now}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := s.Alerts.RaiseAlert(ctx, a); err != nil {
		return "", err
	}
	s.notify(a.ID, a.Tenant, "raised", "hook:"+hook.Name)
	return a.ID, nil
}

// lookupPath finds what a path like "alert.host" names in a document.
func lookupPath(doc map[string]any, path string) (any, bool) {
	if path == "" {
		return nil, false
	}
	var at any = doc
	for name := range strings.SplitSeq(path, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = object[name]; !ok {
			return nil, false
		}
	}
	return at, true
}

// recordDelivery notes how a delivery went, after the sender was answered.
func (s *Server) recordDelivery(d *core.Delivery) {
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Hooks.RecordDelivery(ctx, d); err != nil {
			s.log.Warn("delivery was not recorded", "hook", d.HookID, "error", err)
		}
	})
}

// newHookSecret gives a hook a secret, and shows it this once.
func (s *Server) newHookSecret(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.Hooks.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	secret, _ := newSecret()
	if err := s.Hooks.SetSecret(hook.ID, secret); err != nil {
		return err
	}
	s.record(r, "hook.secret", hook.ID, hook.Name)
	return writeJSON(w, http.StatusOK, map[string]string{"secret": secret})
}

func (s *Server) listDeliveries(w http.ResponseWriter, r *http.Request) error {
	hook, err := s.Hooks.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	limit, err := limit(r, 100)
	if err != nil {
		return err
	}
	deliveries, err := s.Hooks.Deliveries(context.Background(), hook.ID, limit)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, deliveries)
}
