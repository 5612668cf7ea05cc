package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIndicatorsOfPeople(t *testing.T) {
	in := serve(t, t.TempDir())
	in.do("POST", "/api/v1/indicators", []object{{"kind": "ip", "value": "203.0.113.9"}}, http.StatusOK, nil)
	in.do("POST", "/api/v1/events", object{"kind": "connect", "source": "203.0.113.9", "host": "web1"}, http.StatusAccepted, nil)
	in.settle()
	var alerts, seen []object
	in.do("GET", "/api/v1/alerts", nil, http.StatusOK, &alerts)
	in.do("GET", "/api/v1/indicators/203.0.113.9/sightings", nil, http.StatusOK, &seen)
	in.do("DELETE", "/api/v1/indicators/203.0.113.9", nil, http.StatusNoContent, nil)
	in.do("DELETE", "/api/v1/indicators/203.0.113.9", nil, http.StatusNotFound, nil)
	if len(alerts) != 1 || alerts[0]["title"] != "known ip 203.0.113.9" || len(seen) != 1 {
		t.Fatalf("alerts %v, seen %v", alerts, seen)
	}
}

func TestAlertsTogether(t *testing.T) {
	in := serve(t, t.TempDir())
	id := in.alert()
	in.do("POST", "/api/v1/events", object{"kind": "login_failed", "host": "web2"}, http.StatusAccepted, nil)
	in.settle()
	var similar []object
	in.do("GET", "/api/v1/alerts/"+id+"/similar", nil, http.StatusOK, &similar)
	in.do("POST", "/api/v1/alerts/assignee", object{"ids": []string{id, "none"}, "assignee": "admin"}, http.StatusOK, nil)
	in.do("POST", "/api/v1/alerts/"+id+"/feedback", object{"useful": true}, http.StatusNoContent, nil)
	in.do("POST", "/api/v1/alerts/score", nil, http.StatusNotFound, nil) // no model yet
	in.do("POST", "/api/v1/models/1/evaluate", nil, http.StatusNotFound, nil)
	var drift object
	in.do("GET", "/api/v1/models/drift", nil, http.StatusOK, &drift)
	var playbook, counts, done object
	in.do("POST", "/api/v1/playbooks", object{"name": "close", "steps": []object{{"name": "close", "status": "resolved"}, {"name": "call", "action_id": "none"}}}, http.StatusCreated, &playbook)
	path := fmt.Sprintf("/api/v1/playbooks/%s", playbook["id"])
	var steps, runs []object
	in.do("POST", path+"/rehearse", object{"alert_id": id}, http.StatusOK, &steps)
	in.do("POST", path+"/run-all", object{"status": "open"}, http.StatusOK, &done)
	in.do("GET", "/api/v1/runs/statistics", nil, http.StatusOK, &counts)
	in.do("GET", path+"/runs", nil, http.StatusOK, &runs)
	if len(similar) != 1 || drift["samples"] != 1.0 || steps[0]["ok"] != true || steps[1]["ok"] != false || done["done"] != 0.0 || counts["failed"] != 2.0 {
		t.Fatalf("similar %v, drift %v, steps %v, done %v, counts %v", similar, drift, steps, done, counts)
	}
	playbook["steps"] = []object{{"name": "close", "status": "resolved"}, {"name": "note", "comment": "done at last"}}
	in.do("PUT", path, playbook, http.StatusOK, nil)
	var resumed object
	in.do("POST", fmt.Sprintf("/api/v1/runs/%s/resume", runs[0]["id"]), nil, http.StatusOK, &resumed)
	if resumed["status"] != "done" || len(resumed["steps"].([]any)) != 1 {
		t.Fatalf("resumed: %v", resumed)
	}
}

func TestOfflineData(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		out, err := siem(t, dir, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("siem %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	in := serve(t, dir)
	in.alert()
	in.do("POST", "/api/v1/users", object{"username": "bob", "password": password, "roles": []string{"analyst"}}, http.StatusCreated, nil)
	in.do("POST", "/api/v1/hunts", object{"name": "all", "enabled": true, "every_minutes": 5, "window_minutes": 10, "threshold": 100}, http.StatusCreated, nil)
	var plan object
	in.do("POST", "/api/v1/reports", object{"name": "r", "format": "csv", "days": 1, "sections": []string{"hosts"}}, http.StatusCreated, &plan)
	in.kill()
	copied, file := filepath.Join(dir, "copy.db"), filepath.Join(dir, "out")
	run("backup", copied)
	if out := run("export", file); !strings.Contains(out, ": 1 events") {
		t.Error(out)
	}
	if out := run("hunt"); out != "all: 1 events, 0 before\n" {
		t.Error(out)
	}
	run("report", plan["id"].(string), file)
	if content, _ := os.ReadFile(file); !strings.Contains(string(content), "web1,1,0") {
		t.Errorf("report: %s", content)
	}
	run("tenant", "acme", "10")
	run("letters")
	run("disable", "bob")
	key := strings.TrimSpace(run("key", "collector", "events:read"))
	if !strings.HasPrefix(key, "siemkey_") || !strings.Contains(run("scaffold"), "package main") {
		t.Errorf("key %q", key)
	}
	run("restore", copied)
	in = serve(t, dir)
	in.token = in.login("bob", password) // the copy is from before
	in.token = key
	in.do("GET", "/api/v1/events", nil, http.StatusUnauthorized, nil)
}
