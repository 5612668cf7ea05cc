package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Whatever a request has others do elsewhere ends with it.
func TestPropagationDisconnectCancelsCallsElsewhere(t *testing.T) {
	for name, start := range map[string]func(in *instance, url string) (method, path string){
		"directory": func(in *instance, url string) (string, string) {
			return "POST", fmt.Sprintf("/api/v1/directories/%s/sync", in.made("directories", object{"url": url, "roles": object{"soc": "analyst"}}))
		},
		"source": func(in *instance, url string) (string, string) {
			return "POST", fmt.Sprintf("/api/v1/sources/%s/pull", in.made("sources", object{"url": url, "kind": "x", "every_minutes": 60}))
		},
		"pack": func(in *instance, url string) (string, string) {
			return "GET", fmt.Sprintf("/api/v1/packs/%s/diff", in.made("packs", object{"url": url}))
		},
		"ticket": func(in *instance, url string) (string, string) {
			return "POST", fmt.Sprintf("/api/v1/actions/%s/test", in.made("actions", object{"kind": "ticket", "target": url}))
		},
		"subscription": func(in *instance, url string) (string, string) {
			return "POST", fmt.Sprintf("/api/v1/subscriptions/%s/test", in.made("subscriptions", object{"channel": "webhook", "target": url}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, stalled := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.0/8"), newStalled(t)
			method, path := start(in, stalled.url)
			stalled.expectCancelled(in.abandon(method, path, nil))
		})
	}
}

func TestPropagationDisconnectCancelsUpload(t *testing.T) {
	t.Parallel()
	stalled := newStalled(t)
	in := serve(t, t.TempDir(), "SIEM_BACKUP_TARGET="+stalled.url)
	var copied object
	in.do("POST", "/api/v1/maintenance/backup", nil, http.StatusCreated, &copied)
	stalled.expectCancelled(in.abandon("POST", fmt.Sprintf("/api/v1/maintenance/copies/%s/upload", copied["file"]), nil))
}

func TestPropagationDisconnectEndsRetries(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	in := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.0/8")
	id := in.made("actions", object{"kind": "webhook", "target": server.URL, "retries": 3})
	disconnect := in.abandon("POST", fmt.Sprintf("/api/v1/actions/%s/test", id), nil)
	for deadline := time.Now().Add(5 * time.Second); calls.Load() == 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	disconnect()
	time.Sleep(prompt)
	if n := calls.Load(); n != 1 {
		t.Fatalf("%d calls: an action is tried again for a client that has gone", n)
	}
}

func TestPropagationDisconnectCancelsMail(t *testing.T) {
	t.Parallel()
	addr, reached, closed := stalledMail(t)
	in := serve(t, t.TempDir(), "SIEM_SMTP="+addr)
	id := in.made("subscriptions", object{"channel": "email", "target": "ann@acme.example"})
	disconnect := in.abandon("POST", fmt.Sprintf("/api/v1/subscriptions/%s/test", id), nil)
	select {
	case <-reached:
	case <-time.After(5 * time.Second):
		t.Fatal("no mail was begun")
	}
	disconnect()
	select {
	case <-closed:
	case <-time.After(prompt):
		t.Fatalf("the mail server is still waited for %s after the client disconnected", prompt)
	}
}

func TestPropagationDeadlineEndsWaitForApproval(t *testing.T) {
	t.Parallel()
	in := serve(t, t.TempDir())
	alert := in.alert()
	id := in.made("playbooks", object{"steps": []object{{"name": "ask", "approval": "may I?"}}})
	in.expectTimeout("POST", fmt.Sprintf("/api/v1/playbooks/%s/run", id), object{"alert_id": alert})
}

func TestPropagationDisconnectEndsClickHouseQueries(t *testing.T) {
	for name, call := range map[string]func(in *instance) (method, path string, body any){
		"search": func(*instance) (string, string, any) { return "GET", "/api/v1/events?kind=slow", nil },
		"export": func(*instance) (string, string, any) { return "GET", "/api/v1/events/export?kind=none", nil },
		"stream": func(*instance) (string, string, any) { return "GET", "/api/v1/events/stream", nil },
		"hunt": func(in *instance) (string, string, any) {
			return "POST", fmt.Sprintf("/api/v1/hunts/%s/run", in.made("hunts", object{"every_minutes": 60, "window_minutes": 1, "threshold": 1})), nil
		},
		"report": func(in *instance) (string, string, any) {
			return "POST", fmt.Sprintf("/api/v1/reports/%s/make", in.made("reports", object{"sections": []string{"volume"}, "days": 1, "format": "csv"})), object{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			in, running := serveSlowClickHouse(t)
			method, path, body := call(in)
			disconnect := in.abandon(method, path, body)
			waitFor(t, "the query", 10*time.Second, func() bool { return running() > 0 })
			disconnect()
			waitFor(t, "the end of the query after its client disconnected", prompt, func() bool { return running() == 0 })
		})
	}
}

func TestPropagationShutdownEndsExportJob(t *testing.T) {
	in, running := serveSlowClickHouse(t)
	in.do("POST", "/api/v1/exports", object{"format": "csv"}, http.StatusAccepted, nil)
	waitFor(t, "the query of the job", 10*time.Second, func() bool { return running() > 0 })
	if err, ended := in.terminate(prompt); !ended || err != nil {
		t.Fatalf("a job holds up the shutdown: ended %v, %v", ended, err)
	}
}

// made creates a resource and returns its id.
func (in *instance) made(sort string, body object) any {
	in.t.Helper()
	body["name"] = "slow"
	return in.madeAs(sort, body)
}

// madeAs is made for a resource that has its own name.
func (in *instance) madeAs(sort string, body object) any {
	in.t.Helper()
	var stored object
	in.do("POST", "/api/v1/"+sort, body, http.StatusCreated, &stored)
	return stored["id"]
}

func waitFor(t *testing.T, what string, within time.Duration, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", within, what)
		}
	}
}

// stalledMail is a mail server that greets, and leaves everybody waiting who
// wants to send something.
func stalledMail(t *testing.T) (addr string, reached, closed chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	reached, closed = make(chan struct{}, 1), make(chan struct{}, 1)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_, _ = fmt.Fprint(conn, "220 here\r\n")
				began := false
				for in := bufio.NewScanner(conn); in.Scan(); {
					switch verb, _, _ := strings.Cut(in.Text(), " "); verb {
					case "MAIL":
						began = true
						reached <- struct{}{}
					case "QUIT":
						_, _ = fmt.Fprint(conn, "221 bye\r\n")
						return
					default:
						_, _ = fmt.Fprint(conn, "250 ok\r\n")
					}
				}
				if began {
					closed <- struct{}{}
				}
			}()
		}
	}()
	return listener.Addr().String(), reached, closed
}

// serveSlowClickHouse starts a service whose events are a view that takes a
// minute to read, and returns how many queries are reading it. It has a user of
// its own on the server, which other tests share.
func serveSlowClickHouse(t *testing.T) (in *instance, running func() int) {
	t.Helper()
	addr := os.Getenv("SIEM_TEST_CLICKHOUSE")
	if addr == "" {
		t.Skip("SIEM_TEST_CLICKHOUSE names no server")
	}
	database := fmt.Sprintf("slow_%d", time.Now().UnixNano())
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`CREATE DATABASE ` + database,
		`CREATE VIEW ` + database + `.events AS SELECT toString(number) AS id, 'default' AS tenant, toInt64(4000000000000 + number) AS at, 'slow' AS kind,
			toInt8(0) AS severity, '' AS host, '' AS user, '' AS source, '' AS dest, '' AS message, '{}' AS fields
			FROM (SELECT number FROM system.numbers LIMIT 4000000) WHERE sleep(1) = 0`,
	} {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { dropSlow(t, conn, database) })
	in = serve(t, t.TempDir(), "SIEM_CLICKHOUSE="+addr, "SIEM_CLICKHOUSE_DATABASE="+database, "SIEM_CLICKHOUSE_USER=slow")
	return in, func() int {
		t.Helper()
		var n uint64
		row := conn.QueryRow(t.Context(), `SELECT count() FROM system.processes WHERE user = 'slow' AND query LIKE '% FROM events %'`)
		if err := row.Scan(&n); err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
}

func dropSlow(t *testing.T, conn driver.Conn, database string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = conn.Exec(ctx, `KILL QUERY WHERE user = 'slow' ASYNC`)
	if err := conn.Exec(ctx, `DROP DATABASE `+database); err != nil {
		t.Error(err)
	}
	_ = conn.Close()
}
