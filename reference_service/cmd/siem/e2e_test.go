package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestEventsBecomeAlerts(t *testing.T) {
	in := serve(t, t.TempDir())
	in.do("POST", "/api/v1/rules", rule("failed login"), http.StatusCreated, nil)
	in.do("POST", "/api/v1/correlations", object{"name": "scan", "enabled": true, "kind": "connect", "group_by": "source", "threshold": 3, "seconds": 60},
		http.StatusCreated, nil)
	in.do("POST", "/api/v1/events", []object{
		{"kind": "login_failed", "host": "web1"}, {"kind": "login_failed", "host": "web1"},
		{"kind": "connect", "source": "10.0.0.9"}, {"kind": "connect", "source": "10.0.0.9"}, {"kind": "connect", "source": "10.0.0.9"},
	}, http.StatusAccepted, nil)
	in.settle()
	var alerts []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
		Count int    `json:"count"`
	}
	in.do("GET", "/api/v1/alerts", nil, http.StatusOK, &alerts)
	counts := map[string]int{}
	for _, a := range alerts {
		counts[a.Title] = a.Count
	}
	if len(alerts) != 2 || counts["failed login on web1"] != 2 || counts["scan: 3 times connect for 10.0.0.9"] != 1 {
		t.Fatalf("alerts: %+v", alerts)
	}
	path := "/api/v1/alerts/" + alerts[0].ID
	in.do("POST", path+"/comments", object{"text": "on it"}, http.StatusCreated, nil)
	in.do("POST", path+"/status", object{"status": "acknowledged"}, http.StatusOK, nil)
	in.do("POST", path+"/status", object{"status": "acknowledged"}, http.StatusConflict, nil)
	var detail struct {
		Comments []object `json:"comments"`
		History  []object `json:"history"`
		Events   []object `json:"events"`
	}
	in.do("GET", path, nil, http.StatusOK, &detail)
	if len(detail.Comments) != 1 || len(detail.History) != 1 || len(detail.Events) != 1 {
		t.Fatalf("detail: %+v", detail)
	}
}

func TestPlaybookMovesAlertAndRecordsSteps(t *testing.T) {
	in := serve(t, t.TempDir())
	in.do("POST", "/api/v1/rules", rule("failed login"), http.StatusCreated, nil)
	in.do("POST", "/api/v1/events", object{"kind": "login_failed", "host": "web1"}, http.StatusAccepted, nil)
	in.settle()
	var alerts []object
	in.do("GET", "/api/v1/alerts", nil, http.StatusOK, &alerts)
	var playbook object
	in.do("POST", "/api/v1/playbooks", object{"name": "triage", "steps": []object{
		{"name": "take", "assign": "admin"}, {"name": "note", "status": "acknowledged"}, {"name": "close", "status": "dismissed"}, {"name": "again", "status": "acknowledged"},
	}}, http.StatusCreated, &playbook)
	path := fmt.Sprintf("/api/v1/playbooks/%s/run", playbook["id"])
	var run struct {
		Status string   `json:"status"`
		Steps  []object `json:"steps"`
	}
	in.do("POST", path, object{"alert_id": alerts[0]["id"]}, http.StatusOK, &run)
	if run.Status != "failed" || len(run.Steps) != 4 || run.Steps[2]["ok"] != true || run.Steps[3]["ok"] != false {
		t.Fatalf("run: %+v", run)
	}
	var runs []object
	in.do("GET", path+"s", nil, http.StatusOK, &runs)
	if len(runs) != 1 || runs[0]["status"] != "failed" {
		t.Fatalf("runs: %+v", runs)
	}
}

func TestRefreshTokenWorksOnce(t *testing.T) {
	in := serve(t, t.TempDir())
	in.token = ""
	var first, second struct {
		RefreshToken string `json:"refresh_token"`
		AccessToken  string `json:"access_token"`
	}
	in.do("POST", "/api/v1/auth/login", object{"username": "admin", "password": password}, http.StatusOK, &first)
	in.do("POST", "/api/v1/auth/refresh", object{"refresh_token": first.RefreshToken}, http.StatusOK, &second)
	in.token = second.AccessToken
	in.do("GET", "/api/v1/auth/me", nil, http.StatusOK, nil)
	in.do("POST", "/api/v1/auth/refresh", object{"refresh_token": first.RefreshToken}, http.StatusUnauthorized, nil)
	in.do("GET", "/api/v1/auth/me", nil, http.StatusUnauthorized, nil) // a token used twice ends the session
}

func TestPermissionsAndErrors(t *testing.T) {
	in := serve(t, t.TempDir(), "SIEM_MAX_BODY=4096")
	in.do("POST", "/api/v1/users", object{"username": "ann", "password": "a-long-password", "roles": []string{"analyst"}}, http.StatusCreated, nil)
	in.do("POST", "/api/v1/users", object{"username": "ann", "password": "a-long-password"}, http.StatusConflict, nil)
	in.do("POST", "/api/v1/users", object{"username": "bob", "password": "short"}, http.StatusBadRequest, nil)
	in.do("POST", "/api/v1/events", object{"kind": strings.Repeat("x", 5000)}, http.StatusRequestEntityTooLarge, nil)
	in.do("GET", "/api/v1/alerts/none", nil, http.StatusNotFound, nil)
	in.token = in.login("ann", "a-long-password")
	in.do("GET", "/api/v1/alerts", nil, http.StatusOK, nil)
	in.do("GET", "/api/v1/users", nil, http.StatusForbidden, nil)
	in.token = "nonsense"
	var answer object
	in.do("GET", "/api/v1/alerts", nil, http.StatusUnauthorized, &answer)
	if answer["error"] != "unauthorized" || answer["request_id"] == "" {
		t.Fatalf("answer: %v", answer)
	}
}

func TestKeysLetProgramsIn(t *testing.T) {
	in := serve(t, t.TempDir())
	admin := in.token
	var made struct {
		Key    object `json:"key"`
		Secret string `json:"secret"`
	}
	in.do("POST", "/api/v1/keys", object{"name": "collector", "permissions": []string{"events:write"}}, http.StatusCreated, &made)
	in.token = made.Secret
	in.do("POST", "/api/v1/events", object{"kind": "boot", "host": "web1"}, http.StatusAccepted, nil)
	in.do("GET", "/api/v1/events", nil, http.StatusForbidden, nil)
	in.token = admin
	in.do("DELETE", fmt.Sprintf("/api/v1/keys/%s", made.Key["id"]), nil, http.StatusNoContent, nil)
	in.settle()
	in.do("GET", "/api/v1/assets/web1", nil, http.StatusOK, nil)
	in.token = made.Secret
	in.do("POST", "/api/v1/events", object{"kind": "boot"}, http.StatusUnauthorized, nil)
}

func TestAnsweredWritesSurviveKill(t *testing.T) {
	dir := t.TempDir()
	in := serve(t, dir)
	for i := range 20 {
		in.do("POST", "/api/v1/rules", rule(fmt.Sprint("rule ", i)), http.StatusCreated, nil)
	}
	in.kill()
	again := serve(t, dir)
	var rules []object
	again.do("GET", "/api/v1/rules", nil, http.StatusOK, &rules)
	if len(rules) != 20 {
		t.Fatalf("%d of 20 rules are left", len(rules))
	}
	again.do("POST", "/api/v1/maintenance/check", nil, http.StatusOK, nil)
	var verified object
	again.do("POST", "/api/v1/audit/verify", nil, http.StatusOK, &verified)
	if verified["intact"] != true {
		t.Fatalf("audit log: %v", verified)
	}
}

func TestIdleServiceStopsAtOnce(t *testing.T) {
	in := serve(t, t.TempDir())
	if err, ended := in.terminate(5 * time.Second); !ended || err != nil {
		t.Fatalf("ended: %v, %v: %s", ended, err, in.errs.String())
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	said := func(args ...string) string {
		out, err := siem(t, t.TempDir(), args...).Output()
		if err != nil || !bytes.HasPrefix(out, []byte("usage: siem "+args[0])) && len(args) > 1 {
			t.Errorf("siem %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	listed := regexp.MustCompile(`(?m)^  (\w+)`).FindAllStringSubmatch(said("--help"), -1)
	if len(listed) < 18 {
		t.Errorf("commands: %v", listed)
	}
	for _, command := range listed {
		said(command[1], "--help")
	}
	if err := siem(t, t.TempDir(), "nonsense").Run(); err == nil || !strings.Contains(err.Error(), "exit status 2") {
		t.Errorf("an unknown command: %v", err)
	}
}

func TestArgumentsThatACommandDoesNotTakeAreWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"serve", "now"}, {"migrate", "down"}, {"check", "x"}, {"import"}, {"backup"}, {"nonsense"}, {"migrate", "-nonsense"}} {
		cmd := siem(t, t.TempDir(), args...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 2 || len(out) == 0 {
			t.Errorf("siem %v: %v: %s", args, err, out)
		}
	}
}

func TestOfflineCommands(t *testing.T) {
	dir := t.TempDir()
	events := filepath.Join(dir, "events.ndjson")
	if err := os.WriteFile(events, []byte("{\"kind\":\"boot\",\"at\":\"2020-01-01T00:00:00Z\"}\n{\"kind\":\"halt\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		stdin string
		args  []string
		want  string
	}{
		{"", []string{"migrate"}, "0001_identity.sql"},
		{"a-long-password\n", []string{"user", "ann", "analyst"}, "user_"},
		{"another-password\n", []string{"passwd", "ann"}, ""},
		{"", []string{"import", events}, "2 events"},
		{"", []string{"sweep"}, `"events":1`}, // the other has no time, and is new
		{"", []string{"backup", filepath.Join(dir, "copy.db")}, "bytes"},
		{"", []string{"check"}, "nothing is wrong"},
	}
	for _, step := range steps {
		cmd := siem(t, dir, step.args...)
		cmd.Stdin = strings.NewReader(step.stdin)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), step.want) {
			t.Fatalf("siem %v: %v: %s", step.args, err, out)
		}
	}
}

func TestEventsInClickHouseBecomeAlerts(t *testing.T) {
	addr := os.Getenv("SIEM_TEST_CLICKHOUSE")
	if addr == "" {
		t.Skip("SIEM_TEST_CLICKHOUSE names no server")
	}
	database := fmt.Sprintf("e2e_%d", time.Now().UnixNano())
	in := serve(t, t.TempDir(), "SIEM_CLICKHOUSE="+addr, "SIEM_CLICKHOUSE_DATABASE="+database)
	in.do("POST", "/api/v1/rules", rule("failed login"), http.StatusCreated, nil)
	in.do("POST", "/api/v1/events", []object{{"kind": "login_failed", "host": "web1"}, {"kind": "login", "host": "web1"}}, http.StatusAccepted, nil)
	in.settle()
	var found struct {
		Events []object `json:"events"`
		Total  int      `json:"total"`
	}
	in.do("GET", "/api/v1/events?host=web1", nil, http.StatusOK, &found)
	var matches, entries []object
	in.do("POST", "/api/v1/events/sequences", object{"steps": []string{"login_failed", "login"}, "within": "1h"}, http.StatusOK, &matches)
	var summary struct {
		ByStatus map[string]int `json:"by_status"`
	}
	in.do("GET", "/api/v1/alerts/summary", nil, http.StatusOK, &summary)
	in.do("GET", "/api/v1/audit", nil, http.StatusOK, &entries)
	if found.Total != 2 || len(found.Events) != 2 || summary.ByStatus["open"] != 1 || len(entries) == 0 {
		t.Fatalf("found %+v, summary %+v, %d audit entries", found, summary, len(entries))
	}
	if err, ended := in.terminate(5 * time.Second); !ended || err != nil {
		t.Fatalf("end: %v, %v", ended, err)
	}
}

func TestSettingsThatMakeNoSenseAreNamed(t *testing.T) {
	dir := t.TempDir()
	for setting, value := range map[string]string{
		"SIEM_SIGNING_KEY": "short secret", "SIEM_ADMIN_PASSWORD": "short", "SIEM_READERS": "none", "SIEM_ACCESS_TTL": "soon", "SIEM_LOG": "loud",
		"SIEM_OUTBOUND_ALLOW": "10.0.0.1", "SIEM_ACTION_TIMEOUTS": "webhook=1s,fax=1s",
	} {
		cmd := siem(t, dir, "serve")
		cmd.Env = append(cmd.Env, setting+"="+value)
		said, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 2 || !bytes.Contains(said, []byte(setting)) || bytes.Contains(said, []byte("secret")) {
			t.Errorf("%s=%s: %v: %s", setting, value, err, said)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "siem.db")); err == nil {
		t.Error("a database was made all the same")
	}
}

func TestSecretsAreMadeForTheirOwnerAlone(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	made := map[string]bool{}
	for _, dir := range dirs {
		cmd := siem(t, dir, "serve")
		cmd.Env = append(cmd.Env, "SIEM_ADMIN_PASSWORD=", "SIEM_SIGNING_KEY=")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Read(make([]byte, 1))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for _, name := range []string{"signing.key", "admin.password"} {
			path := filepath.Join(dir, name)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			secret, err := os.ReadFile(path)
			if err != nil || info.Mode().Perm() != 0o600 || len(bytes.TrimSpace(secret)) < 32 || made[string(secret)] {
				t.Errorf("%s: mode %v, %d bytes, again %v: %v", name, info.Mode(), len(secret), made[string(secret)], err)
			}
			made[string(secret)] = true
		}
	}
}
