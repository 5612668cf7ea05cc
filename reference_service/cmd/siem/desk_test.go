package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// alert makes the service raise an alert, and returns its id.
func (in *instance) alert() string {
	in.t.Helper()
	in.do("POST", "/api/v1/rules", rule("failed login"), http.StatusCreated, nil)
	in.do("POST", "/api/v1/events", object{"kind": "login_failed", "host": "web1"}, http.StatusAccepted, nil)
	in.settle()
	var alerts []object
	in.do("GET", "/api/v1/alerts", nil, http.StatusOK, &alerts)
	return alerts[0]["id"].(string)
}

// send sends a body as it is, and returns the status and the answer.
func (in *instance) send(method, path, body string, header http.Header) (int, string) {
	in.t.Helper()
	req := in.request(in.t.Context(), method, path, nil)
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		in.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func TestCaseFromAlertToResolution(t *testing.T) {
	in := serve(t, t.TempDir())
	id := in.alert()
	var first, second object
	in.do("POST", "/api/v1/cases", object{"title": "break-in", "severity": 3, "alert_ids": []string{id}}, http.StatusCreated, &first)
	in.do("POST", "/api/v1/cases", object{"title": "the same", "severity": 1}, http.StatusCreated, &second)
	in.do("POST", "/api/v1/cases", object{"title": "", "severity": 1}, http.StatusBadRequest, nil)
	path := fmt.Sprintf("/api/v1/cases/%s", first["id"])
	in.do("POST", fmt.Sprintf("/api/v1/cases/%s/notes", second["id"]), object{"text": "seen before"}, http.StatusCreated, nil)
	in.do("POST", path+"/merge", object{"from": second["id"]}, http.StatusNoContent, nil)
	in.do("PATCH", path, object{"status": "contained", "owner": "bob"}, http.StatusOK, nil)
	var task object
	in.do("POST", path+"/tasks", object{"title": "ask bob"}, http.StatusCreated, &task)
	in.do("POST", path+"/close", object{"resolution": "it was bob"}, http.StatusConflict, nil)
	in.do("POST", fmt.Sprintf("%s/tasks/%s/done", path, task["id"]), nil, http.StatusNoContent, nil)
	if status, answer := in.send("POST", path+"/evidence?name=memory.img", "bytes", nil); status != http.StatusCreated {
		t.Fatalf("evidence: %d %s", status, answer)
	}
	var file struct {
		Case     object
		Notes    []object
		Evidence []object
		Alerts   []object
	}
	in.do("GET", path, nil, http.StatusOK, &file)
	if len(file.Notes) != 1 || len(file.Evidence) != 1 || len(file.Alerts) != 1 || file.Case["owner"] != "bob" {
		t.Fatalf("file: %+v", file)
	}
	if status, content := in.send("GET", fmt.Sprintf("%s/evidence/%s", path, file.Evidence[0]["id"]), "", nil); status != http.StatusOK || content != "bytes" {
		t.Fatalf("evidence came back as %d %q", status, content)
	}
	var line []object
	in.do("GET", path+"/timeline", nil, http.StatusOK, &line)
	in.do("POST", path+"/close", object{"resolution": "it was bob"}, http.StatusNoContent, nil)
	var detail struct{ Alert object }
	in.do("GET", "/api/v1/alerts/"+id, nil, http.StatusOK, &detail)
	if len(line) != 4 || detail.Alert["status"] != "resolved" {
		t.Fatalf("timeline %v, alert %v", line, detail.Alert)
	}
}

func TestWatchlistsAndDashboards(t *testing.T) {
	in := serve(t, t.TempDir())
	var list, board object
	in.do("POST", "/api/v1/watchlists", object{"name": "leavers", "field": "user", "raise": 1, "enabled": true}, http.StatusCreated, &list)
	path := fmt.Sprintf("/api/v1/watchlists/%s", list["id"])
	in.do("POST", path+"/entries", []object{{"value": "Bob"}, {"value": "eve"}}, http.StatusOK, nil)
	in.do("DELETE", path+"/entries/eve", nil, http.StatusNoContent, nil)
	in.do("DELETE", path+"/entries/eve", nil, http.StatusNotFound, nil)
	if _, lines := in.send("GET", path+"/export", "", nil); lines != "bob\n" {
		t.Fatalf("exported %q", lines)
	}
	in.alert()
	in.do("POST", "/api/v1/dashboards", object{"name": "mine", "widgets": []object{
		{"kind": "count", "hours": 1}, {"kind": "top", "field": "host", "hours": 1}, {"kind": "alerts", "hours": 1}, {"kind": "latest", "hours": 1},
	}}, http.StatusCreated, &board)
	var drawn struct{ Data []any }
	in.do("GET", fmt.Sprintf("/api/v1/dashboards/%s/data", board["id"]), nil, http.StatusOK, &drawn)
	if len(drawn.Data) != 4 || drawn.Data[0] != 1.0 {
		t.Fatalf("drawn: %v", drawn.Data)
	}
}

func TestHooksTakeWhatIsSigned(t *testing.T) {
	in := serve(t, t.TempDir())
	var hook, answer object
	in.do("POST", "/api/v1/hooks", object{"name": "edr", "kind": "event", "enabled": true, "severity": 2,
		"mapping": object{"kind": "type", "host": "agent.name"}}, http.StatusCreated, &hook)
	path := fmt.Sprintf("/api/v1/hooks/%s", hook["id"])
	in.do("POST", path+"/secret", nil, http.StatusOK, &answer)
	body := `{"type":"malware","agent":{"name":"laptop7"}}`
	mac := hmac.New(sha256.New, []byte(answer["secret"].(string)))
	mac.Write([]byte(body))
	header := http.Header{"X-Siem-Signature": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}, "X-Delivery-Id": {"d1"}}
	for want, body := range map[int]string{http.StatusAccepted: body, http.StatusUnauthorized: body + " "} {
		if status, answer := in.send("POST", path+"/deliver", body, header); status != want {
			t.Fatalf("%s: %d, want %d: %s", body, status, want, answer)
		}
	}
	var events struct{ Total int }
	in.do("GET", "/api/v1/events?host=laptop7&kind=malware", nil, http.StatusOK, &events)
	if events.Total != 1 {
		t.Fatalf("%d events", events.Total)
	}
	var deliveries []object
	for range 100 {
		if in.do("GET", path+"/deliveries", nil, http.StatusOK, &deliveries); len(deliveries) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if status, _ := in.send("POST", path+"/deliver", body, header); status != http.StatusOK || len(deliveries) != 1 {
		t.Fatalf("the second time: %d; deliveries: %v", status, deliveries)
	}
}

func TestPlaybookWaitsForApproval(t *testing.T) {
	in := serve(t, t.TempDir())
	id := in.alert()
	var playbook object
	in.do("POST", "/api/v1/playbooks", object{"name": "isolate", "steps": []object{{"name": "ask", "approval": "isolate web1?"}, {"name": "close", "status": "resolved"}}},
		http.StatusCreated, &playbook)
	path := fmt.Sprintf("/api/v1/playbooks/%s/run", playbook["id"])
	in.do("POST", path, object{"alert_id": id, "wait": false}, http.StatusAccepted, nil)
	var pending, runs []object
	for deadline := time.Now().Add(10 * time.Second); len(pending) == 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		in.do("GET", "/api/v1/approvals", nil, http.StatusOK, &pending)
	}
	if len(pending) != 1 {
		t.Fatalf("pending: %v", pending)
	}
	approval := fmt.Sprintf("/api/v1/approvals/%s", pending[0]["id"])
	in.do("POST", approval, object{"grant": true}, http.StatusNoContent, nil)
	in.do("POST", approval, object{"grant": false}, http.StatusNotFound, nil)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if in.do("GET", path+"s", nil, http.StatusOK, &runs); len(runs) == 1 && runs[0]["status"] == "done" {
			return
		}
	}
	t.Fatalf("runs: %v", runs)
}
