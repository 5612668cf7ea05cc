package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestSubscribersAreTold(t *testing.T) {
	told := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- string(body)
	}))
	defer server.Close()
	in := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.0/8")
	var now, later, sent object
	in.do("POST", "/api/v1/subscriptions", object{"name": "now", "channel": "webhook", "target": server.URL, "enabled": true}, http.StatusCreated, &now)
	in.do("POST", "/api/v1/subscriptions", object{"name": "later", "channel": "webhook", "target": server.URL, "enabled": true, "digest_minutes": 60}, http.StatusCreated, &later)
	in.do("POST", fmt.Sprintf("/api/v1/subscriptions/%s/test", now["id"]), nil, http.StatusNoContent, nil)
	if text := <-told; !strings.Contains(text, "will reach you") {
		t.Errorf("test: %s", text)
	}
	in.alert()
	select {
	case text := <-told:
		if !strings.Contains(text, "failed login on web1") {
			t.Errorf("told: %s", text)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("nobody was told")
	}
	path := fmt.Sprintf("/api/v1/subscriptions/%s", later["id"])
	var queued []object
	in.do("GET", path+"/messages", nil, http.StatusOK, &queued)
	in.do("POST", path+"/flush", nil, http.StatusOK, &sent)
	in.do("GET", path+"/messages", nil, http.StatusOK, &queued)
	if sent["sent"] != 1.0 || len(queued) != 0 || !strings.Contains(<-told, "1 alerts") {
		t.Errorf("sent %v, still queued %v", sent, queued)
	}
}

func TestHuntRaisesAnAlert(t *testing.T) {
	in := serve(t, t.TempDir())
	in.do("POST", "/api/v1/events", []object{{"kind": "dns", "host": "web1"}, {"kind": "dns", "host": "web1"}, {"kind": "http", "host": "web2"}}, http.StatusAccepted, nil)
	var hunt, result object
	in.do("POST", "/api/v1/hunts", object{"name": "dns", "query": object{"kind": "dns"}, "every_minutes": 5, "window_minutes": 10, "threshold": 2, "severity": 2},
		http.StatusCreated, &hunt)
	path := fmt.Sprintf("/api/v1/hunts/%s", hunt["id"])
	in.do("POST", path+"/run", nil, http.StatusOK, &result)
	var alerts, results, days []object
	in.do("GET", "/api/v1/alerts", nil, http.StatusOK, &alerts)
	in.do("GET", path+"/results", nil, http.StatusOK, &results)
	in.do("GET", path+"/days", nil, http.StatusOK, &days)
	if result["found"] != 2.0 || len(alerts) != 1 || alerts[0]["id"] != result["alert_id"] || len(results) != 1 || len(days) != 1 {
		t.Fatalf("result %v, alerts %v, results %v, days %v", result, alerts, results, days)
	}
}

func TestReportsInEveryForm(t *testing.T) {
	in := serve(t, t.TempDir())
	in.alert()
	in.do("POST", "/api/v1/cases", object{"title": "<b>break-in</b>", "severity": 3}, http.StatusCreated, nil)
	for format, want := range map[string]string{"csv": "web1,1,0", "json": "break-in", "html": "&lt;b&gt;break-in"} {
		var plan, made object
		in.do("POST", "/api/v1/reports", object{"name": format, "format": format, "days": 7, "sections": []string{"volume", "hosts", "alerts", "cases", "usage"}}, http.StatusCreated, &plan)
		path := fmt.Sprintf("/api/v1/reports/%s", plan["id"])
		in.do("POST", path+"/make", object{}, http.StatusCreated, &made)
		_, content := in.send("GET", fmt.Sprintf("%s/made/%s", path, made["id"]), "", nil)
		if made["status"] != "done" || !strings.Contains(content, want) {
			t.Errorf("%s: %v\n%s", format, made, content)
		}
		in.do("POST", fmt.Sprintf("%s/made/%s/mail", path, made["id"]), nil, http.StatusBadGateway, nil)
		in.do("POST", path+"/make", object{"wait": false}, http.StatusAccepted, nil)
		var all []object
		for deadline := time.Now().Add(5 * time.Second); len(all) < 2 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			in.do("GET", path+"/made", nil, http.StatusOK, &all)
		}
		if len(all) != 2 {
			t.Errorf("%s: %d reports", format, len(all))
		}
	}
}
