package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPacksAreComparedAndInstalled(t *testing.T) {
	content := object{"version": "1", "rules": []object{rule("one"), rule("two")}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".version") {
			_, _ = io.WriteString(w, content["version"].(string))
			return
		}
		_ = json.NewEncoder(w).Encode(content)
	}))
	defer server.Close()
	in := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.0/8")
	var pack object
	in.do("POST", "/api/v1/packs", object{"name": "base", "url": server.URL + "/base.json"}, http.StatusCreated, &pack)
	path := fmt.Sprintf("/api/v1/packs/%s", pack["id"])
	var change struct{ Added, Changed, Removed []string }
	in.do("GET", path+"/diff", nil, http.StatusOK, &change)
	in.do("POST", path+"/install", nil, http.StatusOK, &change)
	if len(change.Added) != 2 {
		t.Fatalf("first: %+v", change)
	}
	changed := rule("two")
	changed["severity"] = 4
	content = object{"version": "2", "rules": []object{changed, rule("three")}}
	var outdated map[string]string
	in.do("GET", "/api/v1/packs/outdated", nil, http.StatusOK, &outdated)
	in.do("POST", path+"/install", nil, http.StatusOK, &change)
	if fmt.Sprint(change) != "{[three] [two] [one]}" || outdated[pack["id"].(string)] != "2" {
		t.Fatalf("second: %+v, outdated %v", change, outdated)
	}
	var rules []object
	in.do("GET", "/api/v1/rules", nil, http.StatusOK, &rules)
	in.do("POST", path+"/uninstall", nil, http.StatusOK, nil)
	in.do("GET", path, nil, http.StatusNotFound, nil)
	if len(rules) != 2 {
		t.Fatalf("%d rules", len(rules))
	}
}

func TestSourcesArePulled(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("after") == "" {
			_, _ = io.WriteString(w, `{"events":[{"host":"web1"},{"kind":"login_failed","host":"web1"}],"next":"p2"}`)
			return
		}
		_, _ = io.WriteString(w, `{"events":[]}`)
	}))
	defer server.Close()
	in := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.0/8")
	in.do("POST", "/api/v1/rules", rule("failed login"), http.StatusCreated, nil)
	var source, pulled object
	in.do("POST", "/api/v1/sources", object{"name": "cloud", "kind": "cloud", "url": server.URL, "every_minutes": 5}, http.StatusCreated, &source)
	path := fmt.Sprintf("/api/v1/sources/%s", source["id"])
	for _, want := range []float64{2, 0} {
		if in.do("POST", path+"/pull", nil, http.StatusOK, &pulled); pulled["events"] != want {
			t.Fatalf("pulled %v, want %v", pulled, want)
		}
	}
	in.settle()
	var alerts []object
	in.do("GET", "/api/v1/alerts", nil, http.StatusOK, &alerts)
	in.do("GET", path, nil, http.StatusOK, &source)
	server.Close()
	in.do("POST", path+"/pull", nil, http.StatusBadGateway, nil)
	if len(alerts) != 1 || source["cursor"] != "p2" {
		t.Fatalf("alerts %v, source %v", alerts, source)
	}
}

func TestExportJobs(t *testing.T) {
	in := serve(t, t.TempDir())
	in.do("POST", "/api/v1/events", []object{{"kind": "dns", "host": "web1"}, {"kind": "http", "host": "web2"}}, http.StatusAccepted, nil)
	var job object
	in.do("POST", "/api/v1/exports", object{"format": "xml"}, http.StatusBadRequest, nil)
	in.do("POST", "/api/v1/exports", object{"format": "csv", "filter": object{"kind": "dns"}}, http.StatusAccepted, &job)
	path := fmt.Sprintf("/api/v1/exports/%s", job["id"])
	for deadline := time.Now().Add(5 * time.Second); job["status"] != "done" && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		in.do("GET", path, nil, http.StatusOK, &job)
	}
	_, content := in.send("GET", path+"/content", "", nil)
	if strings.Count(content, "\n") != 1 || !strings.Contains(content, ",dns,0,web1,") {
		t.Fatalf("job %v, content %q", job, content)
	}
	in.do("DELETE", path, nil, http.StatusNotFound, nil)
	var jobs []object
	if in.do("GET", "/api/v1/exports", nil, http.StatusOK, &jobs); len(jobs) != 1 {
		t.Fatalf("jobs: %v", jobs)
	}
}

func TestCopiesAreCheckedAndTakenElsewhere(t *testing.T) {
	var mu sync.Mutex
	taken := map[string][]byte{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPut {
			taken[r.URL.Path], _ = io.ReadAll(r.Body)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(taken[r.URL.Path])))
	}))
	defer server.Close()
	dir := t.TempDir()
	in := serve(t, dir, "SIEM_BACKUP_TARGET="+server.URL)
	in.do("POST", "/api/v1/maintenance/backup", nil, http.StatusCreated, nil)
	var copies []object
	in.do("GET", "/api/v1/maintenance/copies", nil, http.StatusOK, &copies)
	if len(copies) != 1 {
		t.Fatalf("copies: %v", copies)
	}
	path := fmt.Sprintf("/api/v1/maintenance/copies/%s", copies[0]["name"])
	var verdict, uploaded object
	in.do("POST", path+"/verify", nil, http.StatusOK, &verdict)
	in.do("POST", path+"/upload", nil, http.StatusOK, &uploaded)
	if verdict["ok"] != true || uploaded["bytes"] != copies[0]["bytes"] {
		t.Fatalf("verdict %v, uploaded %v", verdict, uploaded)
	}
	if err := os.WriteFile(filepath.Join(dir, copies[0]["name"].(string)), []byte("scratched"), 0o600); err != nil {
		t.Fatal(err)
	}
	if in.do("POST", path+"/verify", nil, http.StatusOK, &verdict); verdict["ok"] != false {
		t.Fatalf("a damaged copy: %v", verdict)
	}
	in.do("POST", "/api/v1/maintenance/copies/siem-none.db/verify", nil, http.StatusNotFound, nil)
	var parts map[string]string
	if in.do("GET", "/api/v1/diagnostics", nil, http.StatusOK, &parts); len(parts) != 4 || !strings.HasPrefix(parts["events"], "ok") {
		t.Fatalf("parts: %v", parts)
	}
}

func TestAssetsAreImported(t *testing.T) {
	in := serve(t, t.TempDir())
	in.alert()
	status, answer := in.send("POST", "/api/v1/assets/import", "web1,ann,4\nweb9,bob,1\n", nil)
	if status != http.StatusOK || !strings.Contains(answer, `"unknown":["web9"]`) {
		t.Fatalf("%d %s", status, answer)
	}
	if status, _ := in.send("POST", "/api/v1/assets/import", "web1,ann,high\n", nil); status != http.StatusBadRequest {
		t.Fatalf("a bad line: %d", status)
	}
	var facts map[string]string
	if in.do("GET", "/api/v1/about/host/web9", nil, http.StatusOK, &facts); facts["host_owner"] != "bob" {
		t.Fatalf("facts: %v", facts)
	}
}
